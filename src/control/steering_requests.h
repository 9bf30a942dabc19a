#ifndef CALLBRIDGE_SRC_CONTROL_STEERING_REQUESTS_H_
#define CALLBRIDGE_SRC_CONTROL_STEERING_REQUESTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "callbridge/v1/call_service.pb.h"
#include "src/session/call_control.h"

// Requests that steer a live call, checked, as our values; without the principal. Pure. Every error is
// kInvalidArgument with the field and a reason that call_service.proto lists. Where a request_id is missing, one is
// made.
namespace callbridge::control {

absl::StatusOr<session::CallControl::SteerRequest> ParseSteering(const v1::SayOnCallRequest& request);
absl::StatusOr<session::CallControl::SteerRequest> ParseSteering(const v1::InjectContextRequest& request);
absl::StatusOr<session::CallControl::SteerRequest> ParseSteering(const v1::UpdateInstructionsRequest& request);
absl::StatusOr<session::CallControl::SteerRequest> ParseSteering(const v1::SendDtmfRequest& request);
absl::StatusOr<session::CallControl::SteerRequest> ParseSteering(const v1::MuteCallRequest& request);
absl::StatusOr<session::CallControl::SteerRequest> ParseSteering(const v1::TakeoverCallRequest& request);
absl::StatusOr<session::CallControl::SteerRequest> ParseSteering(const v1::ReleaseCallRequest& request);
absl::StatusOr<session::CallControl::SteerRequest> ParseSteering(const v1::SubmitToolResultRequest& request);

// Notes who asks, where the record says so.
void SetPrincipal(const std::string& principal, session::CallControl::SteerRequest& request);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_STEERING_REQUESTS_H_
