#ifndef CALLBRIDGE_SRC_CONTROL_EVENT_START_H_
#define CALLBRIDGE_SRC_CONTROL_EVENT_START_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/control/cursor.h"
#include "src/control/requests.h"
#include "src/store/call_store.h"

namespace callbridge::control {

// Where a reader of events begins.
struct EventStart {
  Cursor at;                               // What comes behind it is read.
  int64_t skip_to_position = 0;            // Events up to here were seen in a stream of all calls.
  absl::optional<store::CallRecord> call;  // Of a query of one call.
};

// `head` is the log's latest position, for those who begin now. Blocks on the store. kInvalidArgument: the place lies
// beyond the latest event; kOutOfRange CURSOR_LOST, or the store's EVENTS_PURGED; else the store's.
absl::StatusOr<EventStart> FindEventStart(store::CallStore& store, const EventQuery& query, int64_t head);

// As FromStore(), and EVENTS_PURGED as CURSOR_EXPIRED. `call_id` is empty for all calls.
absl::Status FromEventStore(const absl::Status& status, const std::string& call_id);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_EVENT_START_H_
