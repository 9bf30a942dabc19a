#ifndef CALLBRIDGE_SRC_SIM_MULAW_H_
#define CALLBRIDGE_SRC_SIM_MULAW_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// G.711 mu-law for the simulated world. Written apart from the server's own code on purpose: a shared mistake would not
// show.
namespace callbridge::sim {

// mu-law's silence: the code of zero.
inline constexpr char kMulawSilence = '\xff';

// Samples and bytes of one millisecond at 8 kHz.
inline constexpr int kMulawBytesPerMs = 8;

// A linear 16-bit sample as one mu-law byte (G.711: bias 132, clipped at 32635, all bits inverted).
uint8_t MulawFromLinear(int16_t sample);

// The linear value of a mu-law byte, -32124..32124.
int16_t LinearFromMulaw(uint8_t code);

std::string EncodeMulaw(absl::Span<const int16_t> samples);

// |linear| >> 5 of each code, 0..1003: what an energy detector adds up without decoding.
const std::array<uint16_t, 256>& MulawLoudness();

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MULAW_H_
