#include "src/audio/base64_check.h"

#include <array>
#include <cstddef>

namespace callbridge::audio {
namespace {

// 0 for a character of the alphabet, 1 for any other byte ('=' included: padding is taken off first).
constexpr std::array<uint8_t, 256> MakeOutsideAlphabet() {
  std::array<uint8_t, 256> outside{};
  for (size_t byte = 0; byte < outside.size(); ++byte) {
    const bool inside = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
                        byte == '+' || byte == '/';
    outside[byte] = inside ? 0 : 1;
  }
  return outside;
}
constexpr std::array<uint8_t, 256> kOutsideAlphabet = MakeOutsideAlphabet();

size_t PaddingLength(absl::string_view text) {
  if (text.empty() || text.back() != '=') return 0;
  return text[text.size() - 2] == '=' ? 2 : 1;
}

}  // namespace

int64_t DecodedSize(absl::string_view text) {
  if (text.size() % 4 != 0) return -1;
  const size_t padding = PaddingLength(text);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const size_t end = text.size() - padding;
  // No branch per byte: valid input is the rule, and groups of four give the processor independent loads.
  uint8_t outside = 0;
  size_t i = 0;
  for (; i + 4 <= end; i += 4) {
    outside |= kOutsideAlphabet[bytes[i]] | kOutsideAlphabet[bytes[i + 1]] | kOutsideAlphabet[bytes[i + 2]] |
               kOutsideAlphabet[bytes[i + 3]];
  }
  for (; i < end; ++i) outside |= kOutsideAlphabet[bytes[i]];
  if (outside != 0) return -1;
  return static_cast<int64_t>(text.size() / 4 * 3 - padding);
}

}  // namespace callbridge::audio
