#ifndef CALLBRIDGE_SRC_AUDIO_SILENCE_H_
#define CALLBRIDGE_SRC_AUDIO_SILENCE_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace callbridge::audio {

// Mu-law silence (0xFF) as base64: `ms` of it, up to two bytes shorter so that it is whole quanta; at most a second.
// Valid for ever. Any thread.
absl::string_view SilenceBase64(int64_t ms);

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_SILENCE_H_
