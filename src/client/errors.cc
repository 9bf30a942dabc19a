#include "src/client/errors.h"

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace callbridge::client {
namespace {

// google.rpc.Status in binary, as it came.
constexpr char kPayloadUrl[] = "type.googleapis.com/google.rpc.Status";

}  // namespace

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status converted(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  if (!status.error_details().empty()) converted.SetPayload(kPayloadUrl, absl::Cord(status.error_details()));
  return converted;
}

Failure Explain(const absl::Status& status) {
  Failure failure;
  const auto payload = status.GetPayload(kPayloadUrl);
  google::rpc::Status proto;
  if (!payload || !proto.ParseFromString(std::string(*payload))) return failure;
  for (const auto& any : proto.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) {
      failure.reason = info.reason();
      failure.metadata = {info.metadata().begin(), info.metadata().end()};
    } else if (any.UnpackTo(&bad_request) && bad_request.field_violations_size() > 0) {
      failure.field = bad_request.field_violations(0).field();
    } else if (any.UnpackTo(&retry)) {
      failure.retry_after =
          absl::Seconds(retry.retry_delay().seconds()) + absl::Nanoseconds(retry.retry_delay().nanos());
    }
  }
  return failure;
}

}  // namespace callbridge::client
