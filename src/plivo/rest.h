#ifndef CALLBRIDGE_SRC_PLIVO_REST_H_
#define CALLBRIDGE_SRC_PLIVO_REST_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

// Requests to the carrier's REST API and its replies, as text. No HTTP here: who sends them adds the base URL, HTTP
// Basic authentication and "Content-Type: application/json". Source: Plivo's documentation of the voice API, and its
// SDKs' fixtures.
//
// There is no idempotency key: a POST that may have arrived must not be repeated, or a phone rings twice.
namespace callbridge::plivo {

// Paths behind the API's host; all end with a slash, which the API wants.
// kInvalidArgument: `auth_id` is not 1-64 letters and digits, or `call_uuid` no UUID. That is more than tidiness:
// DELETE on
// ".../Call/" without an id would hang up every call of the account.
absl::StatusOr<std::string> CallsPath(absl::string_view auth_id);  // POST: place a call.
absl::StatusOr<std::string> CallPath(absl::string_view auth_id,
                                     absl::string_view call_uuid);  // POST: transfer. DELETE: hang up.
// DELETE: withdraws a call that is still queued.
absl::StatusOr<std::string> RequestPath(absl::string_view auth_id, absl::string_view request_uuid);

enum class MachineDetection { kOff, kContinue, kHangup };

// One outbound call. Methods of all URLs are POST.
struct PlaceCall {
  std::string from;                // Ours, E.164.
  std::string to;                  // E.164 or "sip:user@host"; exactly one.
  std::string answer_url;          // http(s)://
  std::string hangup_url;          // http(s)://. Required: without it the carrier would report hang-ups to answer_url.
  std::string ring_url;            // Empty: none.
  std::string fallback_url;        // Empty: none.
  std::string caller_name;         // Up to 50 bytes. Empty: none.
  int ring_timeout_seconds = 45;   // 1-600.
  int time_limit_seconds = 14400;  // 1-86400, from the answer.
  MachineDetection machine_detection = MachineDetection::kOff;
  absl::optional<int> machine_detection_time_ms;  // 2000-10000.
  std::string machine_detection_url;              // Set: the result comes there while the call goes on.
};

// kInvalidArgument names the field that is wrong and says what would be right.
absl::StatusOr<std::string> FormatPlaceCall(const PlaceCall& call);

// Makes the carrier fetch `url` (POST) for the further instructions of the caller's own leg.
absl::StatusOr<std::string> FormatTransfer(absl::string_view url);

// A reply of the 2xx family. What it does not hold is empty.
struct RestReply {
  int http_status = 0;
  std::string api_id;
  std::string message;                     // "call fired", "call queued", "call transferred", ...
  std::vector<std::string> request_uuids;  // One per destination.
  bool queued = false;                     // By the limit on calls per second: it will be dialled later.
};

// Reads a reply to any request. Not OK for anything but 2xx, with the carrier's words (shortened) in the message:
//   kInvalidArgument 400, 405, 406, 422 and other 4xx; kUnauthenticated 401; kPermissionDenied 402, 403; kNotFound 404;
//   kFailedPrecondition 409, and 1xx and 3xx; kResourceExhausted 429: refused, nothing happened.
//   kUnknown 5xx: it may have been carried out.
// A 2xx whose body is not the documented JSON is OK and empty: the status is what counts.
absl::StatusOr<RestReply> ParseReply(int http_status, absl::string_view body);

// The same for "place call", where a 2xx must bring a request id: kUnknown if it does not, since the phone may ring.
absl::StatusOr<RestReply> ParsePlaceReply(int http_status, absl::string_view body);

// The same for DELETE: 404 is OK, since what we wanted gone is gone.
absl::Status ParseDeleteReply(int http_status, absl::string_view body);

}  // namespace callbridge::plivo

#endif  // CALLBRIDGE_SRC_PLIVO_REST_H_
