#include "src/store/sqlite/call_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "src/store/metadata_json.h"
#include "src/store/text.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

constexpr char kCallColumns[] =
    "id, direction, from_number, to_number, agent, lead_id, carrier_call_id, carrier_request_id, model_session_id, "
    "state, "
    "created_at, answered_at, ended_at, duration, transferred, transfer_reason, transcript, summary, metadata, "
    "labels, event_head, disposition, interest, follow_up_time, result_fields, answered_by, carrier_duration, "
    "billed_duration, "
    "cost, cost_currency, hangup_code, hangup_cause, hangup_source, settled_at, event_floor, erased_at, "
    "owner_node, owner_epoch, "
    "end_reason, end_initiator, end_layer, end_evidence, end_retryable";

constexpr char kMachine[] = "machine";  // In call_logs.answered_by; the other word is 'unknown'.

Settlement ReadSettlement(Query& row) {
  Settlement settlement;
  settlement.duration_seconds = row.GetIntOrNull();
  settlement.billed_seconds = row.GetIntOrNull();
  settlement.cost = row.GetText();
  settlement.currency = row.GetText();
  if (const auto code = row.GetIntOrNull()) settlement.cause_code = static_cast<int>(*code);
  settlement.cause = row.GetText();
  settlement.source = row.GetText();
  settlement.time = row.GetTime();
  return settlement;
}

// Reads kCallColumns from the current row.
CallRecord ReadCall(Query& row) {
  CallRecord call;
  call.call_id = row.GetText();
  call.direction = row.GetEnum<call::Direction>();
  call.from = row.GetText();
  call.to = row.GetText();
  call.agent = row.GetText();
  call.lead_id = row.GetText();
  call.carrier_call_id = row.GetText();
  call.carrier_request_id = row.GetText();
  call.model_session_id = row.GetText();
  call.state = row.GetEnum<call::State>();
  call.create_time = row.GetTime();
  call.answer_time = row.GetTime();
  call.end_time = row.GetTime();
  call.duration_seconds = row.GetInt();
  call.transferred = row.GetBool();
  call.transfer_reason = row.GetText();
  call.transcript = row.GetText();
  call.summary = row.GetText();
  if (!DecodeMetadata(row.GetText(), &call.metadata)) row.Damaged();
  if (!DecodeMetadata(row.GetText(), &call.labels)) row.Damaged();
  call.event_head = row.GetInt();
  call.result.disposition = row.GetText();
  call.result.interest = row.GetText();
  call.result.follow_up_time = row.GetText();
  call.result.fields_json = row.GetText();
  call.answered_by_machine = row.GetText() == kMachine;
  call.settlement = ReadSettlement(row);
  call.event_floor = row.GetInt();
  call.erase_time = row.GetTime();
  call.owner.node_id = row.GetText();
  call.owner.epoch = row.GetInt();
  if (row.NextIsNull()) return call;
  call::Termination termination;
  termination.reason = row.GetEnum<call::EndReason>();
  termination.initiator = row.GetEnum<call::Party>();
  termination.layer = row.GetEnum<call::Layer>();
  termination.evidence = row.GetText();
  termination.retryable = row.GetBool();
  termination.failed = call.state == call::State::kFailed;
  call.termination = termination;
  return call;
}

absl::StatusOr<std::vector<CallRecord>> ReadCalls(Query query) {
  std::vector<CallRecord> calls;
  while (query.Step()) calls.push_back(ReadCall(query));
  if (!query.status().ok()) return query.status();
  return calls;
}

Query& TimeOrKeep(Query& query, const absl::optional<absl::Time>& value) {
  return value ? query.TimeOrNull(*value) : query.Null();
}
Query& TextOrKeep(Query& query, const absl::optional<std::string>& value) {
  return value ? query.Text(*value) : query.Null();
}

// Everything but the end and the transfer: NULL keeps what is there. A final state is not left again.
absl::Status UpdateFields(Database& database, const CallWrite& write, int64_t event_head) {
  Query query = database.Prepare(
      "UPDATE call_logs SET event_head = ?, "
      "state = CASE WHEN state IN ('completed', 'failed') THEN state ELSE coalesce(?, state) END, "
      "answered_at = coalesce(?, answered_at), carrier_call_id = coalesce(?, carrier_call_id), "
      "carrier_request_id = coalesce(?, carrier_request_id), model_session_id = coalesce(?, model_session_id), "
      "transcript = coalesce(?, transcript), summary = coalesce(?, summary), "
      "transfer_outcome = coalesce(?, transfer_outcome), answered_by = coalesce(?, answered_by) WHERE id = ?");
  query.Int(event_head);
  write.state ? query.Text(Name(*write.state)) : query.Null();
  TimeOrKeep(query, write.answer_time);
  TextOrKeep(query, write.carrier_call_id);
  TextOrKeep(query, write.carrier_request_id);
  TextOrKeep(query, write.model_session_id);
  TextOrKeep(query, write.transcript);
  TextOrKeep(query, write.summary);
  write.transfer ? query.Text(Name(write.transfer->outcome)) : query.Null();
  write.answered_by_machine ? query.Text(kMachine) : query.Null();
  return query.Text(write.call_id).Run();
}

