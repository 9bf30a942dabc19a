#include "src/openai/connect.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace callbridge::openai {
namespace {

// Everything outside RFC 3986's unreserved characters.
std::string PercentEncode(absl::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded.push_back(static_cast<char>(c));
    } else {
      encoded.append({'%', kDigits[c >> 4], kDigits[c & 15]});
    }
  }
  return encoded;
}

bool NamesTarget(absl::string_view query) {
  for (const absl::string_view parameter : absl::StrSplit(query, '&')) {
    const absl::string_view key = parameter.substr(0, parameter.find('='));
    if (key == "model" || key == "call_id" || key == "intent") return true;
  }
  return false;
}

bool IsHeaderValue(absl::string_view value) {
  return std::all_of(value.begin(), value.end(), [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

absl::Status AddHeader(absl::string_view field, absl::string_view name, absl::string_view prefix,
                       absl::string_view value, base::HttpHeaders& headers) {
  if (!IsHeaderValue(value)) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": must be printable ASCII without blanks or line breaks"));
  }
  if (!value.empty()) headers.emplace_back(std::string(name), absl::StrCat(prefix, value));
  return absl::OkStatus();
}

}  // namespace

std::string RealtimeUrl(absl::string_view base, absl::string_view model) {
  base = base.substr(0, base.find('#'));
  const size_t mark = base.find('?');
  if (mark == absl::string_view::npos) return absl::StrCat(base, "?model=", PercentEncode(model));
  const absl::string_view query = base.substr(mark + 1);
  if (NamesTarget(query)) return std::string(base);
  const absl::string_view separator = query.empty() || absl::EndsWith(query, "&") ? "" : "&";
  return absl::StrCat(base, separator, "model=", PercentEncode(model));
}

absl::StatusOr<base::HttpHeaders> RealtimeHeaders(const Credentials& credentials) {
  if (credentials.api_key.empty()) return absl::InvalidArgumentError("api_key: must not be empty");
  base::HttpHeaders headers;
  absl::Status status = AddHeader("api_key", "Authorization", "Bearer ", credentials.api_key, headers);
  status.Update(AddHeader("organization", "OpenAI-Organization", "", credentials.organization, headers));
  status.Update(AddHeader("project", "OpenAI-Project", "", credentials.project, headers));
  status.Update(AddHeader("safety_identifier", "OpenAI-Safety-Identifier", "", credentials.safety_identifier, headers));
  if (!status.ok()) return status;
  return headers;
}

}  // namespace callbridge::openai
