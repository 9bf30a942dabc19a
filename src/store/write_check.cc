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

CallWrite CloseWrite(const CallRecord& call, const std::vector<call::TranscriptItem>& items,
                     const call::Termination& termination, absl::Time now) {
  const bool answered = IsStorableTime(call.answer_time);
  const absl::Time end_time = std::max({now, call.create_time, answered ? call.answer_time : now});
  CallWrite write;
  write.call_id = call.call_id;
  write.end.emplace();
  write.end->termination = termination;
  write.end->end_time = end_time;
  write.end->duration_seconds = answered ? absl::ToInt64Seconds(end_time - call.answer_time) : 0;
  write.end->transcript = call::FormatTranscript(items);
  const call::State last = termination.failed ? call::State::kFailed : call::State::kCompleted;
  write.events = {
      {call.call_id, call.event_head + 1, end_time, call::StateChanged{call.state, last}},
      {call.call_id, call.event_head + 2, end_time, call::CallEnded{termination, write.end->duration_seconds}}};
  return write;
}

}  // namespace callbridge::store