absl::Status UpdateTransferred(Database& database, const CallRecord& call, const CallWrite& write, absl::Time now) {
  absl::Status status = database.Prepare("UPDATE call_logs SET transferred = ?, transfer_reason = ? WHERE id = ?")
                            .Bool(*write.transferred)
                            .Text(write.transfer_reason)
                            .Text(call.call_id)
                            .Run();
  if (!status.ok() || call.lead_id.empty()) return status;
  if (*write.transferred) {
    return database
        .Prepare(
            "UPDATE leads SET call_status = 'transferred', status_call_id = ?, transferred_to_human = 1, "
            "updated_at = max(updated_at, ?) WHERE id = ?")
        .Text(call.call_id)
        .Time(now)
        .Text(call.lead_id)
        .Run();
  }
  // Taking back says nothing of the lead's other calls: a human may have had one of them.
  return database
      .Prepare(
          "UPDATE leads SET transferred_to_human = EXISTS (SELECT 1 FROM call_logs WHERE lead_id = leads.id AND "
          "transferred = 1), "
          "call_status = CASE WHEN last_call_id = ?1 THEN 'called' ELSE call_status END, "
          "status_call_id = CASE WHEN last_call_id = ?1 THEN ?1 ELSE status_call_id END, "
          "updated_at = max(updated_at, ?2) WHERE id = ?3")
      .Text(call.call_id)
      .Time(now)
      .Text(call.lead_id)
      .Run();
}

absl::Status UpdateResult(Database& database, const CallRecord& call, const call::CallResult& result, absl::Time now) {
  absl::Status status = database
                            .Prepare(
                                "UPDATE call_logs SET disposition = ?, interest = ?, follow_up_time = ?, "
                                "result_fields = ? WHERE id = ?")
                            .Text(result.disposition)
                            .Text(result.interest)
                            .Text(result.follow_up_time)
                            .Text(result.fields_json)
                            .Text(call.call_id)
                            .Run();
  if (!status.ok() || call.lead_id.empty()) return status;
  // Summaries are made in any order: an older call's, made late, says less of a person than a newer one's.
  return database
      .Prepare(
          "UPDATE leads SET disposition = ?, interest = ?, follow_up_time = ?, result_call_id = ?, "
          "updated_at = max(updated_at, ?) WHERE id = ? AND NOT EXISTS (SELECT 1 FROM call_logs AS newer "
          "WHERE newer.id = leads.result_call_id AND newer.created_at > ?)")
      .Text(result.disposition)
      .Text(result.interest)
      .Text(result.follow_up_time)
      .Text(call.call_id)
      .Time(now)
      .Text(call.lead_id)
      .Time(call.create_time)
      .Run();
}

absl::Status UpdateSettlement(Database& database, const CallRecord& call, const Settlement& told) {
  bool changed = false;
  const Settlement settled = Settled(call.settlement, told, &changed);
  if (!changed) return absl::OkStatus();
  Query query = database.Prepare(
      "UPDATE call_logs SET carrier_duration = ?, billed_duration = ?, cost = ?, cost_currency = ?, hangup_code = ?, "
      "hangup_cause = ?, hangup_source = ?, settled_at = ? WHERE id = ?");
  settled.duration_seconds ? query.Int(*settled.duration_seconds) : query.Null();
  settled.billed_seconds ? query.Int(*settled.billed_seconds) : query.Null();
  query.Text(settled.cost).Text(settled.currency);
  settled.cause_code ? query.Int(*settled.cause_code) : query.Null();
  return query.Text(settled.cause).Text(settled.source).Time(settled.time).Text(call.call_id).Run();
}

