#include "src/store/postgres/call_rows.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "src/store/metadata_json.h"

namespace callbridge::store {
namespace {

constexpr char kCallColumns[] =
    "id, direction, from_number, to_number, agent, lead_id, carrier_call_id, carrier_request_id, model_session_id, "
    "state, created_at, answered_at, ended_at, duration, transferred, transfer_reason, transcript, summary, metadata, "
    "labels, event_head, disposition, interest, follow_up_time, result_fields, answered_by, carrier_duration, "
    "billed_duration, "
    "cost, cost_currency, hangup_code, hangup_cause, hangup_source, settled_at, event_floor, erased_at, "
    "owner_node, owner_epoch, "
    "end_reason, end_initiator, end_layer, end_evidence, end_retryable";

constexpr char kMachine[] = "machine";  // In call_logs.answered_by; the other word is 'unknown'.

// Of open calls: no node that is there has it, and its own is gone for good or has had the time to come back.
constexpr char kOrphaned[] =
    "state NOT IN ('completed', 'failed') AND NOT EXISTS "
    "(SELECT 1 FROM nodes WHERE nodes.id = owner_node AND nodes.state <> 'gone') "
    "AND (stored_at <= clock_timestamp() - $1::interval OR EXISTS "
    "(SELECT 1 FROM nodes WHERE nodes.id = owner_node AND NOT nodes.found_dead))";

// Of what the indexes on numbers hold, see the schema.
constexpr size_t kLongestNumber = 256;

Statement& TimeOrKeep(Statement& statement, const absl::optional<absl::Time>& value) {
  return value ? statement.TimeOrNull(*value) : statement.Null();
}

// The second condition is the index's.
Statement SelectNewest(absl::string_view column, absl::string_view value) {
  return Statement(absl::StrCat("SELECT ", kCallColumns, " FROM call_logs WHERE ", column, " = $1 AND ", column,
                                " <> '' ORDER BY created_at DESC, id DESC LIMIT 1"))
      .Text(value);
}

Settlement ReadSettlement(Rows& rows) {
  Settlement settlement;
  settlement.duration_seconds = rows.GetIntOrNull();
  settlement.billed_seconds = rows.GetIntOrNull();
  settlement.cost = rows.GetText();
  settlement.currency = rows.GetText();
  if (const auto code = rows.GetIntOrNull()) settlement.cause_code = static_cast<int>(*code);
  settlement.cause = rows.GetText();
  settlement.source = rows.GetText();
  settlement.time = rows.GetTime();
  return settlement;
}

}  // namespace

Statement InsertCall(const CallRecord& call, absl::string_view phone) {
  Statement statement(
      "INSERT INTO call_logs (id, direction, from_number, to_number, agent, lead_id, carrier_call_id, "
      "carrier_request_id, model_session_id, state, created_at, answered_at, metadata, labels, event_head, owner_node, "
      "owner_epoch) VALUES ($1, $2, $3, $4, $5, (SELECT id FROM leads WHERE phone = $6), $7, $8, $9, $10, $11, $12, "
      "$13, $14, $15, $16, $17)");
  statement.Text(call.call_id).Text(Name(call.direction)).Text(call.from).Text(call.to).Text(call.agent);
  statement.TextOrNull(phone).Text(call.carrier_call_id).Text(call.carrier_request_id).Text(call.model_session_id);
  statement.Text(Name(call.state)).Time(call.create_time).TimeOrNull(call.answer_time);
  statement.Text(EncodeMetadata(call.metadata)).Text(EncodeMetadata(call.labels)).Int(call.event_head);
  return statement.Text(call.owner.node_id).Int(call.owner.epoch);
}

Statement InsertRequest(const RequestKey& key, const CallRecord& call) {
  Statement statement(
      "INSERT INTO call_requests (principal, request_id, fingerprint, call_id, created_at) "
      "VALUES ($1, $2, $3, $4, $5)");
  return statement.Text(key.principal)
      .Text(key.request_id)
      .Text(key.fingerprint)
      .Text(call.call_id)
      .Time(call.create_time);
}

Statement SelectCall(absl::string_view call_id) {
  return Statement(absl::StrCat("SELECT ", kCallColumns, " FROM call_logs WHERE id = $1")).Text(call_id);
}

Statement SelectCallOfCarrier(absl::string_view carrier_call_id) {
  return SelectNewest("carrier_call_id", carrier_call_id);
}
Statement SelectCallOfRequest(absl::string_view carrier_request_id) {
  return SelectNewest("carrier_request_id", carrier_request_id);
}

Statement SelectCalls(const CallFilter& filter, const absl::optional<CallPageKey>& after, int limit) {
  std::string where = "created_at >= $1 AND created_at < $2";
  int last = 3;
  const auto next = [&last] { return absl::StrCat("$", ++last); };
  if (!filter.states.empty()) absl::StrAppend(&where, " AND state = ANY (", next(), "::text[])");
  if (filter.direction) absl::StrAppend(&where, " AND direction = ", next());
  if (!filter.number.empty()) {
    const std::string number = next();
    const bool indexed = filter.number.size() <= kLongestNumber;
    const auto is = [&](absl::string_view column) {
      const std::string shown = absl::StrCat(" AND octet_length(", column, ") <= ", kLongestNumber);
      return absl::StrCat("(", column, " = ", number, indexed ? shown : "", ")");
    };
    absl::StrAppend(&where, " AND (", is("from_number"), " OR ", is("to_number"), ")");
  }
  if (!filter.lead_id.empty()) absl::StrAppend(&where, " AND lead_id = ", next());
  // The second condition is the index's.
  if (!filter.labels.empty()) absl::StrAppend(&where, " AND labels @> ", next(), "::jsonb AND labels <> '{}'");
  if (!filter.end_reasons.empty()) absl::StrAppend(&where, " AND end_reason = ANY (", next(), "::text[])");
  if (!filter.dispositions.empty()) absl::StrAppend(&where, " AND disposition = ANY (", next(), "::text[])");
  if (after) {
    const std::string time = next();
    absl::StrAppend(&where, " AND (created_at, id) < (", time, ", ", next(), ")");
  }
  Statement statement(absl::StrCat("SELECT ", kCallColumns, " FROM call_logs WHERE ", where,
                                   " ORDER BY created_at DESC, id DESC LIMIT $3"));
  statement.Bound(filter.created_after).Bound(filter.created_before).Int(limit);
  if (!filter.states.empty()) {
    ArrayText states;
    for (const call::State state : filter.states) states.Add(Name(state));
    statement.Array(states);
  }
  if (filter.direction) statement.Text(Name(*filter.direction));
  if (!filter.number.empty()) statement.Text(filter.number);
  if (!filter.lead_id.empty()) statement.Text(filter.lead_id);
  if (!filter.labels.empty()) statement.Text(EncodeMetadata(filter.labels));
  if (!filter.end_reasons.empty()) {
    ArrayText reasons;
    for (const call::EndReason reason : filter.end_reasons) reasons.Add(Name(reason));
    statement.Array(reasons);
  }
  if (!filter.dispositions.empty()) {
    ArrayText dispositions;
    for (const std::string& disposition : filter.dispositions) dispositions.Add(disposition);
    statement.Array(dispositions);
  }
  if (after) statement.Bound(after->create_time).Text(after->call_id);
  return statement;
}

Statement SelectOpenCalls(int limit) {
  return Statement(absl::StrCat("SELECT ", kCallColumns,
                                " FROM call_logs WHERE state NOT IN ('completed', 'failed') ORDER BY created_at, id "
                                "LIMIT $1 FOR UPDATE"))
      .Int(limit);
}

Statement SelectOrphans(absl::Duration settle, int limit) {
  return Statement(absl::StrCat("SELECT ", kCallColumns, " FROM call_logs WHERE ", kOrphaned,
                                " ORDER BY created_at, id LIMIT $2 FOR UPDATE OF call_logs SKIP LOCKED"))
      .Interval(settle)
      .Int(limit);
}

Statement SelectHasOrphans(absl::Duration settle) {
  return Statement(absl::StrCat("SELECT EXISTS (SELECT 1 FROM call_logs WHERE ", kOrphaned, ")")).Interval(settle);
}

Statement SelectAppendable(const std::vector<std::string>& call_ids) {
  ArrayText ids;
  for (const std::string& id : call_ids) ids.Add(id);
  return Statement(
             "SELECT id FROM call_logs WHERE id = ANY ($1::text[]) AND coalesce((SELECT position FROM call_events "
             "WHERE call_events.call_id = call_logs.id ORDER BY sequence DESC LIMIT 1), 0) < "
             "pg_current_xact_id()::text::bigint << 16")
      .Array(ids);
}

Statement RaiseEpochs(const std::vector<std::string>& call_ids) {
  ArrayText ids;
  for (const std::string& id : call_ids) ids.Add(id);
  return Statement("UPDATE call_logs SET owner_epoch = owner_epoch + 1 WHERE id = ANY ($1::text[])").Array(ids);
}

CallRecord ReadCall(Rows& rows) {
  CallRecord call;
  call.call_id = rows.GetText();
  call.direction = rows.GetEnum<call::Direction>();
  call.from = rows.GetText();
  call.to = rows.GetText();
  call.agent = rows.GetText();
  call.lead_id = rows.GetText();
  call.carrier_call_id = rows.GetText();
  call.carrier_request_id = rows.GetText();
  call.model_session_id = rows.GetText();
  call.state = rows.GetEnum<call::State>();
  call.create_time = rows.GetTime();
  call.answer_time = rows.GetTime();
  call.end_time = rows.GetTime();
  call.duration_seconds = rows.GetInt();
  call.transferred = rows.GetBool();
  call.transfer_reason = rows.GetText();
  call.transcript = rows.GetText();
  call.summary = rows.GetText();
  if (!DecodeMetadata(rows.GetText(), &call.metadata)) rows.Damaged();
  if (!DecodeMetadata(rows.GetText(), &call.labels)) rows.Damaged();
  call.event_head = rows.GetInt();
  call.result.disposition = rows.GetText();
  call.result.interest = rows.GetText();
  call.result.follow_up_time = rows.GetText();
  call.result.fields_json = rows.GetText();
  call.answered_by_machine = rows.GetText() == kMachine;
  call.settlement = ReadSettlement(rows);
  call.event_floor = rows.GetInt();
  call.erase_time = rows.GetTime();
  call.owner.node_id = rows.GetText();
  call.owner.epoch = rows.GetInt();
  if (rows.NextIsNull()) return call;
  call::Termination termination;
  termination.reason = rows.GetEnum<call::EndReason>();
  termination.initiator = rows.GetEnum<call::Party>();
  termination.layer = rows.GetEnum<call::Layer>();
  termination.evidence = rows.GetText();
  termination.retryable = rows.GetBool();
  termination.failed = call.state == call::State::kFailed;
  call.termination = termination;
  return call;
}

Statement UpdateCall(const CallWrite& write, const absl::optional<int64_t>& head, int64_t new_head, bool erased) {
  Statement statement(
      "WITH changed AS (UPDATE call_logs SET event_head = coalesce($3::bigint, event_head), "
      "state = CASE WHEN state IN ('completed', 'failed') THEN state ELSE coalesce($4::text, state) END, "
      "answered_at = coalesce($5::timestamptz, answered_at), carrier_call_id = coalesce($6::text, carrier_call_id), "
      "carrier_request_id = coalesce($7::text, carrier_request_id), "
      "model_session_id = coalesce($8::text, model_session_id), transcript = coalesce($9::text, transcript), "
      "summary = coalesce($10::text, summary), transfer_outcome = coalesce($11::text, transfer_outcome), "
      "answered_by = coalesce($12::text, answered_by) "
      "WHERE id = $1 AND ($2::bigint IS NULL OR event_head = $2::bigint) "
      "AND (erased_at IS NOT NULL) = $13 "
      "AND ($14::text IS NULL OR (owner_node = $14::text AND owner_epoch = $15::bigint)) RETURNING 1) "
      "SELECT callbridge_require((SELECT count(*) FROM changed) = 1, 'UB001')");
  statement.Text(write.call_id);
  head ? statement.Int(*head).Int(new_head) : statement.Null().Null();
  write.state ? statement.Text(Name(*write.state)) : statement.Null();
  TimeOrKeep(statement, write.answer_time);
  statement.Optional(write.carrier_call_id).Optional(write.carrier_request_id).Optional(write.model_session_id);
  statement.Optional(write.transcript).Optional(write.summary);
  write.transfer ? statement.Text(Name(write.transfer->outcome)) : statement.Null();
  write.answered_by_machine ? statement.Text(kMachine) : statement.Null();
  statement.Bool(erased);
  return write.owner ? statement.Text(write.owner->node_id).Int(write.owner->epoch) : statement.Null().Null();
}

Statement UpdateClientFields(const CallUpdate& update) {
  const auto encoded = [](const auto& map) { return map ? absl::make_optional(EncodeMetadata(*map)) : absl::nullopt; };
  return Statement(absl::StrCat("UPDATE call_logs SET metadata = coalesce($2::jsonb, metadata), labels = "
                                "coalesce($3::jsonb, labels) WHERE id = $1 AND erased_at IS NULL RETURNING ",
                                kCallColumns))
      .Text(update.call_id)
      .Optional(encoded(update.metadata))
      .Optional(encoded(update.labels));
}

// As store::Settled(): what is told replaces what was told before, and the time goes with a change.
Statement UpdateSettlement(const CallWrite& write) {
  Statement statement(
      "UPDATE call_logs SET carrier_duration = coalesce($2::bigint, carrier_duration), "
      "billed_duration = coalesce($3::bigint, billed_duration), cost = coalesce($4::text, cost), "
      "cost_currency = coalesce($5::text, cost_currency), hangup_code = coalesce($6::bigint, hangup_code), "
      "hangup_cause = coalesce($7::text, hangup_cause), hangup_source = coalesce($8::text, hangup_source), "
      "settled_at = $9 WHERE id = $1 AND (settled_at IS NULL OR ($2::bigint IS NOT NULL AND "
      "carrier_duration IS DISTINCT FROM $2::bigint) OR ($3::bigint IS NOT NULL AND billed_duration IS DISTINCT FROM "
      "$3::bigint) OR cost <> $4::text OR cost_currency <> $5::text OR ($6::bigint IS NOT NULL AND hangup_code IS "
      "DISTINCT FROM $6::bigint) OR hangup_cause <> $7::text OR hangup_source <> $8::text)");
  const Settlement& told = *write.settlement;
  statement.Text(write.call_id).Optional(told.duration_seconds).Optional(told.billed_seconds);
  statement.TextOrNull(told.cost).TextOrNull(told.currency);
  told.cause_code ? statement.Int(*told.cause_code) : statement.Null();
  return statement.TextOrNull(told.cause).TextOrNull(told.source).Time(told.time);
}

Statement UpdateTransferred(const CallWrite& write, absl::Time now) {
  // Taking back says nothing of the lead's other calls: a human may have had one of them. All parts of a statement see
  // what was there before it, so the call itself is left out.
  Statement statement(
      *write.transferred
          ? "WITH changed AS (UPDATE call_logs SET transferred = true, transfer_reason = $2 WHERE id = $1 "
            "RETURNING lead_id) "
            "UPDATE leads SET call_status = 'transferred', status_call_id = $1, transferred_to_human = true, "
            "updated_at = greatest(updated_at, $3::timestamptz) FROM changed WHERE leads.id = changed.lead_id"
          : "WITH changed AS (UPDATE call_logs SET transferred = false, transfer_reason = $2 WHERE id = $1 "
            "RETURNING lead_id) "
            "UPDATE leads SET transferred_to_human = EXISTS (SELECT 1 FROM call_logs AS others "
            "WHERE others.lead_id = leads.id AND others.id <> $1 AND others.transferred), "
            "call_status = CASE WHEN last_call_id = $1 THEN 'called' ELSE call_status END, "
            "status_call_id = CASE WHEN last_call_id = $1 THEN $1 ELSE status_call_id END, "
            "updated_at = greatest(updated_at, $3::timestamptz) FROM changed WHERE leads.id = changed.lead_id");
  return statement.Text(write.call_id).Text(write.transfer_reason).Bound(now);
}

Statement UpdateEnd(const CallWrite& write) {
  // The first end wins. An older call that ends late does not take 'transferred' from a newer one.
  Statement statement(
      "WITH ended AS (UPDATE call_logs SET state = $2, ended_at = $3, duration = $4, transcript = $5, end_reason = $6, "
      "end_initiator = $7, end_layer = $8, end_evidence = $9, end_retryable = $10 "
      "WHERE id = $1 AND end_reason IS NULL RETURNING lead_id, transferred) "
      "UPDATE leads SET call_status = 'called', status_call_id = $1, updated_at = greatest(updated_at, $3) FROM ended "
      "WHERE leads.id = ended.lead_id AND NOT ended.transferred "
      "AND (leads.last_call_id = $1 OR leads.call_status <> 'transferred')");
  const CallWrite::End& end = *write.end;
  const call::Termination& termination = end.termination;
  statement.Text(write.call_id).Text(Name(termination.failed ? call::State::kFailed : call::State::kCompleted));
  // A transcript beside the end is the later, better one.
  statement.Time(end.end_time).Int(end.duration_seconds).Text(write.transcript.value_or(end.transcript));
  statement.Text(Name(termination.reason)).Text(Name(termination.initiator)).Text(Name(termination.layer));
  return statement.Text(termination.evidence).Bool(termination.retryable);
}

Statement UpdateResult(const CallWrite& write, absl::Time now) {
  // Summaries are made in any order: an older call's, made late, says less of a person than a newer one's.
  Statement statement(
      "WITH changed AS (UPDATE call_logs SET disposition = $2, interest = $3, follow_up_time = $4, result_fields = $5 "
      "WHERE id = $1 RETURNING lead_id, created_at) "
      "UPDATE leads SET disposition = $2, interest = $3, follow_up_time = $4, result_call_id = $1, "
      "updated_at = greatest(updated_at, $6::timestamptz) FROM changed WHERE leads.id = changed.lead_id "
      "AND NOT EXISTS (SELECT 1 FROM call_logs AS newer WHERE newer.id = leads.result_call_id "
      "AND newer.created_at > changed.created_at)");
  const call::CallResult& result = *write.result;
  statement.Text(write.call_id).Text(result.disposition).Text(result.interest).Text(result.follow_up_time);
  return statement.Text(result.fields_json).Bound(now);
}

Statement SelectRequest(const RequestKey& key) {
  return Statement("SELECT fingerprint, call_id FROM call_requests WHERE principal = $1 AND request_id = $2")
      .Text(key.principal)
      .Text(key.request_id);
}

}  // namespace callbridge::store
