#include "src/control/etag.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/control/opaque_token.h"

namespace callbridge::control {
namespace {

constexpr char kKind[] = "e1";

}  // namespace

std::string FormatEtag(int64_t revision) { return SealToken(kKind, {absl::StrCat(revision)}); }

absl::optional<int64_t> ParseEtag(absl::string_view etag) {
  const auto fields = OpenToken(kKind, 1, etag);
  int64_t revision = 0;
  if (!fields || !absl::SimpleAtoi((*fields)[0], &revision) || revision < 1) return absl::nullopt;
  return revision;
}

}  // namespace callbridge::control
