#include "src/control/cursor.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/base/ids.h"
#include "src/control/opaque_token.h"

namespace callbridge::control {
namespace {

constexpr char kKind[] = "e1";

}  // namespace

std::string FormatCursor(const Cursor& cursor) {
  return SealToken(kKind, {absl::StrCat(cursor.position), cursor.call_id, absl::StrCat(cursor.sequence)});
}

absl::optional<Cursor> ParseCursor(absl::string_view text) {
  const auto fields = OpenToken(kKind, 3, text);
  if (!fields) return absl::nullopt;
  Cursor cursor;
  cursor.call_id = (*fields)[1];
  if (!absl::SimpleAtoi((*fields)[0], &cursor.position) || !absl::SimpleAtoi((*fields)[2], &cursor.sequence))
    return absl::nullopt;
  if (cursor.position < 0 || cursor.sequence < 0) return absl::nullopt;
  if (!cursor.call_id.empty() && !base::IsCanonicalUuid(cursor.call_id)) return absl::nullopt;
  return cursor;
}

}  // namespace callbridge::control
