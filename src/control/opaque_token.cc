#include "src/control/opaque_token.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace callbridge::control {
namespace {

constexpr size_t kMaxTokenBytes = 1024;

// FNV-1a: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
uint32_t Checksum(absl::string_view text) {
  uint32_t hash = 2166136261u;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 16777619u;
  return hash;
}

std::string ChecksumText(absl::string_view text) { return absl::StrCat(absl::Hex(Checksum(text), absl::kZeroPad8)); }

}  // namespace

std::string SealToken(absl::string_view kind, const std::vector<std::string>& fields) {
  const std::string body = absl::StrCat(kind, "|", absl::StrJoin(fields, "|"));
  return absl::WebSafeBase64Escape(absl::StrCat(ChecksumText(body), "|", body));
}

absl::optional<std::vector<std::string>> OpenToken(absl::string_view kind, size_t field_count,
                                                   absl::string_view token) {
  std::string text;
  if (token.size() > kMaxTokenBytes || !absl::WebSafeBase64Unescape(token, &text)) return absl::nullopt;
  // Base64 with other bits in its padding decodes to the same text; only the one that was made is taken.
  if (absl::WebSafeBase64Escape(text) != token) return absl::nullopt;
  std::vector<std::string> parts = absl::StrSplit(text, '|');
  if (parts.size() != field_count + 2 || parts[1] != kind) return absl::nullopt;
  if (ChecksumText(absl::string_view(text).substr(parts[0].size() + 1)) != parts[0]) return absl::nullopt;
  parts.erase(parts.begin(), parts.begin() + 2);
  return parts;
}

}  // namespace callbridge::control
