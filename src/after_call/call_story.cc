#include "src/after_call/call_story.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace callbridge::after_call {
namespace {

constexpr int kEventsPerRead = 500;

std::string Utc(absl::Time time) { return absl::FormatTime("%A %Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }

// In the words of a person: the model reads them.
std::string Transferred(const call::Transfer& transfer) {
  return absl::StrCat("to ", transfer.destination.empty() ? "a number" : transfer.destination, ", ",
                      Name(transfer.outcome),
                      transfer.reason.empty() ? "" : absl::StrCat("; reason: ", transfer.reason));
}

// Unheard lines of the assistant are none: the caller knows nothing of them.
bool IsSpoken(const call::TranscriptItem& item) {
  return !item.text_heard.empty() || (item.role == call::Role::kCaller && item.status == call::ItemStatus::kFailed);
}

absl::StatusOr<bool> MetMachine(store::CallStore& store, const std::string& call_id) {
  int64_t after = 0;
  for (;;) {
    const auto events = store.ReadCallEvents(call_id, after, kEventsPerRead);
    if (!events.ok()) return events.status();
    for (const events::StoredEvent& stored : *events) {
      if (std::holds_alternative<call::MachineAnswered>(stored.event.body)) return true;
      after = stored.event.sequence;
    }
    if (static_cast<int>(events->size()) < kEventsPerRead) return false;
  }
}

}  // namespace

absl::StatusOr<CallStory> ReadStory(store::CallStore& store, const std::string& call_id) {
  CallStory story;
  auto call = store.GetCall(call_id);
  if (!call.ok()) return call.status();
  auto items = store.GetTranscript(call_id);
  if (!items.ok()) return items.status();
  auto transfers = store.ListTransfers(call_id);
  if (!transfers.ok()) return transfers.status();
  const auto machine = MetMachine(store, call_id);
  if (!machine.ok()) return machine.status();
  story.call = *std::move(call);
  story.items = *std::move(items);
  story.transfers = *std::move(transfers);
  story.machine = *machine;
  return story;
}

bool HasWords(const CallStory& story) {
  return std::any_of(story.items.begin(), story.items.end(),
                     [](const call::TranscriptItem& item) { return !item.text_heard.empty(); });
}

openai::TextSummaryRequest RequestFor(const CallStory& story, const session::AfterCall& wishes) {
  openai::TextSummaryRequest request;
  request.model = wishes.model;
  request.instructions = wishes.instructions;
  request.dispositions = wishes.dispositions.empty() ? openai::DefaultDispositions() : wishes.dispositions;
  request.fields_schema_json = wishes.fields_schema_json;
  const store::CallRecord& call = story.call;
  const bool answered = call.answer_time != absl::InfinitePast();
  request.facts = {{"direction", std::string(Name(call.direction))},
                   {"time", Utc(answered ? call.answer_time : call.create_time)},
                   {"duration", absl::StrCat(call.duration_seconds, " s")}};
  if (story.machine) request.facts.emplace_back("answered by", "a machine");
  for (const call::Transfer& transfer : story.transfers) request.facts.emplace_back("transfer", Transferred(transfer));
  if (call.termination) {
    request.facts.emplace_back("ended by",
                               absl::StrCat(Name(call.termination->initiator), ", ", Name(call.termination->reason)));
  }
  for (const call::TranscriptItem& item : story.items) {
    if (!IsSpoken(item)) continue;
    request.conversation.push_back(
        {std::string(Name(item.role)), item.text_heard, item.status == call::ItemStatus::kCut});
  }
  return request;
}

}  // namespace callbridge::after_call
