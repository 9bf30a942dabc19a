#ifndef CALLBRIDGE_SRC_SESSION_STEERING_H_
#define CALLBRIDGE_SRC_SESSION_STEERING_H_

#include "absl/status/statusor.h"
#include "src/session/call_control.h"
#include "src/session/call_session.h"

namespace callbridge::session {

// Feeds a live call what a client asks of it, or says why not. On the call's loop, not from inside a callback of the
// session. Errors as CallControl::Steer.
absl::StatusOr<CallControl::Steered> SteerNow(CallSession& session, const CallControl::Steering& what);

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_STEERING_H_
