#ifndef CALLBRIDGE_SRC_STORE_TEXT_H_
#define CALLBRIDGE_SRC_STORE_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// How values look as text in every store.
namespace callbridge::store {

// Text as all stores can keep it: each NUL byte, and each byte that is not part of well-formed UTF-8, becomes U+FFFD.
std::string CleanText(absl::string_view text);

// "2026-11-22T16:01:04.000123Z": UTC, always 27 characters for the years 1 to 9999, so text order is time order. Finer
// parts are cut off. Times outside those years, the infinite ones too, become the nearest one inside.
std::string FormatTimestamp(absl::Time time);

// Whether FormatTimestamp() keeps it (but for what is finer than a microsecond).
bool IsStorableTime(absl::Time time);

// The inverse of FormatTimestamp(). kInvalidArgument: other text.
absl::StatusOr<absl::Time> ParseTimestamp(absl::string_view text);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_TEXT_H_
