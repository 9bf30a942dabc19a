#include "src/base/error.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace callbridge::base {
namespace {

// Payloads are key\0value\0... in one blob of our own; nobody outside the process sees it.
constexpr char kPayloadUrl[] = "callbridge/error-info";

void Append(std::string& blob, absl::string_view key, absl::string_view value) {
  absl::StrAppend(&blob, key, absl::string_view("\0", 1), value, absl::string_view("\0", 1));
}

}  // namespace

absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       const std::map<std::string, std::string>& metadata) {
  absl::Status status(code, message);
  std::string blob;
  Append(blob, "reason", reason);
  for (const auto& [key, value] : metadata) Append(blob, absl::StrCat("m:", key), value);
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
  const std::vector<std::string> parts = absl::StrSplit(blob, '\0');
  for (size_t i = 0; i + 1 < parts.size(); i += 2) {
    if (parts[i] == "reason") {
      info.reason = parts[i + 1];
    } else if (parts[i] == "m:field") {
      info.field = parts[i + 1];
    } else {
      info.metadata.emplace(parts[i].substr(2), parts[i + 1]);
    }
  }
  return info;
}

}  // namespace callbridge::base