absl::Status UpdateEnd(Database& database, const CallRecord& call, const CallWrite::End& end) {
  const call::Termination& termination = end.termination;
  absl::Status status = database
                            .Prepare(
                                "UPDATE call_logs SET state = ?, ended_at = ?, duration = ?, transcript = ?, "
                                "end_reason = ?, end_initiator = ?, "
                                "end_layer = ?, end_evidence = ?, end_retryable = ? WHERE id = ?")
                            .Text(Name(termination.failed ? call::State::kFailed : call::State::kCompleted))
                            .Time(end.end_time)
                            .Int(end.duration_seconds)
                            .Text(end.transcript)
                            .Text(Name(termination.reason))
                            .Text(Name(termination.initiator))
                            .Text(Name(termination.layer))
                            .Text(termination.evidence)
                            .Bool(termination.retryable)
                            .Text(call.call_id)
                            .Run();
  if (!status.ok() || call.lead_id.empty()) return status;
  // An older call that ends late does not take 'transferred' from a newer one.
  return database
      .Prepare(
          "UPDATE leads SET call_status = 'called', status_call_id = ?3, updated_at = max(updated_at, ?1) "
          "WHERE id = ?2 AND (last_call_id = ?3 OR call_status <> 'transferred') "
          "AND EXISTS (SELECT 1 FROM call_logs WHERE id = ?3 AND transferred = 0)")
      .Time(end.end_time)
      .Text(call.lead_id)
      .Text(call.call_id)
      .Run();
}

}  // namespace

