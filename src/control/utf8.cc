#include "src/control/utf8.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace callbridge::control {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Length of the well-formed character at the front of `text` (RFC 3629: no overlong forms, no surrogates, up to
// U+10FFFF); 0 if there is none.
size_t CharacterLength(absl::string_view text) {
  const auto byte = [text](size_t i) -> unsigned char { return i < text.size() ? text[i] : 0; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return IsContinuation(byte(1)) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned char low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = first == 0xED ? 0x9F : 0xBF;
    return byte(1) >= low && byte(1) <= high && IsContinuation(byte(2)) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned char low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xF4 ? 0x8F : 0xBF;
    return byte(1) >= low && byte(1) <= high && IsContinuation(byte(2)) && IsContinuation(byte(3)) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string ToUtf8(absl::string_view text, size_t max_bytes) {
  std::string out;
  out.reserve(text.size() < max_bytes ? text.size() : max_bytes);
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const absl::string_view piece = length == 0 ? kReplacement : text.substr(0, length);
    if (out.size() + piece.size() > max_bytes) break;
    absl::StrAppend(&out, piece);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string Quoted(absl::string_view text) {
  constexpr size_t kMost = 64;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kMost)), text.size() > kMost ? "..." : "", "\"");
}

}  // namespace callbridge::control
