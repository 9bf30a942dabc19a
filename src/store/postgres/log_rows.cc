#include "src/store/postgres/log_rows.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/store/event_json.h"

namespace callbridge::store {
namespace {

constexpr char kEventColumns[] = "position, call_id, sequence, type, occurred_at, payload, erased";

// Below the first position of the oldest transaction that still runs.
constexpr char kBelowFence[] =
    "position < ((pg_snapshot_xmin(pg_current_snapshot())::text::bigint + (SELECT base FROM log_state)) << 16)";
static_assert(kOrdinalBits == 16, "the SQL says so");

// The last of each id, in the place of the first: one statement does not write a row twice.
std::vector<const call::TranscriptItem*> LastOfEach(const std::vector<call::TranscriptItem>& items) {
  std::map<absl::string_view, size_t> places;
  std::vector<const call::TranscriptItem*> last;
  for (const call::TranscriptItem& item : items) {
    const auto [place, is_new] = places.try_emplace(item.item_id, last.size());
    if (is_new) last.push_back(nullptr);
    last[place->second] = &item;
  }
  return last;
}

ArrayText Texts(const std::vector<std::string>& words) {
  ArrayText array;
  for (const std::string& word : words) array.Add(word);
  return array;
}

}  // namespace

Statement InsertEvents(absl::string_view call_id, absl::Span<const call::Event> events, int64_t first_ordinal,
                       Payload payload) {
  // The payload of the event that makes the call names the lead, which only the database knows by then.
  constexpr char kNamed[] =
      "CASE WHEN type = 'call_created' THEN payload || jsonb_build_object('lead_id', "
      "coalesce((SELECT lead_id FROM call_logs WHERE id = $1), '')) ELSE payload END";
  Statement statement(absl::StrCat(
      "INSERT INTO call_events (position, call_id, sequence, type, occurred_at, erased, payload) "
      "SELECT ((pg_current_xact_id()::text::bigint + (SELECT base FROM log_state)) << 16) + $2::bigint + ordinal - 1, "
      "$1, sequence, type, occurred_at, ",
      payload == Payload::kTombstones ? "true, payload" : "false, ", payload == Payload::kNameLead ? kNamed : "",
      payload == Payload::kAsIs ? "payload" : "",
      " FROM unnest($3::bigint[], $4::text[], $5::timestamptz[], $6::jsonb[]) WITH ORDINALITY "
      "AS event (sequence, type, occurred_at, payload, ordinal) RETURNING position"));
  ArrayText sequences;
  ArrayText types;
  ArrayText times;
  ArrayText payloads;
  for (const call::Event& event : events) {
    sequences.Add(event.sequence);
    types.Add(call::TypeName(event.body));
    times.Add(event.time);
    payloads.Add(payload == Payload::kTombstones ? "{}" : EncodeEventBody(event.body));
  }
  return statement.Text(call_id).Int(first_ordinal).Array(sequences).Array(types).Array(times).Array(payloads);
}

Statement SelectCallEvents(absl::string_view call_id, int64_t after, int64_t limit) {
  return Statement(absl::StrCat("SELECT ", kEventColumns,
                                " FROM call_events WHERE call_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"))
      .Text(call_id)
      .Int(after)
      .Int(limit);
}

Statement SelectEvents(int64_t after, int64_t limit) {
  return Statement(absl::StrCat("SELECT ", kEventColumns, " FROM call_events WHERE position > $1 AND ", kBelowFence,
                                " ORDER BY position LIMIT $2"))
      .Int(after)
      .Int(limit);
}

Statement SelectHeadPosition() {
  return Statement(absl::StrCat("SELECT greatest(purged_through, (SELECT position FROM call_events WHERE ", kBelowFence,
                                " ORDER BY position DESC LIMIT 1)) FROM log_state"));
}

Statement NoteRestore() { return Statement("SELECT callbridge_note_restored()"); }

Statement NoticeRestore() { return Statement("SELECT callbridge_notice_restore()"); }

Statement SelectLostPositions() {
  return Statement("SELECT after_position, before_position FROM lost_positions ORDER BY after_position");
}

LostPositions ReadLostPositions(Rows& rows) {
  LostPositions lost;
  lost.after = rows.GetInt();
  lost.before = rows.GetInt();
  return lost;
}

Statement SelectOldestPosition() { return Statement("SELECT purged_through FROM log_state"); }

absl::StatusOr<std::vector<events::StoredEvent>> ReadEvents(Rows& rows) {
  std::vector<events::StoredEvent> events;
  while (rows.Next()) {
    events::StoredEvent stored;
    stored.position = rows.GetInt();
    stored.event.call_id = rows.GetText();
    stored.event.sequence = rows.GetInt();
    const std::string type = rows.GetText();
    stored.event.time = rows.GetTime();
    absl::StatusOr<call::EventBody> body = DecodeEventBody(type, rows.GetText());
    if (!body.ok()) {
      return absl::InternalError(
          absl::StrCat("database: event at position ", stored.position, ": ", body.status().message()));
    }
    stored.event.body = *std::move(body);
    stored.erased = rows.GetBool();
    events.push_back(std::move(stored));
  }
  if (!rows.status().ok()) return rows.status();
  return events;
}

Statement SelectEventTypes(absl::string_view call_id, int64_t first, int64_t last) {
  return Statement(
             "SELECT sequence, type, position FROM call_events WHERE call_id = $1 AND sequence BETWEEN $2 AND $3 "
             "ORDER BY sequence")
      .Text(call_id)
      .Int(first)
      .Int(last);
}

Statement UpsertTranscriptItems(absl::string_view call_id, const std::vector<call::TranscriptItem>& items) {
  Statement statement(
      "INSERT INTO transcript_items (call_id, item_id, position, role, status, text_generated, text_heard, "
      "generated_ms, heard_ms, heard_basis, started_at) "
      "SELECT $1, item.* FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], "
      "$8::bigint[], $9::bigint[], $10::text[], $11::timestamptz[]) AS item "
      "ON CONFLICT (call_id, item_id) DO UPDATE SET position = excluded.position, role = excluded.role, "
      "status = excluded.status, text_generated = excluded.text_generated, text_heard = excluded.text_heard, "
      "generated_ms = excluded.generated_ms, heard_ms = excluded.heard_ms, heard_basis = excluded.heard_basis, "
      "started_at = excluded.started_at");
  ArrayText ids, positions, roles, statuses, generated, heard, generated_ms, heard_ms, bases, starts;
  for (const call::TranscriptItem* item : LastOfEach(items)) {
    ids.Add(item->item_id);
    positions.Add(item->position);
    roles.Add(Name(item->role));
    statuses.Add(Name(item->status));
    generated.Add(item->text_generated);
    heard.Add(item->text_heard);
    generated_ms.Add(item->generated_ms);
    heard_ms.Add(item->heard_ms);
    bases.Add(Name(item->basis));
    starts.Add(item->start_time);
  }
  statement.Text(call_id).Array(ids).Array(positions).Array(roles).Array(statuses).Array(generated).Array(heard);
  return statement.Array(generated_ms).Array(heard_ms).Array(bases).Array(starts);
}

Statement SelectTranscripts(const std::vector<std::string>& call_ids) {
  return Statement(
             "SELECT call_id, item_id, position, role, status, text_generated, text_heard, generated_ms, heard_ms, "
             "heard_basis, started_at FROM transcript_items WHERE call_id = ANY ($1::text[]) ORDER BY position, id")
      .Array(Texts(call_ids));
}

call::TranscriptItem ReadItem(Rows& rows) {
  call::TranscriptItem item;
  item.item_id = rows.GetText();
  item.position = rows.GetInt();
  item.role = rows.GetEnum<call::Role>();
  item.status = rows.GetEnum<call::ItemStatus>();
  item.text_generated = rows.GetText();
  item.text_heard = rows.GetText();
  item.generated_ms = rows.GetInt();
  item.heard_ms = rows.GetInt();
  item.basis = rows.GetEnum<call::HeardBasis>();
  item.start_time = rows.GetTime();
  return item;
}

Statement UpsertTransfer(absl::string_view call_id, const call::Transfer& transfer) {
  Statement statement(
      "INSERT INTO call_transfers (call_id, transfer_id, destination, number, reason, requested_by, state, outcome, "
      "detail, requested_at, connected_at, ended_at, attempts) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
      "ON CONFLICT (call_id, transfer_id) DO UPDATE SET destination = excluded.destination, number = excluded.number, "
      "reason = excluded.reason, requested_by = excluded.requested_by, state = excluded.state, "
      "outcome = excluded.outcome, detail = excluded.detail, requested_at = excluded.requested_at, "
      "connected_at = excluded.connected_at, ended_at = excluded.ended_at, attempts = excluded.attempts");
  statement.Text(call_id).Text(transfer.transfer_id).Text(transfer.destination).Text(transfer.number);
  statement.Text(transfer.reason).Text(Name(transfer.requested_by)).Text(Name(transfer.state));
  statement.Text(Name(transfer.outcome)).Text(transfer.detail).TimeOrNull(transfer.request_time);
  statement.TimeOrNull(transfer.connect_time).TimeOrNull(transfer.end_time);
  return statement.Text(EncodeAttempts(transfer.attempts));
}

Statement SelectTransfers(const std::vector<std::string>& call_ids) {
  // Those without a time of request first, as in SQLite.
  return Statement(
             "SELECT call_id, transfer_id, destination, number, reason, requested_by, state, outcome, detail, "
             "requested_at, connected_at, ended_at, attempts FROM call_transfers WHERE call_id = ANY ($1::text[]) "
             "ORDER BY requested_at NULLS FIRST, id")
      .Array(Texts(call_ids));
}

call::Transfer ReadTransfer(Rows& rows) {
  call::Transfer transfer;
  transfer.transfer_id = rows.GetText();
  transfer.destination = rows.GetText();
  transfer.number = rows.GetText();
  transfer.reason = rows.GetText();
  transfer.requested_by = rows.GetEnum<call::Party>();
  transfer.state = rows.GetEnum<call::TransferState>();
  transfer.outcome = rows.GetEnum<call::TransferOutcome>();
  transfer.detail = rows.GetText();
  transfer.request_time = rows.GetTime();
  transfer.connect_time = rows.GetTime();
  transfer.end_time = rows.GetTime();
  absl::StatusOr<std::vector<call::TransferAttempt>> attempts = DecodeAttempts(rows.GetText());
  if (!attempts.ok())
    rows.Damaged();
  else
    transfer.attempts = *std::move(attempts);
  return transfer;
}

Statement InsertSummaryJob(absl::string_view call_id, absl::Time due) {
  return Statement(
             "INSERT INTO summary_jobs (call_id, due_at) SELECT id, $2::timestamptz FROM call_logs "
             "WHERE id = $1 AND NOT summary_settled ON CONFLICT (call_id) DO NOTHING")
      .Text(call_id)
      .Time(due);
}

Statement SettleSummary(absl::string_view call_id) {
  return Statement(
             "WITH settled AS (UPDATE call_logs SET summary_settled = true WHERE id = $1) "
             "DELETE FROM summary_jobs WHERE call_id = $1")
      .Text(call_id);
}

Statement UpdateSummaryJob(const SummaryJob& job) {
  return Statement("UPDATE summary_jobs SET attempts = $2, due_at = $3, last_error = $4 WHERE call_id = $1")
      .Text(job.call_id)
      .Int(job.attempts)
      .Time(job.due)
      .Text(job.last_error);
}

Statement MoveSummaryJob(const SummaryJob& job, absl::Time until) {
  return Statement("UPDATE summary_jobs SET due_at = $4 WHERE call_id = $1 AND due_at = $2 AND attempts = $3")
      .Text(job.call_id)
      .Time(job.due)
      .Int(job.attempts)
      .Time(until);
}

Statement SelectSummaryJobs(absl::Time due_by, int limit) {
  return Statement(
             "SELECT call_id, attempts, due_at, last_error FROM summary_jobs WHERE due_at <= $1 "
             "ORDER BY due_at, call_id LIMIT $2")
      .Bound(due_by)
      .Int(limit);
}

SummaryJob ReadSummaryJob(Rows& rows) {
  SummaryJob job;
  job.call_id = rows.GetText();
  job.attempts = static_cast<int>(rows.GetInt());
  job.due = rows.GetTime();
  job.last_error = rows.GetText();
  return job;
}

Statement InsertTranscriptRead(const TranscriptRead& read) {
  return Statement(
             "INSERT INTO transcript_reads (call_id, principal, read_at) SELECT id, $2::text, $3::timestamptz "
             "FROM call_logs WHERE id = $1")
      .Text(read.call_id)
      .Text(read.principal)
      .Time(read.time);
}

Statement SelectTranscriptReads(absl::string_view call_id, int limit) {
  return Statement("SELECT call_id, principal, read_at FROM transcript_reads WHERE call_id = $1 ORDER BY id LIMIT $2")
      .Text(call_id)
      .Int(limit);
}

TranscriptRead ReadTranscriptRead(Rows& rows) {
  TranscriptRead read;
  read.call_id = rows.GetText();
  read.principal = rows.GetText();
  read.time = rows.GetTime();
  return read;
}

}  // namespace callbridge::store
