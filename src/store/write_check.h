#ifndef CALLBRIDGE_SRC_STORE_WRITE_CHECK_H_
#define CALLBRIDGE_SRC_STORE_WRITE_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "src/call/event.h"
#include "src/store/records.h"

// What every store checks before it writes, so that all refuse the same things in the same words.
namespace callbridge::store {

// kInvalidArgument: no call id, a create time that cannot be stored, or events that CheckEvents() refuses or that do
// not begin at 1, or an owner whose epoch does not fit.
absl::Status CheckCreate(const CallRecord& call, const std::vector<call::Event>& events);

// kInvalidArgument: no call id, events that CheckEvents() refuses, an end time that cannot be stored, an item or a
// transfer without id, an owner whose epoch does not fit.
absl::Status CheckWrite(const CallWrite& write);

// The number that a call is with: `to` of outbound calls, `from` of inbound ones. Empty: it is not E.164, so there is
// no lead.
std::string LeadPhone(const CallRecord& call);

// kInvalidArgument: no call id, attempts below 0, or a due time that cannot be stored.
absl::Status CheckSummaryJob(const SummaryJob& job);

// kInvalidArgument: no lead id, a phone that is not E.164, a create time that cannot be stored.
absl::Status CheckLead(const LeadRecord& lead);
absl::Status CheckLeadUpdate(const LeadUpdate& update, absl::Time now);

// Puts what `update` wants into `lead`, texts cleaned. Whether that changed anything; if so, update_time is moved to
// `now` or stays later.
bool ApplyUpdate(const LeadUpdate& update, absl::Time now, LeadRecord* lead);

// What CreateLead() was asked for, as a hash: equal for a repeat of the same request, whatever became of the lead.
std::string LeadFingerprint(const LeadRecord& lead);

// kInvalidArgument: no call id, or a time that cannot be stored.
absl::Status CheckTranscriptRead(const TranscriptRead& read);

// kInvalidArgument: `number` is not E.164, nobody is named in `by`, or the time cannot be stored.
absl::Status CheckErasure(absl::string_view number, absl::string_view by, absl::Time now);

// Four hexadecimal digits of a hash: enough to show that a known number was erased, and shared by about one number in
// 65,536, so that a list of them is no phone book.
std::string NumberHash(absl::string_view number);

// What of a write an erased call still takes: nothing that a person said, was called or was written about. Its events
// are to be stored as tombstones.
CallWrite WithoutPerson(CallWrite write);

// What is left to be written of a write that came too late, because its owner has lost the call: what somebody said
// (items, and the whole text as it was at the end), without an owner. Never events, states or effects on leads: those
// are the story that the new owner has told already.
CallWrite OnlyWords(const CallWrite& write);

// `known` with what `told` says added. Whether that changed anything but the time is whether `changed` is true.
Settlement Settled(const Settlement& known, const Settlement& told, bool* changed);

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
