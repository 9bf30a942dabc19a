#ifndef CALLBRIDGE_SRC_OPENAI_ERROR_CLASS_H_
#define CALLBRIDGE_SRC_OPENAI_ERROR_CLASS_H_

#include "absl/strings/string_view.h"

namespace callbridge::openai {

// What to do about trouble with the model, whichever way it shows: an error event, a failed response, a refused
// upgrade, a close.
enum class ErrorClass {
  kHarmless,        // A race that both sides lose without loss: go on.
  kRetryResponse,   // Wait a moment, ask for the response again once or twice; reconnect if it stays.
  kReconnect,       // Open a new session. It is empty: send the configuration and the conversation so far.
  kSessionExpired,  // The same; the session reached its 60 minutes. Better: move before `expires_at`.
  kFatalConfig,     // A setting of ours is wrong; no repeat helps, and other calls fail alike.
  kFatalAccount,    // Quota, billing or a deactivated account; no repeat helps, and other calls fail alike.
  kClientBug,       // We sent what the server does not take; that event had no effect, the session goes on.
  kUnknown,         // Not known: go on, and say it.
};

struct Diagnosis {
  ErrorClass error_class = ErrorClass::kUnknown;
  absl::string_view
      text;  // For an operator: what happened and what to do. A constant that quotes nothing; never empty.
};

// Whether this call can have no model any more.
bool IsFatal(ErrorClass error_class);

// "harmless", "retry_response", ...: for logs and metrics.
absl::string_view Name(ErrorClass error_class);

// An error event, or the error of a failed response (`status_details.error`), which is where quota trouble shows up.
// Any argument may be empty. The code decides if it is known, then the message where the server gives several errors
// one code, then the type.
Diagnosis ClassifyError(absl::string_view type, absl::string_view code, absl::string_view message);

// A connection that never opened. `http_status` of the answer to the upgrade, or 0 without one; then `error` is the
// client's description, of which only "certificate" matters: an untrusted server stays untrusted.
Diagnosis ClassifyRefusal(int http_status, absl::string_view error);

// A connection that closed. The server writes "<error type>.<error code>" as the reason when it refuses a session after
// accepting the upgrade; a known code in it decides. 1000 is harmless: whether the call still needed the session, its
// owner knows.
Diagnosis ClassifyClose(int code, absl::string_view reason);

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_ERROR_CLASS_H_
