#include "src/store/write_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/base/phone.h"
#include "src/base/sha256.h"
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

absl::Status CheckOwner(const Owner& owner) {
  if (owner.node_id.empty() ? owner.epoch == 0 : owner.epoch >= 1) return absl::OkStatus();
  return Refuse("owner.epoch", "must be 1 or more with a node, and 0 without");
}

bool UnderWay(const call::Transfer& transfer) {
  return transfer.state != call::TransferState::kCompleted && transfer.state != call::TransferState::kFailed;
}

}  // namespace

absl::Status CheckCreate(const CallRecord& call, const std::vector<call::Event>& events) {
  if (call.call_id.empty()) return Refuse("call_id", "must not be empty");
  if (!IsStorableTime(call.create_time)) return Refuse("create_time", "must be within the years 1 to 9999");
  if (!events.empty() && events[0].sequence != 1) return Refuse("events.sequence", "must begin at 1");
  if (absl::Status status = CheckOwner(call.owner); !status.ok()) return status;
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
  if (write.settlement && !IsStorableTime(write.settlement->time))
    return Refuse("settlement.time", "must be within the years 1 to 9999");
  if (write.owner) {
    if (absl::Status status = CheckOwner(*write.owner); !status.ok()) return status;
  }
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

absl::Status CheckLead(const LeadRecord& lead) {
  if (lead.lead_id.empty()) return Refuse("lead_id", "must not be empty");
  if (!base::IsE164(lead.phone)) {
    return base::FieldError("phone", "INVALID_E164", "not a phone number in E.164 form, such as +14155550123");
  }
  if (!IsStorableTime(lead.create_time)) return Refuse("create_time", "must be within the years 1 to 9999");
  return absl::OkStatus();
}

absl::Status CheckLeadUpdate(const LeadUpdate& update, absl::Time now) {
  if (update.lead_id.empty()) return Refuse("lead_id", "must not be empty");
  if (!IsStorableTime(now)) return Refuse("now", "must be within the years 1 to 9999");
  return absl::OkStatus();
}

bool ApplyUpdate(const LeadUpdate& update, absl::Time now, LeadRecord* lead) {
  const LeadRecord before = *lead;
  if (update.name) lead->name = CleanText(*update.name);
  if (update.metadata) {
    lead->metadata.clear();
    for (const auto& [key, value] : *update.metadata) lead->metadata[CleanText(key)] = CleanText(value);
  }
  if (update.suppressed) {
    lead->suppressed = *update.suppressed;
    lead->suppressed_reason = lead->suppressed ? CleanText(update.suppressed_reason) : "";
    if (!lead->suppressed) {
      lead->suppressed_time = absl::InfinitePast();
    } else if (!before.suppressed) {
      lead->suppressed_time = now;
    }
  }
  if (lead->name == before.name && lead->metadata == before.metadata && lead->suppressed == before.suppressed &&
      lead->suppressed_reason == before.suppressed_reason) {
    return false;
  }
  lead->update_time = std::max(lead->update_time, now);
  return true;
}

std::string LeadFingerprint(const LeadRecord& lead) {
  // Each text behind its length, so that no two contents look the same.
  std::string content;
  const auto add = [&content](absl::string_view text) { absl::StrAppend(&content, text.size(), ":", text); };
  add(lead.phone);
  add(CleanText(lead.name));
  add(lead.suppressed ? "suppressed" : "");
  add(lead.suppressed ? CleanText(lead.suppressed_reason) : "");
  for (const auto& [key, value] : lead.metadata) {
    add(CleanText(key));
    add(CleanText(value));
  }
  return base::Sha256Hex(content);
}

absl::Status CheckTranscriptRead(const TranscriptRead& read) {
  if (read.call_id.empty()) return Refuse("call_id", "must not be empty");
  if (!IsStorableTime(read.time)) return Refuse("time", "must be within the years 1 to 9999");
  return absl::OkStatus();
}

absl::Status CheckErasure(absl::string_view number, absl::string_view by, absl::Time now) {
  if (!base::IsE164(number)) {
    return base::FieldError("number", "INVALID_E164", "not a phone number in E.164 form, such as +14155550123");
  }
  if (by.empty()) return Refuse("by", "must say who erases");
  if (!IsStorableTime(now)) return Refuse("now", "must be within the years 1 to 9999");
  return absl::OkStatus();
}

std::string NumberHash(absl::string_view number) { return base::Sha256Hex(number).substr(0, 4); }

CallWrite WithoutPerson(CallWrite write) {
  write.transcript_items.clear();
  write.transfer.reset();
  write.transfer_reason.clear();
  write.transcript.reset();
  write.summary.reset();
  write.result.reset();
  write.summary_due = false;
  if (write.end) {
    write.end->transcript.clear();
    write.end->termination.evidence.clear();
  }
  return write;
}

CallWrite OnlyWords(const CallWrite& write) {
  CallWrite words;
  words.call_id = write.call_id;
  words.transcript_items = write.transcript_items;
  words.transcript = write.transcript;
  if (!words.transcript && write.end) words.transcript = write.end->transcript;
  return words;
}

Settlement Settled(const Settlement& known, const Settlement& told, bool* changed) {
  Settlement settled = known;
  *changed = false;
  const auto take = [changed](const auto& from, bool is_told, auto* into) {
    if (!is_told || *into == from) return;
    *into = from;
    *changed = true;
  };
  take(told.duration_seconds, told.duration_seconds.has_value(), &settled.duration_seconds);
  take(told.billed_seconds, told.billed_seconds.has_value(), &settled.billed_seconds);
  take(CleanText(told.cost), !told.cost.empty(), &settled.cost);
  take(CleanText(told.currency), !told.currency.empty(), &settled.currency);
  take(told.cause_code, told.cause_code.has_value(), &settled.cause_code);
  take(CleanText(told.cause), !told.cause.empty(), &settled.cause);
  take(CleanText(told.source), !told.source.empty(), &settled.source);
  // The first word of the carrier settles a call even if it says nothing else.
  if (*changed || !IsStorableTime(known.time)) {
    settled.time = told.time;
    *changed = true;
  }
  return settled;
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
