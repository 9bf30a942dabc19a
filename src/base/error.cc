#include "src/base/error.h"

#include <algorithm>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace callbridge::base {
namespace {

// Payloads are texts, each behind its length: "9:BAD_FIELD5:field2:to". Nobody outside the process sees them. No
// separator, since a value may come from a peer and hold any byte.
constexpr char kPayloadUrl[] = "callbridge/error-info";
constexpr char kRetryUrl[] = "callbridge/retry-delay-ms";

void Append(std::string& blob, absl::string_view text) { absl::StrAppend(&blob, text.size(), ":", text); }

// The next text of `blob`, which is moved behind it; empty at the end.
absl::string_view Take(absl::string_view& blob) {
  const size_t colon = blob.find(':');
  size_t size = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(blob.substr(0, colon), &size)) return blob = {};
  const absl::string_view text = blob.substr(colon + 1, size);
  blob.remove_prefix(colon + 1 + text.size());
  return text;
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       const std::map<std::string, std::string>& metadata) {
  absl::Status status(code, message);
  std::string blob;
  Append(blob, reason);
  for (const auto& [key, value] : metadata) {
    Append(blob, key);
    Append(blob, value);
  }
  status.SetPayload(kPayloadUrl, absl::Cord(blob));
  return status;
}

absl::Status FieldError(absl::string_view field, absl::string_view reason, absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, absl::StrCat(field, ": ", message),
                   {{"field", std::string(field)}});
}

ErrorInfo GetErrorInfo(const absl::Status& status) {
  ErrorInfo info;
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload) return info;
  const std::string blob(*payload);
  absl::string_view rest = blob;
  info.reason = std::string(Take(rest));
  while (!rest.empty()) {
    const std::string key(Take(rest));
    const std::string value(Take(rest));
    if (key == "field") {
      info.field = value;
    } else {
      info.metadata.emplace(key, value);
    }
  }
  return info;
}

absl::Status WithRetryDelay(absl::Status status, absl::Duration delay) {
  const absl::Duration whole = absl::Ceil(std::max(delay, absl::ZeroDuration()), absl::Milliseconds(1));
  status.SetPayload(kRetryUrl, absl::Cord(absl::StrCat(absl::ToInt64Milliseconds(whole))));
  return status;
}

absl::optional<absl::Duration> GetRetryDelay(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryUrl);
  int64_t milliseconds = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &milliseconds)) return absl::nullopt;
  return absl::Milliseconds(milliseconds);
}

}  // namespace callbridge::base
