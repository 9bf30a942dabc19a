#include "src/store/write_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/base/phone.h"
#include "src/call/transcript.h"
#include "src/store/text.h"

namespace callbridge::store {
namespace {

absl::Status Refuse(absl::string_view field, absl::string_view message) {
  return base::FieldError(field, "INVALID_WRITE", message);
}

// kInvalidArgument: an event of another call, sequences that do not go up one by one from 1 or more, or a time that
// cannot be stored.
absl::Status CheckEvents(const std::string& call_id, const std::vector<call::Event>& events) {
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i].call_id != call_id) return Refuse("events.call_id", "must be the call's");
    if (events[i].sequence != events[0].sequence + static_cast<int64_t>(i) || events[i].sequence < 1) {
      return Refuse("events.sequence", "must go up one by one, from 1 or more");
    }
    if (!IsStorableTime(events[i].time)) return Refuse("events.time", "must be within the years 1 to 9999");
  }
  return absl::OkStatus();
}

bool UnderWay(const call::Transfer& transfer) {
  return transfer.state != call::TransferState::kCompleted && transfer.state != call::TransferState::kFailed;
}

}  // namespace

absl::Status CheckCreate(const CallRecord& call, const std::vector<call::Event>& events) {
  if (call.call_id.empty()) return Refuse("call_id", "must not be empty");
  if (!IsStorableTime(call.create_time)) return Refuse("create_time", "must be within the years 1 to 9999");
  if (!events.empty() && events[0].sequence != 1) return Refuse("events.sequence", "must begin at 1");
  return CheckEvents(call.call_id, events);
}

absl::Status CheckWrite(const CallWrite& write) {
  if (write.call_id.empty()) return Refuse("call_id", "must not be empty");
  for (const call::TranscriptItem& item : write.transcript_items) {
    if (item.item_id.empty()) return Refuse("transcript_items.item_id", "must not be empty");
  }
  if (write.transfer && write.transfer->transfer_id.empty()) return Refuse("transfer.transfer_id", "must not be empty");
  if (write.end && !IsStorableTime(write.end->end_time))
    return Refuse("end.end_time", "must be within the years 1 to 9999");
  return CheckEvents(write.call_id, write.events);
}

std::string LeadPhone(const CallRecord& call) {
  const std::string& number = call.direction == call::Direction::kOutbound ? call.to : call.from;
  return base::IsE164(number) ? number : "";
}

absl::Status CheckSummaryJob(const SummaryJob& job) {
  if (job.call_id.empty()) return Refuse("call_id", "must not be empty");
  if (job.attempts < 0) return Refuse("attempts", "must be 0 or more");
  if (!IsStorableTime(job.due)) return Refuse("due", "must be within the years 1 to 9999");
  return absl::OkStatus();
}

call::Transfer ClosedTransfer(call::Transfer transfer, absl::Time now) {
  const bool talked = transfer.state == call::TransferState::kConnected;
  transfer.state = talked ? call::TransferState::kCompleted : call::TransferState::kFailed;
  if (!talked) transfer.outcome = call::TransferOutcome::kUnknown;
  transfer.end_time = now;
  if (!transfer.attempts.empty() && !IsStorableTime(transfer.attempts.back().end_time)) {
    call::TransferAttempt& last = transfer.attempts.back();
    if (last.outcome == call::TransferOutcome::kPending) last.outcome = call::TransferOutcome::kUnknown;
    last.end_time = now;
  }
  return transfer;
}

std::vector<CallWrite> CloseWrites(const CallRecord& call, const std::vector<call::TranscriptItem>& items,
                                   const std::vector<call::Transfer>& transfers, const call::Termination& termination,
                                   absl::Time now, bool summaries_due) {
  const bool answered = IsStorableTime(call.answer_time);
  const absl::Time end_time = std::max({now, call.create_time, answered ? call.answer_time : now});
  int64_t sequence = call.event_head;
  std::vector<CallWrite> writes;
  for (const call::Transfer& transfer : transfers) {
    if (!UnderWay(transfer)) continue;
    CallWrite& write = writes.emplace_back();
    write.call_id = call.call_id;
    write.transfer = ClosedTransfer(transfer, end_time);
    write.events = {{call.call_id, ++sequence, end_time, call::TransferChanged{*write.transfer}}};
    if (write.transfer->state != call::TransferState::kFailed) continue;
    write.transferred = false;
    write.transfer_reason = transfer.reason;
  }
  CallWrite& write = writes.emplace_back();
  write.call_id = call.call_id;
  write.end.emplace();
  write.end->termination = termination;
  write.end->end_time = end_time;
  write.end->duration_seconds = answered ? absl::ToInt64Seconds(end_time - call.answer_time) : 0;
  write.end->transcript = call::FormatTranscript(items);
  write.summary_due = summaries_due && !write.end->transcript.empty();
  const call::State last = termination.failed ? call::State::kFailed : call::State::kCompleted;
  write.events = {{call.call_id, sequence + 1, end_time, call::StateChanged{call.state, last}},
                  {call.call_id, sequence + 2, end_time, call::CallEnded{termination, write.end->duration_seconds}}};
  return writes;
}

}  // namespace callbridge::store
