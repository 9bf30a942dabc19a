#ifndef CALLBRIDGE_SRC_STORE_WRITE_CHECK_H_
#define CALLBRIDGE_SRC_STORE_WRITE_CHECK_H_

#include <vector>

#include "absl/status/status.h"
#include "src/call/event.h"
#include "src/store/records.h"

// What every store checks before it writes, so that all refuse the same things in the same words.
namespace callbridge::store {

// kInvalidArgument: no call id, a create time that cannot be stored, or events that CheckEvents() refuses or that do
// not begin at 1.
absl::Status CheckCreate(const CallRecord& call, const std::vector<call::Event>& events);

// kInvalidArgument: no call id, events that CheckEvents() refuses, an end time that cannot be stored, an item or a
// transfer without id.
absl::Status CheckWrite(const CallWrite& write);

// The number that a call is with: `to` of outbound calls, `from` of inbound ones. Empty: it is not E.164, so there is
// no lead.
std::string LeadPhone(const CallRecord& call);

// The write with which a call that a previous process left open is ended. `now` is moved behind the call's own times if
// it lies before them.
CallWrite CloseWrite(const CallRecord& call, const std::vector<call::TranscriptItem>& items,
                     const call::Termination& termination, absl::Time now);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_WRITE_CHECK_H_
