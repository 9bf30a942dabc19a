#ifndef CALLBRIDGE_SRC_STORE_SPOOL_RECORD_JSON_H_
#define CALLBRIDGE_SRC_STORE_SPOOL_RECORD_JSON_H_

#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/call/event.h"
#include "src/store/records.h"

// Writes as they lie in the spool: one JSON object each, on one line that ends with a line break. Every member comes
// back as it was, but for what no store keeps either: CleanText() and what is finer than a microsecond.
namespace callbridge::store {

// CallStore::CreateCall() without a request's key.
struct CallCreation {
  CallRecord call;
  std::vector<call::Event> events;
};

using SpooledWrite = std::variant<CallWrite, CallCreation>;

std::string EncodeWrite(const CallWrite& write);
std::string EncodeCreation(const CallRecord& call, const std::vector<call::Event>& events);

// Keys that are not known are ignored, those that are missing keep their default. kInvalidArgument: not JSON, of an
// unknown kind, or a member of the wrong kind; the message names the member and never quotes its value.
absl::StatusOr<SpooledWrite> DecodeWrite(absl::string_view line);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SPOOL_RECORD_JSON_H_
