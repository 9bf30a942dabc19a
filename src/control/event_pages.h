#ifndef CALLBRIDGE_SRC_CONTROL_EVENT_PAGES_H_
#define CALLBRIDGE_SRC_CONTROL_EVENT_PAGES_H_

#include "absl/status/statusor.h"
#include "callbridge/v1/call_service.pb.h"
#include "src/control/requests.h"
#include "src/store/call_store.h"

namespace callbridge::control {

// A page of ListCallEvents. Blocks as the store does. Looks at a bounded number of events, so that a page of a rare
// type may be short, or empty, and have a next one.
absl::StatusOr<v1::ListCallEventsResponse> ReadEventsPage(store::CallStore& store, const EventListRequest& request);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_EVENT_PAGES_H_
