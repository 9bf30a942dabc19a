#include "src/store/number_export.h"

#include <utility>
#include <vector>

#include "nlohmann/json.hpp"
#include "src/store/event_json.h"
#include "src/store/text.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

using json = nlohmann::ordered_json;

constexpr int kCallsPerPage = 100;
constexpr int kEventsPerPage = 500;
constexpr int kMostReads = 1'000'000;

json Time(absl::Time time) { return IsStorableTime(time) ? json(FormatTimestamp(time)) : json(nullptr); }

json Parsed(const std::string& text) { return text.empty() ? json(nullptr) : json::parse(text, nullptr, false); }

template <typename T>
json OrNull(const absl::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json OfLead(const LeadRecord& lead) {
  return {{"id", lead.lead_id},
          {"phone", lead.phone},
          {"name", lead.name},
          {"call_status", lead.call_status},
          {"transferred_to_human", lead.transferred_to_human},
          {"last_call_id", lead.last_call_id},
          {"disposition", lead.result.disposition},
          {"interest", lead.result.interest},
          {"follow_up_time", lead.result.follow_up_time},
          {"metadata", lead.metadata},
          {"suppressed", lead.suppressed},
          {"suppressed_reason", lead.suppressed_reason},
          {"suppressed_at", Time(lead.suppressed_time)},
          {"created_at", Time(lead.create_time)},
          {"updated_at", Time(lead.update_time)}};
}

json OfItem(const call::TranscriptItem& item) {
  return {{"role", Name(item.role)},       {"status", Name(item.status)},
          {"text_heard", item.text_heard}, {"text_generated", item.text_generated},
          {"heard_ms", item.heard_ms},     {"started_at", Time(item.start_time)}};
}

json OfTransfer(const call::Transfer& transfer) {
  return {{"transfer_id", transfer.transfer_id},
          {"destination", transfer.destination},
          {"number", transfer.number},
          {"reason", transfer.reason},
          {"outcome", Name(transfer.outcome)},
          {"detail", transfer.detail},
          {"requested_at", Time(transfer.request_time)},
          {"connected_at", Time(transfer.connect_time)},
          {"ended_at", Time(transfer.end_time)},
          {"attempts", Parsed(EncodeAttempts(transfer.attempts))}};
}

json OfEvent(const events::StoredEvent& stored) {
  return {{"sequence", stored.event.sequence},
          {"occurred_at", Time(stored.event.time)},
          {"type", call::TypeName(stored.event.body)},
          {"payload", stored.erased ? json(nullptr) : Parsed(EncodeEventBody(stored.event.body))}};
}

json OfCall(const CallRecord& call) {
  const Settlement& settled = call.settlement;
  json out = {{"id", call.call_id},
              {"direction", Name(call.direction)},
              {"from_number", call.from},
              {"to_number", call.to},
              {"agent", call.agent},
              {"state", Name(call.state)},
              {"created_at", Time(call.create_time)},
              {"answered_at", Time(call.answer_time)},
              {"ended_at", Time(call.end_time)},
              {"duration", call.duration_seconds},
              {"transferred", call.transferred},
              {"transfer_reason", call.transfer_reason},
              {"transcript", call.transcript},
              {"summary", call.summary},
              {"disposition", call.result.disposition},
              {"interest", call.result.interest},
              {"follow_up_time", call.result.follow_up_time},
              {"result_fields", Parsed(call.result.fields_json)},
              {"metadata", call.metadata},
              {"labels", call.labels},
              {"carrier_call_id", call.carrier_call_id},
              {"carrier_duration", OrNull(settled.duration_seconds)},
              {"billed_duration", OrNull(settled.billed_seconds)},
              {"cost", settled.cost},
              {"cost_currency", settled.currency},
              {"hangup_cause", settled.cause}};
  if (call.termination) {
    out["end_reason"] = Name(call.termination->reason);
    out["end_evidence"] = call.termination->evidence;
  }
  return out;
}

absl::Status AddEvents(CallStore& store, const CallRecord& call, json& out) {
  json& list = out["events"] = json::array();
  for (int64_t after = call.event_floor;;) {
    const auto events = store.ReadCallEvents(call.call_id, after, kEventsPerPage);
    if (!events.ok()) return events.status();
    if (events->empty()) return absl::OkStatus();
    for (const events::StoredEvent& event : *events) list.push_back(OfEvent(event));
    after = events->back().event.sequence;
  }
}

absl::StatusOr<json> WholeCall(CallStore& store, const CallRecord& call) {
  json out = OfCall(call);
  const auto items = store.GetTranscript(call.call_id);
  if (!items.ok()) return items.status();
  const auto transfers = store.ListTransfers(call.call_id);
  if (!transfers.ok()) return transfers.status();
  const auto reads = store.ListTranscriptReads(call.call_id, kMostReads);
  if (!reads.ok()) return reads.status();
  out["transcript_items"] = json::array();
  for (const call::TranscriptItem& item : *items) out["transcript_items"].push_back(OfItem(item));
  out["transfers"] = json::array();
  for (const call::Transfer& transfer : *transfers) out["transfers"].push_back(OfTransfer(transfer));
  out["transcript_reads"] = json::array();
  for (const TranscriptRead& read : *reads) {
    out["transcript_reads"].push_back({{"principal", read.principal}, {"read_at", Time(read.time)}});
  }
  const absl::Status status = AddEvents(store, call, out);
  if (!status.ok()) return status;
  return out;
}

}  // namespace

absl::StatusOr<std::string> ExportNumber(CallStore& store, absl::string_view number, absl::Time now) {
  if (absl::Status status = CheckErasure(number, "export", now); !status.ok()) return status;
  json document = {{"number", std::string(number)}, {"exported_at", Time(now)}, {"lead", nullptr}};
  const auto lead = store.FindLead(number);
  if (!lead.ok() && !absl::IsNotFound(lead.status())) return lead.status();
  if (lead.ok()) document["lead"] = OfLead(*lead);
  document["calls"] = json::array();
  CallFilter filter;
  filter.number = std::string(number);
  absl::optional<CallPageKey> after;
  for (;;) {
    const auto calls = store.ListCalls(filter, after, kCallsPerPage);
    if (!calls.ok()) return calls.status();
    for (const CallRecord& call : *calls) {
      if (LeadPhone(call) != number) continue;  // One of our own numbers is on every call of ours.
      absl::StatusOr<json> whole = WholeCall(store, call);
      if (!whole.ok()) return whole.status();
      document["calls"].push_back(*std::move(whole));
    }
    if (calls->size() < kCallsPerPage) break;
    after = CallPageKey{calls->back().create_time, calls->back().call_id};
  }
  return document.dump(2) + "\n";
}

}  // namespace callbridge::store
