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

// kInvalidArgument: no call id, attempts below 0, or a due time that cannot be stored.
absl::Status CheckSummaryJob(const SummaryJob& job);

// How a transfer that a previous process left under way is closed: kCompleted where a human talked; else kFailed with
// the outcome kUnknown, and so is its last attempt.
call::Transfer ClosedTransfer(call::Transfer transfer, absl::Time now);

// The writes, in order, with which a call that a previous process left open is ended: one per transfer under way, and
// the end. `now` is moved behind the call's own times if it lies before them.
std::vector<CallWrite> CloseWrites(const CallRecord& call, const std::vector<call::TranscriptItem>& items,
                                   const std::vector<call::Transfer>& transfers, const call::Termination& termination,
                                   absl::Time now, bool summaries_due);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_WRITE_CHECK_H_
