#ifndef CALLBRIDGE_SRC_SESSION_CALL_CONTROL_H_
#define CALLBRIDGE_SRC_SESSION_CALL_CONTROL_H_

#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/call/input.h"
#include "src/call/types.h"
#include "src/store/records.h"

namespace callbridge::session {

// What the control plane can ask of calls. Thread-safe and never blocking: the answer comes by callback, once, on a
// thread of the implementation's, possibly before the method returns. Errors carry base::ErrorInfo.
class CallControl {
 public:
  virtual ~CallControl() = default;

  struct StartRequest {
    std::string to;                                      // E.164, checked here.
    std::string from;                                    // E.164; empty: the agent's own number.
    std::string agent;                                   // Key in the configuration; empty: the default agent.
    absl::Duration ring_timeout = absl::ZeroDuration();  // Zero: the configuration's.
    absl::Duration max_duration = absl::ZeroDuration();  // Zero: the configuration's.
    std::map<std::string, std::string> metadata;
    std::map<std::string, std::string> labels;
    absl::optional<store::RequestKey> key;  // With it, the same request dials at most once.
  };
  // Answers once the row is committed, before the carrier has been asked to dial; what comes of it are events. The same
  // key again answers with the same call and dials nothing. kInvalidArgument INVALID_E164, UNKNOWN_AGENT,
  // REQUEST_ID_REUSED; kFailedPrecondition DESTINATION_NOT_ALLOWED (outside the configured prefixes), NO_CALLER_ID;
  // kResourceExhausted CONCURRENCY_LIMIT, DIAL_RATE_LIMIT {limit}, NUMBER_LIMIT {limit}; kUnavailable
  // STORE_UNAVAILABLE, DRAINING. No limit and no drain keeps a request that was answered before from the same answer.
  virtual void StartCall(StartRequest request, std::function<void(absl::StatusOr<store::CallRecord>)> done) = 0;

  // Everything that speaks against StartCall with this request now, in the order in which it would name it; empty:
  // nothing. Dials and counts nothing. kUnavailable STORE_UNAVAILABLE: what the database would say is not known.
  virtual void EvaluateStart(const StartRequest& request,
                             std::function<void(absl::StatusOr<std::vector<absl::Status>>)> done) = 0;

  // Hangs up, from ringing onward. Answers when the call was told; its end is an event. Ending an ended call is OK and
  // changes nothing. kNotFound CALL_NOT_FOUND.
  // `goodbye`: what the assistant says before, word for word; empty, or if nobody would hear it: at once.
  virtual void EndCall(absl::string_view call_id, absl::string_view reason, absl::string_view goodbye,
                       std::function<void(absl::Status)> done) = 0;

  struct TransferRequest {
    std::string call_id;
    std::string destination;  // Key in the configuration; empty: `number`.
    std::string reason;
    std::string transfer_id;  // UUID; a repeat with the same id answers with the same transfer.
    std::string number;       // E.164; empty: the destination's. Checked here.
  };
  // Answers when the call accepted it (state kRequested or further); what comes of it are events.
  // kNotFound CALL_NOT_FOUND; kInvalidArgument UNKNOWN_DESTINATION, INVALID_E164; kFailedPrecondition
  // DESTINATION_NOT_ALLOWED (a number outside the configured transfer_prefixes), CALL_NOT_ACTIVE {state},
  // TRANSFER_IN_PROGRESS {transfer_id}, TRANSFER_LIMIT (the call has had as many as it may), LEAD_SUPPRESSED {lead}
  // (the number is that of somebody who must not be called); kResourceExhausted DIAL_RATE_LIMIT {limit}, NUMBER_LIMIT
  // {limit}; kUnavailable STORE_UNAVAILABLE (nobody could look that up).
  virtual void TransferCall(TransferRequest request, std::function<void(absl::StatusOr<call::Transfer>)> done) = 0;

  // Takes a transfer back as long as no human has the caller; answers with what it is then, state kFailed and outcome
  // kCancelled. A repeat changes nothing and is OK. kNotFound CALL_NOT_FOUND, TRANSFER_NOT_FOUND; kFailedPrecondition
  // TRANSFER_NOT_CANCELLABLE {state}: a human has the caller, or it is over in another way.
  virtual void CancelTransfer(absl::string_view call_id, absl::string_view transfer_id,
                              std::function<void(absl::StatusOr<call::Transfer>)> done) = 0;

  struct Mute {
    absl::optional<bool> caller;  // Not set: as it is.
    absl::optional<bool> assistant;
    std::string principal;
  };
  // What else is asked of a live call; call/input.h says what each means. A SayRequested, ContextGiven or DtmfRequested
  // has a request_id.
  using Steering = std::variant<call::input::SayRequested, call::input::ContextGiven, call::input::InstructionsGiven,
                                call::input::DtmfRequested, Mute, call::input::TakeoverRequested,
                                call::input::ReleaseRequested, call::input::ToolResultGiven>;
  struct SteerRequest {
    std::string call_id;
    Steering what;
  };
  struct Steered {  // How the call is now.
    bool caller_muted = false;
    bool assistant_muted = false;
  };
  // Answers when the call did it, or had done it before. kNotFound CALL_NOT_FOUND, TOOL_CALL_NOT_FOUND;
  // kInvalidArgument UNKNOWN_PROMPT; kFailedPrecondition CALL_NOT_ACTIVE {state}, MODEL_NOT_READY, TOOL_CALL_ANSWERED;
  // kResourceExhausted TOO_MANY_REQUESTS.
  virtual void Steer(SteerRequest request, std::function<void(absl::StatusOr<Steered>)> done) = 0;

  struct Standing {
    bool draining = false;  // No call begins here any more.
    int live_calls = 0;
    int max_calls = 0;                // At once.
    std::vector<std::string> agents;  // Keys in the configuration, sorted.
  };
  virtual Standing standing() const = 0;

  // Whether the call has a session here: what is asked of it is answered here.
  virtual bool IsLive(absl::string_view call_id) const = 0;

  // Keys that TransferRequest::destination may have, sorted.
  virtual std::vector<std::string> Destinations() const = 0;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_CALL_CONTROL_H_
