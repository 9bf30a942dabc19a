#include "src/store/text.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace callbridge::store {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr char kTimeFormat[] = "%E4Y-%m-%dT%H:%M:%E6SZ";
constexpr size_t kTimeLength = 27;

absl::Time FirstTime() { return absl::FromCivil(absl::CivilSecond(1, 1, 1), absl::UTCTimeZone()); }
absl::Time LastTime() {
  return absl::FromCivil(absl::CivilSecond(10000, 1, 1), absl::UTCTimeZone()) - absl::Microseconds(1);
}

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Length of the well-formed UTF-8 sequence at the beginning of `text` (Unicode, table 3-7); 0: there is none, or it is
// a NUL.
size_t SequenceLength(absl::string_view text) {
  const auto byte = [text](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const unsigned char first = byte(0);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return IsContinuation(byte(1)) ? 2 : 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first == 0xE0) low = 0xA0;   // Overlong.
  if (first == 0xED) high = 0x9F;  // Surrogates.
  if (first == 0xF0) low = 0x90;   // Overlong.
  if (first == 0xF4) high = 0x8F;  // Beyond U+10FFFF.
  if (first > 0xF4 || byte(1) < low || byte(1) > high || !IsContinuation(byte(2))) return 0;
  if (first < 0xF0) return 3;
  return IsContinuation(byte(3)) ? 4 : 0;
}

}  // namespace

std::string CleanText(absl::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    absl::StrAppend(&clean, length == 0 ? kReplacement : text.substr(0, length));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return clean;
}

std::string FormatTimestamp(absl::Time time) {
  return absl::FormatTime(kTimeFormat, std::min(std::max(time, FirstTime()), LastTime()), absl::UTCTimeZone());
}

bool IsStorableTime(absl::Time time) { return time >= FirstTime() && time < LastTime() + absl::Microseconds(1); }

absl::StatusOr<absl::Time> ParseTimestamp(absl::string_view text) {
  absl::Time time;
  std::string error;
  if (text.size() != kTimeLength || !absl::ParseTime(kTimeFormat, text, absl::UTCTimeZone(), &time, &error)) {
    return absl::InvalidArgumentError("not a time of the form 2026-11-22T16:01:04.000123Z");
  }
  return time;
}

}  // namespace callbridge::store
