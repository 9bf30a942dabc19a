#ifndef CALLBRIDGE_SRC_CONTROL_UTF8_H_
#define CALLBRIDGE_SRC_CONTROL_UTF8_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::control {

// Longer texts are cut in messages, so that none passes 1 MiB: two of these fit with room.
inline constexpr size_t kMaxTextBytes = 256 * 1024;

// `text` as a proto string may carry it: bytes that are not UTF-8 become U+FFFD, and at most `max_bytes` are kept,
// never half a character. Other languages refuse a whole message for one bad byte, and carriers send such bytes.
std::string ToUtf8(absl::string_view text, size_t max_bytes = kMaxTextBytes);

// `text` in quotes for an error message: escaped, at most 64 bytes of it.
std::string Quoted(absl::string_view text);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_UTF8_H_
