#ifndef CALLBRIDGE_SRC_BASE_ERROR_H_
#define CALLBRIDGE_SRC_BASE_ERROR_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace callbridge::base {

// What an error carries for programs, beside the code and the sentence for people.
struct ErrorInfo {
  std::string reason;  // Stable: [A-Z][A-Z0-9_]+[A-Z0-9]. Empty: none was given.
  std::string field;   // The request's field that is wrong: "to", "page_token". Empty: none.
  std::map<std::string, std::string> metadata;
};

// A status whose ErrorInfo travels with it. The message says what is wrong and what would be right.
absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       const std::map<std::string, std::string>& metadata = {});

// kInvalidArgument for a field of a request.
absl::Status FieldError(absl::string_view field, absl::string_view reason, absl::string_view message);

// What MakeError or FieldError put in; empty for other statuses.
ErrorInfo GetErrorInfo(const absl::Status& status);

// `status`, which also says after how long it may be worth asking again. Not for OK.
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);
// What WithRetryDelay put in, in whole milliseconds, rounded up; nullopt: nothing.
absl::optional<absl::Duration> GetRetryDelay(const absl::Status& status);

}  // namespace callbridge::base

#endif  // CALLBRIDGE_SRC_BASE_ERROR_H_
