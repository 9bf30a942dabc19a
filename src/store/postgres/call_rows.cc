#include "src/store/postgres/call_rows.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "src/base/ids.h"
#include "src/store/metadata_json.h"

namespace callbridge::store {
namespace {

constexpr char kCallColumns[] =
    "id, direction, from_number, to_number, agent, lead_id, carrier_call_id, carrier_request_id, model_session_id, "
    "state, created_at, answered_at, ended_at, duration, transferred, transfer_reason, transcript, summary, metadata, "
    "event_head, disposition, interest, follow_up_time, result_fields, answered_by, "
    "end_reason, end_initiator, end_layer, end_evidence, end_retryable";

constexpr char kMachine[] = "machine";  // In call_logs.answered_by; the other word is 'unknown'.

// Of what the indexes on numbers hold, see the schema.
constexpr size_t kLongestNumber = 256;

Statement& TimeOrKeep(Statement& statement, const absl::optional<absl::Time>& value) {
  return value ? statement.TimeOrNull(*value) : statement.Null();
}

}  // namespace

Statement InsertCall(const CallRecord& call, absl::string_view phone) {
  Statement statement(
      "INSERT INTO call_logs (id, direction, from_number, to_number, agent, lead_id, carrier_call_id, "
      "carrier_request_id, model_session_id, state, created_at, answered_at, metadata, event_head) "
      "VALUES ($1, $2, $3, $4, $5, (SELECT id FROM leads WHERE phone = $6), $7, $8, $9, $10, $11, $12, $13, $14)");
  statement.Text(call.call_id).Text(Name(call.direction)).Text(call.from).Text(call.to).Text(call.agent);
  statement.TextOrNull(phone).Text(call.carrier_call_id).Text(call.carrier_request_id).Text(call.model_session_id);
  statement.Text(Name(call.state)).Time(call.create_time).TimeOrNull(call.answer_time);
  return statement.Text(EncodeMetadata(call.metadata)).Int(call.event_head);
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

Statement TouchLead(absl::string_view phone, absl::string_view call_id, absl::Time now) {
  Statement statement(
      "INSERT INTO leads (id, phone, last_call_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) "
      "ON CONFLICT (phone) DO UPDATE SET last_call_id = excluded.last_call_id, "
      "updated_at = greatest(leads.updated_at, excluded.updated_at) RETURNING id");
  return statement.Text(base::NewUuid()).Text(phone).Text(call_id).Time(now);
}

Statement SelectCall(absl::string_view call_id) {
  return Statement(absl::StrCat("SELECT ", kCallColumns, " FROM call_logs WHERE id = $1")).Text(call_id);
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
  if (after) statement.Bound(after->create_time).Text(after->call_id);
  return statement;
}

Statement SelectOpenCalls(int limit) {
  return Statement(absl::StrCat("SELECT ", kCallColumns,
                                " FROM call_logs WHERE state NOT IN ('completed', 'failed') ORDER BY created_at, id "
                                "LIMIT $1 FOR UPDATE"))
      .Int(limit);
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
  call.event_head = rows.GetInt();
  call.result.disposition = rows.GetText();
  call.result.interest = rows.GetText();
  call.result.follow_up_time = rows.GetText();
  call.result.fields_json = rows.GetText();
  call.answered_by_machine = rows.GetText() == kMachine;
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

Statement UpdateCall(const CallWrite& write, const absl::optional<int64_t>& head, int64_t new_head) {
  Statement statement(
      "WITH changed AS (UPDATE call_logs SET event_head = coalesce($3::bigint, event_head), "
      "state = CASE WHEN state IN ('completed', 'failed') THEN state ELSE coalesce($4::text, state) END, "
      "answered_at = coalesce($5::timestamptz, answered_at), carrier_call_id = coalesce($6::text, carrier_call_id), "
      "carrier_request_id = coalesce($7::text, carrier_request_id), "
      "model_session_id = coalesce($8::text, model_session_id), transcript = coalesce($9::text, transcript), "
      "summary = coalesce($10::text, summary), transfer_outcome = coalesce($11::text, transfer_outcome), "
      "answered_by = coalesce($12::text, answered_by) "
      "WHERE id = $1 AND ($2::bigint IS NULL OR event_head = $2::bigint) RETURNING 1) "
      "SELECT callbridge_require((SELECT count(*) FROM changed) = 1, 'UB001')");
  statement.Text(write.call_id);
  head ? statement.Int(*head).Int(new_head) : statement.Null().Null();
  write.state ? statement.Text(Name(*write.state)) : statement.Null();
  TimeOrKeep(statement, write.answer_time);
  statement.Optional(write.carrier_call_id).Optional(write.carrier_request_id).Optional(write.model_session_id);
  statement.Optional(write.transcript).Optional(write.summary);
  write.transfer ? statement.Text(Name(write.transfer->outcome)) : statement.Null();
  write.answered_by_machine ? statement.Text(kMachine) : statement.Null();
  return statement;
}

Statement UpdateTransferred(const CallWrite& write, absl::Time now) {
  // Taking back says nothing of the lead's other calls: a human may have had one of them. All parts of a statement see
  // what was there before it, so the call itself is left out.
  Statement statement(
      *write.transferred
          ? "WITH changed AS (UPDATE call_logs SET transferred = true, transfer_reason = $2 WHERE id = $1 "
            "RETURNING lead_id) "
            "UPDATE leads SET call_status = 'transferred', transferred_to_human = true, "
            "updated_at = greatest(updated_at, $3::timestamptz) FROM changed WHERE leads.id = changed.lead_id"
          : "WITH changed AS (UPDATE call_logs SET transferred = false, transfer_reason = $2 WHERE id = $1 "
            "RETURNING lead_id) "
            "UPDATE leads SET transferred_to_human = EXISTS (SELECT 1 FROM call_logs AS others "
            "WHERE others.lead_id = leads.id AND others.id <> $1 AND others.transferred), "
            "call_status = CASE WHEN last_call_id = $1 THEN 'called' ELSE call_status END, "
            "updated_at = greatest(updated_at, $3::timestamptz) FROM changed WHERE leads.id = changed.lead_id");
  return statement.Text(write.call_id).Text(write.transfer_reason).Bound(now);
}

Statement UpdateEnd(const CallWrite& write) {
  // The first end wins. An older call that ends late does not take 'transferred' from a newer one.
  Statement statement(
      "WITH ended AS (UPDATE call_logs SET state = $2, ended_at = $3, duration = $4, transcript = $5, end_reason = $6, "
      "end_initiator = $7, end_layer = $8, end_evidence = $9, end_retryable = $10 "
      "WHERE id = $1 AND end_reason IS NULL RETURNING lead_id, transferred) "
      "UPDATE leads SET call_status = 'called', updated_at = greatest(updated_at, $3) FROM ended "
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

Statement SelectLead(LeadKey key, absl::string_view value) {
  return Statement(absl::StrCat("SELECT id, phone, name, call_status, transferred_to_human, last_call_id, created_at, "
                                "updated_at, disposition, interest, follow_up_time, result_call_id FROM leads WHERE ",
                                key == LeadKey::kId ? "id" : "phone", " = $1"))
      .Text(value);
}

LeadRecord ReadLead(Rows& rows) {
  LeadRecord lead;
  lead.lead_id = rows.GetText();
  lead.phone = rows.GetText();
  lead.name = rows.GetText();
  lead.call_status = rows.GetText();
  lead.transferred_to_human = rows.GetBool();
  lead.last_call_id = rows.GetText();
  lead.create_time = rows.GetTime();
  lead.update_time = rows.GetTime();
  lead.result.disposition = rows.GetText();
  lead.result.interest = rows.GetText();
  lead.result.follow_up_time = rows.GetText();
  lead.result_call_id = rows.GetText();
  return lead;
}

Statement SelectRequest(const RequestKey& key) {
  return Statement("SELECT fingerprint, call_id FROM call_requests WHERE principal = $1 AND request_id = $2")
      .Text(key.principal)
      .Text(key.request_id);
}

}  // namespace callbridge::store
