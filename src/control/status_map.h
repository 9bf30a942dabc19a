#ifndef CALLBRIDGE_SRC_CONTROL_STATUS_MAP_H_
#define CALLBRIDGE_SRC_CONTROL_STATUS_MAP_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace callbridge::control {

// The error as clients see it. Every error carries google.rpc.ErrorInfo (reason and metadata of base::ErrorInfo, or a
// reason made of the code; domain "callbridge"), and as they apply BadRequest (a field is named), PreconditionFailure,
// QuotaFailure and RetryInfo (kUnavailable, kResourceExhausted).
//
// kInternal, and each code that no handler means (kUnknown, kDataLoss ...), becomes INTERNAL with a fixed message and a
// trace_id; what was wrong is logged under that id and never sent. OK gives OK. Long messages are cut, so that trailers
// stay below 8 KiB.
grpc::Status ToGrpcStatus(const absl::Status& status);

// A resource's name where metadata has its id: of `key` "lead", "leads/{id}". Other values, and names, as they are.
std::string InNames(const std::string& key, const std::string& value);

// After how long it may be worth asking again: as the status says, else by its code. nullopt: not by waiting.
absl::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

// A store's failure in words for clients: kNotFound becomes CALL_NOT_FOUND for `call_id`; kUnavailable without a reason
// becomes STORE_UNAVAILABLE, its text logged; the rest passes.
absl::Status FromStore(const absl::Status& status, absl::string_view call_id);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_STATUS_MAP_H_
