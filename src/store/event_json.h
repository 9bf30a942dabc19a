#ifndef CALLBRIDGE_SRC_STORE_EVENT_JSON_H_
#define CALLBRIDGE_SRC_STORE_EVENT_JSON_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/call/event.h"

// Events as they lie in the database: call_events.type holds call::TypeName(), call_events.payload one flat JSON object
// with the fields of the body under their C++ names ("item", "transfer" and "termination" are objects in it). Enums are
// their Name()s, times are FormatTimestamp() or null where there is none. Every body comes back as it was, but for
// CleanText() and what is finer than a microsecond.
namespace callbridge::store {

// The payload. Valid UTF-8 without line breaks, whatever is in the body.
std::string EncodeEventBody(const call::EventBody& body);

// The body that `type` and `payload` stand for. Keys that are not known are ignored, those that are missing keep their
// default, so that fields can be added. kInvalidArgument: unknown type, not a JSON object, or a field of the wrong
// kind; the message names the field and never quotes its value.
absl::StatusOr<call::EventBody> DecodeEventBody(absl::string_view type, absl::string_view payload);

// A body of that type with its members' defaults; nullopt: unknown type.
absl::optional<call::EventBody> DefaultEventBody(absl::string_view type);

// The same for call_transfers.attempts: an array with an object for each.
std::string EncodeAttempts(const std::vector<call::TransferAttempt>& attempts);
absl::StatusOr<std::vector<call::TransferAttempt>> DecodeAttempts(absl::string_view payload);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_EVENT_JSON_H_
