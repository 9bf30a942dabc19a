#ifndef CALLBRIDGE_SRC_CARRIER_CARRIER_API_H_
#define CALLBRIDGE_SRC_CARRIER_CARRIER_API_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace callbridge::carrier {

// What we ask of the carrier. Every method blocks for a request's time (10 s at most): call on the carrier's executor,
// never on a loop or a gRPC reaction. Thread-safe.
//
// Outcomes are told apart because a phone must never be dialled twice:
//   kInvalidArgument, kFailedPrecondition, kPermissionDenied, kUnauthenticated, kResourceExhausted: the carrier
//   refused; nothing happened. kUnavailable: the request was never sent (no connection); nothing happened. kUnknown: it
//   may have been carried out (timeout after sending, 5xx). Never repeat a POST after this.
class CarrierApi {
 public:
  virtual ~CarrierApi() = default;

  struct Dial {
    std::string from;  // E.164, ours.
    std::string to;    // E.164.
    std::string answer_url;
    std::string ring_url;
    std::string hangup_url;
    absl::Duration ring_timeout = absl::Seconds(45);
    absl::Duration time_limit = absl::Hours(4);
    // Where the carrier tells, while the call goes on, that a machine answered; empty: it does not listen for one.
    std::string machine_detection_url;
    absl::Duration machine_detection_time = absl::Seconds(5);  // For listening: 2 to 10 s.
  };
  // Asks for one call. The result is the carrier's request id. Never retried.
  virtual absl::StatusOr<std::string> Place(const Dial& dial) = 0;

  // Hangs up one leg by its id; one that is gone already is OK. kInvalidArgument for an id that is empty or not one
  // path segment: the same request without an id would hang up every call of the account. Retried up to twice: it is
  // safe to repeat.
  virtual absl::Status HangUp(absl::string_view carrier_call_id) = 0;

  // Makes the carrier fetch `url` for the call's next instructions. kNotFound: the call is gone. Never retried.
  virtual absl::Status Transfer(absl::string_view carrier_call_id, absl::string_view url) = 0;
};

}  // namespace callbridge::carrier

#endif  // CALLBRIDGE_SRC_CARRIER_CARRIER_API_H_
