#ifndef CALLBRIDGE_SRC_AUDIO_MULAW_H_
#define CALLBRIDGE_SRC_AUDIO_MULAW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// G.711 mu-law, for the few places that listen or sound themselves; audio passes through the bridge undecoded.
namespace callbridge::audio {

// The linear value of a code, -32124 to 32124, and the code of a linear value.
int16_t LinearFromMulaw(uint8_t code);
uint8_t MulawFromLinear(int16_t sample);

// The samples of base64 that DecodedSize() has passed; empty for what it would not.
std::vector<int16_t> DecodeMulaw(absl::string_view base64);

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_MULAW_H_
