#include "src/store/sqlite/log_tables.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/store/event_json.h"

namespace callbridge::store {
namespace {

// Reads position, call_id, sequence, type, occurred_at, payload, erased of each row.
absl::StatusOr<std::vector<events::StoredEvent>> ReadStoredEvents(Query query) {
  std::vector<events::StoredEvent> events;
  while (query.Step()) {
    events::StoredEvent stored;
    stored.position = query.GetInt();
    stored.event.call_id = query.GetText();
    stored.event.sequence = query.GetInt();
    const std::string type = query.GetText();
    stored.event.time = query.GetTime();
    absl::StatusOr<call::EventBody> body = DecodeEventBody(type, query.GetText());
    if (!body.ok()) {
      return absl::InternalError(
          absl::StrCat("database: event at position ", stored.position, ": ", body.status().message()));
    }
    stored.event.body = *std::move(body);
    stored.erased = query.GetBool();
    events.push_back(std::move(stored));
  }
  if (!query.status().ok()) return query.status();
  return events;
}

// Every row of `query`, as `read` reads it from left to right.
template <typename Row>
absl::StatusOr<std::vector<Row>> ReadRows(Query query, Row (*read)(Query& row)) {
  std::vector<Row> rows;
  while (query.Step()) rows.push_back(read(query));
  if (!query.status().ok()) return query.status();
  return rows;
}

call::TranscriptItem ReadItem(Query& query) {
  call::TranscriptItem item;
  item.item_id = query.GetText();
  item.position = query.GetInt();
  item.role = query.GetEnum<call::Role>();
  item.status = query.GetEnum<call::ItemStatus>();
  item.text_generated = query.GetText();
  item.text_heard = query.GetText();
  item.generated_ms = query.GetInt();
  item.heard_ms = query.GetInt();
  item.basis = query.GetEnum<call::HeardBasis>();
  item.start_time = query.GetTime();
  return item;
}

call::Transfer ReadTransfer(Query& query) {
  call::Transfer transfer;
  transfer.transfer_id = query.GetText();
  transfer.destination = query.GetText();
  transfer.number = query.GetText();
  transfer.reason = query.GetText();
  transfer.requested_by = query.GetEnum<call::Party>();
  transfer.state = query.GetEnum<call::TransferState>();
  transfer.outcome = query.GetEnum<call::TransferOutcome>();
  transfer.detail = query.GetText();
  transfer.request_time = query.GetTime();
  transfer.connect_time = query.GetTime();
  transfer.end_time = query.GetTime();
  absl::StatusOr<std::vector<call::TransferAttempt>> attempts = DecodeAttempts(query.GetText());
  if (!attempts.ok())
    query.Damaged();
  else
    transfer.attempts = *std::move(attempts);
  return transfer;
}

TranscriptRead ReadTranscriptRead(Query& query) {
  TranscriptRead read;
  read.call_id = query.GetText();
  read.principal = query.GetText();
  read.time = query.GetTime();
  return read;
}

SummaryJob ReadSummaryJob(Query& query) {
  SummaryJob job;
  job.call_id = query.GetText();
  job.attempts = static_cast<int>(query.GetInt());
  job.due = query.GetTime();
  job.last_error = query.GetText();
  return job;
}

}  // namespace

absl::StatusOr<int64_t> InsertEvent(Database& database, const call::Event& event, bool erased) {
  const absl::Status status =
      database
          .Prepare(
              "INSERT INTO call_events (call_id, sequence, type, occurred_at, payload, erased) VALUES (?, ?, ?, ?, ?, "
              "?)")
          .Text(event.call_id)
          .Int(event.sequence)
          .Text(call::TypeName(event.body))
          .Time(event.time)
          .Text(erased ? "{}" : EncodeEventBody(event.body))
          .Bool(erased)
          .Run();
  if (!status.ok()) return status;
  return database.last_insert_rowid();
}

absl::StatusOr<std::vector<events::StoredEvent>> SelectCallEvents(Database& database, absl::string_view call_id,
                                                                  int64_t after_sequence, int64_t limit) {
  Query query = database.Prepare(
      "SELECT position, call_id, sequence, type, occurred_at, payload, erased FROM call_events WHERE call_id = ? AND "
      "sequence "
      "> ? "
      "ORDER BY sequence LIMIT ?");
  query.Text(call_id).Int(after_sequence).Int(limit);
  return ReadStoredEvents(std::move(query));
}

absl::StatusOr<std::vector<events::StoredEvent>> SelectEvents(Database& database, int64_t after_position,
                                                              int64_t limit) {
  Query query = database.Prepare(
      "SELECT position, call_id, sequence, type, occurred_at, payload, erased FROM call_events WHERE position > ? "
      "ORDER BY "
      "position LIMIT ?");
  query.Int(after_position).Int(limit);
  return ReadStoredEvents(std::move(query));
}

absl::StatusOr<int64_t> SelectHeadPosition(Database& database) {
  Query query = database.Prepare(
      "SELECT max(purged_through, (SELECT coalesce(max(position), 0) FROM call_events)) FROM log_state");
  const int64_t head = query.Step() ? query.GetInt() : 0;
  if (!query.status().ok()) return query.status();
  return head;
}

absl::StatusOr<int64_t> SelectOldestPosition(Database& database) {
  Query query = database.Prepare("SELECT purged_through FROM log_state");
  const int64_t oldest = query.Step() ? query.GetInt() : 0;
  if (!query.status().ok()) return query.status();
  return oldest;
}

absl::Status UpsertTranscriptItem(Database& database, absl::string_view call_id, const call::TranscriptItem& item) {
  return database
      .Prepare(
          "INSERT INTO transcript_items (call_id, item_id, position, role, status, text_generated, text_heard, "
          "generated_ms, heard_ms, "
          "heard_basis, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
          "ON CONFLICT (call_id, item_id) DO UPDATE SET position = excluded.position, role = excluded.role, status = "
          "excluded.status, "
          "text_generated = excluded.text_generated, text_heard = excluded.text_heard, generated_ms = "
          "excluded.generated_ms, "
          "heard_ms = excluded.heard_ms, heard_basis = excluded.heard_basis, started_at = excluded.started_at")
      .Text(call_id)
      .Text(item.item_id)
      .Int(item.position)
      .Text(Name(item.role))
      .Text(Name(item.status))
      .Text(item.text_generated)
      .Text(item.text_heard)
      .Int(item.generated_ms)
      .Int(item.heard_ms)
      .Text(Name(item.basis))
      .TimeOrNull(item.start_time)
      .Run();
}

absl::StatusOr<std::vector<call::TranscriptItem>> SelectTranscript(Database& database, absl::string_view call_id) {
  Query query = database.Prepare(
      "SELECT item_id, position, role, status, text_generated, text_heard, generated_ms, heard_ms, heard_basis, "
      "started_at "
      "FROM transcript_items WHERE call_id = ? ORDER BY position, id");
  query.Text(call_id);
  return ReadRows(std::move(query), ReadItem);
}

absl::Status UpsertTransfer(Database& database, absl::string_view call_id, const call::Transfer& transfer) {
  return database
      .Prepare(
          "INSERT INTO call_transfers (call_id, transfer_id, destination, number, reason, requested_by, state, "
          "outcome, detail, "
          "requested_at, connected_at, ended_at, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
          "ON CONFLICT (call_id, transfer_id) DO UPDATE SET destination = excluded.destination, number = "
          "excluded.number, "
          "reason = excluded.reason, requested_by = excluded.requested_by, state = excluded.state, outcome = "
          "excluded.outcome, "
          "detail = excluded.detail, requested_at = excluded.requested_at, connected_at = excluded.connected_at, "
          "ended_at = excluded.ended_at, attempts = excluded.attempts")
      .Text(call_id)
      .Text(transfer.transfer_id)
      .Text(transfer.destination)
      .Text(transfer.number)
      .Text(transfer.reason)
      .Text(Name(transfer.requested_by))
      .Text(Name(transfer.state))
      .Text(Name(transfer.outcome))
      .Text(transfer.detail)
      .TimeOrNull(transfer.request_time)
      .TimeOrNull(transfer.connect_time)
      .TimeOrNull(transfer.end_time)
      .Text(EncodeAttempts(transfer.attempts))
      .Run();
}

absl::StatusOr<std::vector<call::Transfer>> SelectTransfers(Database& database, absl::string_view call_id) {
  Query query = database.Prepare(
      "SELECT transfer_id, destination, number, reason, requested_by, state, outcome, detail, requested_at, "
      "connected_at, ended_at, attempts "
      "FROM call_transfers WHERE call_id = ? ORDER BY requested_at, id");
  query.Text(call_id);
  return ReadRows(std::move(query), ReadTransfer);
}

absl::Status InsertSummaryJob(Database& database, absl::string_view call_id, absl::Time due) {
  return database.Prepare("INSERT INTO summary_jobs (call_id, due_at) VALUES (?, ?) ON CONFLICT (call_id) DO NOTHING")
      .Text(call_id)
      .Time(due)
      .Run();
}

absl::Status DeleteSummaryJob(Database& database, absl::string_view call_id) {
  return database.Prepare("DELETE FROM summary_jobs WHERE call_id = ?").Text(call_id).Run();
}

absl::StatusOr<bool> UpdateSummaryJob(Database& database, const SummaryJob& job) {
  Query query = database.Prepare(
      "UPDATE summary_jobs SET attempts = ?, due_at = ?, last_error = ? WHERE call_id = ? RETURNING call_id");
  query.Int(job.attempts).Time(job.due).Text(job.last_error).Text(job.call_id);
  const bool found = query.Step();
  const absl::Status status = query.Run();
  if (!status.ok()) return status;
  return found;
}

absl::StatusOr<bool> MoveSummaryJob(Database& database, const SummaryJob& job, absl::Time until) {
  Query query = database.Prepare(
      "UPDATE summary_jobs SET due_at = ? WHERE call_id = ? AND due_at = ? AND attempts = ? RETURNING call_id");
  query.Time(until).Text(job.call_id).Time(job.due).Int(job.attempts);
  const bool moved = query.Step();
  const absl::Status status = query.Run();
  if (!status.ok()) return status;
  return moved;
}

absl::StatusOr<std::vector<SummaryJob>> SelectSummaryJobs(Database& database, absl::Time due_by, int limit) {
  Query query = database.Prepare(
      "SELECT call_id, attempts, due_at, last_error FROM summary_jobs WHERE due_at <= ? ORDER BY due_at, call_id LIMIT "
      "?");
  query.Time(due_by).Int(limit);
  return ReadRows(std::move(query), ReadSummaryJob);
}

absl::Status InsertTranscriptRead(Database& database, const TranscriptRead& read) {
  return database.Prepare("INSERT INTO transcript_reads (call_id, principal, read_at) VALUES (?, ?, ?)")
      .Text(read.call_id)
      .Text(read.principal)
      .Time(read.time)
      .Run();
}

absl::StatusOr<std::vector<TranscriptRead>> SelectTranscriptReads(Database& database, absl::string_view call_id,
                                                                  int limit) {
  Query query = database.Prepare(
      "SELECT call_id, principal, read_at FROM transcript_reads WHERE call_id = ? ORDER BY id LIMIT ?");
  query.Text(call_id).Int(limit);
  return ReadRows(std::move(query), ReadTranscriptRead);
}

}  // namespace callbridge::store