absl::Status InsertCall(Database& database, const CallRecord& call) {
  return database
      .Prepare(
          "INSERT INTO call_logs (id, direction, from_number, to_number, agent, lead_id, carrier_call_id, "
          "carrier_request_id, "
          "model_session_id, state, created_at, answered_at, metadata, labels, event_head, owner_node, owner_epoch) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Text(call.call_id)
      .Text(Name(call.direction))
      .Text(call.from)
      .Text(call.to)
      .Text(call.agent)
      .TextOrNull(call.lead_id)
      .Text(call.carrier_call_id)
      .Text(call.carrier_request_id)
      .Text(call.model_session_id)
      .Text(Name(call.state))
      .Time(call.create_time)
      .TimeOrNull(call.answer_time)
      .Text(EncodeMetadata(call.metadata))
      .Text(EncodeMetadata(call.labels))
      .Int(call.event_head)
      .Text(call.owner.node_id)
      .Int(call.owner.epoch)
      .Run();
}

absl::StatusOr<absl::optional<CallRecord>> SelectCall(Database& database, absl::string_view call_id) {
  Query query = database.Prepare(absl::StrCat("SELECT ", kCallColumns, " FROM call_logs WHERE id = ?"));
  query.Text(call_id);
  absl::optional<CallRecord> call;
  if (query.Step()) call = ReadCall(query);
  if (!query.status().ok()) return query.status();
  return call;
}

absl::StatusOr<std::vector<CallRecord>> SelectCalls(Database& database, const CallFilter& filter,
                                                    const absl::optional<CallPageKey>& after, int limit) {
  std::string where = "created_at >= ? AND created_at < ?";
  const auto one_of = [&where](absl::string_view column, size_t count) {
    if (count == 0) return;
    absl::StrAppend(&where, " AND ", column, " IN (?");
    for (size_t i = 1; i < count; ++i) absl::StrAppend(&where, ", ?");
    absl::StrAppend(&where, ")");
  };
  one_of("state", filter.states.size());
  if (filter.direction) absl::StrAppend(&where, " AND direction = ?");
  if (!filter.number.empty()) absl::StrAppend(&where, " AND (from_number = ? OR to_number = ?)");
  if (!filter.lead_id.empty()) absl::StrAppend(&where, " AND lead_id = ?");
  for (size_t i = 0; i < filter.labels.size(); ++i) {
    absl::StrAppend(&where, " AND EXISTS (SELECT 1 FROM json_each(call_logs.labels) WHERE key = ? AND value = ?)");
  }
  one_of("end_reason", filter.end_reasons.size());
  one_of("disposition", filter.dispositions.size());
  if (after) absl::StrAppend(&where, " AND (created_at, id) < (?, ?)");

  Query query = database.PrepareOnce(absl::StrCat("SELECT ", kCallColumns, " FROM call_logs WHERE ", where,
                                                  " ORDER BY created_at DESC, id DESC LIMIT ?"));
  query.Time(filter.created_after);
  // The far end is exclusive and the last storable time is one: ':' sorts behind every digit.
  IsStorableTime(filter.created_before) || filter.created_before == absl::InfinitePast()
      ? query.Time(filter.created_before)
      : query.Text(":");
  for (const call::State state : filter.states) query.Text(Name(state));
  if (filter.direction) query.Text(Name(*filter.direction));
  if (!filter.number.empty()) query.Text(filter.number).Text(filter.number);
  if (!filter.lead_id.empty()) query.Text(filter.lead_id);
  for (const auto& [key, value] : filter.labels) query.Text(key).Text(value);
  for (const call::EndReason reason : filter.end_reasons) query.Text(Name(reason));
  for (const std::string& disposition : filter.dispositions) query.Text(disposition);
  if (after) query.Time(after->create_time).Text(after->call_id);
  query.Int(limit);
  return ReadCalls(std::move(query));
}

absl::StatusOr<absl::optional<CallRecord>> SelectCallOfCarrier(Database& database, absl::string_view carrier_call_id,
                                                               absl::string_view carrier_request_id) {
  const std::pair<const char*, absl::string_view> keys[] = {{"carrier_call_id", carrier_call_id},
                                                            {"carrier_request_id", carrier_request_id}};
  for (const auto& [column, id] : keys) {
    if (id.empty()) continue;
    // The second condition is the index's.
    Query query = database.Prepare(absl::StrCat("SELECT ", kCallColumns, " FROM call_logs WHERE ", column, " = ? AND ",
                                                column, " <> '' ORDER BY created_at DESC, id DESC LIMIT 1"));
    query.Text(id);
    if (query.Step()) {
      CallRecord call = ReadCall(query);
      if (!query.status().ok()) return query.status();
      return absl::make_optional(std::move(call));
    }
    if (!query.status().ok()) return query.status();
  }
  return absl::optional<CallRecord>();
}

absl::StatusOr<std::vector<CallRecord>> SelectOpenCalls(Database& database) {
  return ReadCalls(database.Prepare(absl::StrCat(
      "SELECT ", kCallColumns, " FROM call_logs WHERE state NOT IN ('completed', 'failed') ORDER BY created_at, id")));
}

absl::Status UpdateCall(Database& database, const CallRecord& call, const CallWrite& write, int64_t event_head,
                        absl::Time now) {
  absl::Status status;
  if (write.transferred) status = UpdateTransferred(database, call, write, now);
  // The first end wins. Before the other fields, so that a transcript beside it is the later, better one.
  if (status.ok() && write.end && !call.termination) status = UpdateEnd(database, call, *write.end);
  if (status.ok() && write.result) status = UpdateResult(database, call, *write.result, now);
  if (status.ok() && write.settlement) status = UpdateSettlement(database, call, *write.settlement);
  if (status.ok()) status = UpdateFields(database, write, event_head);
  return status;
}

absl::Status WriteClientFields(Database& database, const CallUpdate& update) {
  const auto encoded = [](const auto& map) { return map ? absl::make_optional(EncodeMetadata(*map)) : absl::nullopt; };
  Query query = database.Prepare(
      "UPDATE call_logs SET metadata = coalesce(?, metadata), labels = coalesce(?, labels) WHERE id = ?");
  TextOrKeep(query, encoded(update.metadata));
  TextOrKeep(query, encoded(update.labels));
  return query.Text(update.call_id).Run();
}

absl::Status SettleSummary(Database& database, absl::string_view call_id) {
  return database.Prepare("UPDATE call_logs SET summary_settled = 1 WHERE id = ?").Text(call_id).Run();
}

absl::StatusOr<bool> SummaryIsSettled(Database& database, absl::string_view call_id) {
  Query query = database.Prepare("SELECT summary_settled FROM call_logs WHERE id = ?");
  query.Text(call_id);
  const bool settled = query.Step() && query.GetBool();
  if (!query.status().ok()) return query.status();
  return settled;
}

absl::StatusOr<absl::optional<RequestRow>> SelectRequest(Database& database, const RequestKey& key) {
  Query query =
      database.Prepare("SELECT fingerprint, call_id FROM call_requests WHERE principal = ? AND request_id = ?");
  query.Text(key.principal).Text(key.request_id);
  absl::optional<RequestRow> row;
  if (query.Step()) {
    row.emplace();
    row->fingerprint = query.GetText();
    row->call_id = query.GetText();
  }
  if (!query.status().ok()) return query.status();
  return row;
}

absl::Status InsertRequest(Database& database, const RequestKey& key, const CallRecord& call) {
  return database
      .Prepare(
          "INSERT INTO call_requests (principal, request_id, fingerprint, call_id, created_at) VALUES (?, ?, ?, ?, ?)")
      .Text(key.principal)
      .Text(key.request_id)
      .Text(key.fingerprint)
      .Text(call.call_id)
      .Time(call.create_time)
      .Run();
}

}  // namespace callbridge::store
