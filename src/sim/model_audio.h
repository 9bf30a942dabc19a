#ifndef CALLBRIDGE_SRC_SIM_MODEL_AUDIO_H_
#define CALLBRIDGE_SRC_SIM_MODEL_AUDIO_H_

#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::sim {

// Bytes of a millisecond: 8 of "audio/pcmu" and "audio/pcma", 48 of "audio/pcm" (16 bits at 24 kHz).
int BytesPerMs(absl::string_view format);

// Audio of a session's format as mu-law, and back. PCM changes its rate by dropping or repeating samples, which is
// enough to be heard; mu-law passes untouched. A last incomplete sample is dropped.
std::string ToMulaw(absl::string_view format, absl::string_view bytes);
std::string FromMulaw(absl::string_view format, absl::string_view mulaw);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_AUDIO_H_
