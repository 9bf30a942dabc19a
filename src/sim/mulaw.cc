#include "src/sim/mulaw.h"

#include <cstdlib>

namespace callbridge::sim {
namespace {

constexpr int kBias = 132;
constexpr int kClip = 32635;

}  // namespace

uint8_t MulawFromLinear(int16_t sample) {
  const int sign = sample < 0 ? 0x80 : 0;
  int magnitude = std::abs(static_cast<int>(sample));
  if (magnitude > kClip) magnitude = kClip;
  magnitude += kBias;
  // The segment is the place of the highest set bit, from bit 7 (segment 0) to bit 14 (segment 7).
  int segment = 7;
  for (int mask = 0x4000; segment > 0 && (magnitude & mask) == 0; mask >>= 1) --segment;
  const int mantissa = (magnitude >> (segment + 3)) & 0x0f;
  return static_cast<uint8_t>(~(sign | (segment << 4) | mantissa));
}

int16_t LinearFromMulaw(uint8_t code) {
  const int bits = ~code & 0xff;
  const int segment = (bits >> 4) & 7;
  const int magnitude = ((((bits & 0x0f) << 3) + kBias) << segment) - kBias;
  return static_cast<int16_t>((bits & 0x80) != 0 ? -magnitude : magnitude);
}

std::string EncodeMulaw(absl::Span<const int16_t> samples) {
  std::string out(samples.size(), '\0');
  for (size_t i = 0; i < samples.size(); ++i) out[i] = static_cast<char>(MulawFromLinear(samples[i]));
  return out;
}

const std::array<uint16_t, 256>& MulawLoudness() {
  static const std::array<uint16_t, 256> table = [] {
    std::array<uint16_t, 256> made;
    for (int code = 0; code < 256; ++code) {
      made[code] = static_cast<uint16_t>(std::abs(static_cast<int>(LinearFromMulaw(static_cast<uint8_t>(code)))) >> 5);
    }
    return made;
  }();
  return table;
}

}  // namespace callbridge::sim
