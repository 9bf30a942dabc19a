#include "src/audio/mulaw.h"

#include <algorithm>

#include "absl/strings/escaping.h"

namespace callbridge::audio {
namespace {

constexpr int kBias = 132;
constexpr int kClip = 32635;

}  // namespace

int16_t LinearFromMulaw(uint8_t code) {
  const unsigned bits = ~code & 0xFFu;
  const int magnitude = static_cast<int>((((bits & 0x0F) << 3) + kBias) << (bits >> 4 & 7)) - kBias;
  return static_cast<int16_t>((bits & 0x80) != 0 ? -magnitude : magnitude);
}

uint8_t MulawFromLinear(int16_t sample) {
  const int magnitude = std::min<int>(sample < 0 ? -int{sample} : sample, kClip) + kBias;
  int exponent = 7;
  for (int bit = 0x4000; exponent > 0 && (magnitude & bit) == 0; bit >>= 1) --exponent;
  const int mantissa = magnitude >> (exponent + 3) & 0x0F;
  return static_cast<uint8_t>(~((sample < 0 ? 0x80 : 0) | exponent << 4 | mantissa));
}

std::vector<int16_t> DecodeMulaw(absl::string_view base64) {
  std::string bytes;
  if (!absl::Base64Unescape(base64, &bytes)) return {};
  std::vector<int16_t> samples(bytes.size());
  std::transform(bytes.begin(), bytes.end(), samples.begin(),
                 [](char c) { return LinearFromMulaw(static_cast<uint8_t>(c)); });
  return samples;
}

}  // namespace callbridge::audio
