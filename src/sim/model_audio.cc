#include "src/sim/model_audio.h"

#include <cstdint>
#include <cstdlib>

#include "src/sim/mulaw.h"

namespace callbridge::sim {
namespace {

constexpr int kRateRatio = 3;  // 24 kHz over 8 kHz.

// G.711 A-law: 13 bits, even bits inverted.
int16_t LinearFromAlaw(uint8_t code) {
  const int bits = code ^ 0x55;
  const int segment = (bits >> 4) & 7;
  int magnitude = ((bits & 0x0f) << 4) + 8;
  if (segment > 0) magnitude = (magnitude + 0x100) << (segment - 1);
  return static_cast<int16_t>((bits & 0x80) != 0 ? magnitude : -magnitude);
}

uint8_t AlawFromLinear(int16_t sample) {
  const int sign = sample >= 0 ? 0x80 : 0;
  int magnitude = sample >= 0 ? sample : -(sample + 1);
  int segment = 7;
  for (int mask = 0x4000; segment > 0 && (magnitude & mask) == 0; mask >>= 1) --segment;
  const int mantissa = (magnitude >> (segment == 0 ? 4 : segment + 3)) & 0x0f;
  return static_cast<uint8_t>((sign | (segment << 4) | mantissa) ^ 0x55);
}

}  // namespace

int BytesPerMs(absl::string_view format) { return format == "audio/pcm" ? 2 * 8 * kRateRatio : 8; }

std::string ToMulaw(absl::string_view format, absl::string_view bytes) {
  if (format == "audio/pcmu") return std::string(bytes);
  std::string mulaw;
  if (format == "audio/pcma") {
    for (const char c : bytes)
      mulaw.push_back(static_cast<char>(MulawFromLinear(LinearFromAlaw(static_cast<uint8_t>(c)))));
    return mulaw;
  }
  for (size_t at = 0; at + 1 < bytes.size(); at += 2 * kRateRatio) {
    const int sample = static_cast<uint8_t>(bytes[at]) | (static_cast<uint8_t>(bytes[at + 1]) << 8);
    mulaw.push_back(static_cast<char>(MulawFromLinear(static_cast<int16_t>(sample))));
  }
  return mulaw;
}

std::string FromMulaw(absl::string_view format, absl::string_view mulaw) {
  if (format == "audio/pcmu") return std::string(mulaw);
  std::string bytes;
  for (const char c : mulaw) {
    const int16_t sample = LinearFromMulaw(static_cast<uint8_t>(c));
    if (format == "audio/pcma") {
      bytes.push_back(static_cast<char>(AlawFromLinear(sample)));
      continue;
    }
    for (int i = 0; i < kRateRatio; ++i) {
      bytes.push_back(static_cast<char>(sample & 0xff));
      bytes.push_back(static_cast<char>((sample >> 8) & 0xff));
    }
  }
  return bytes;
}

}  // namespace callbridge::sim
