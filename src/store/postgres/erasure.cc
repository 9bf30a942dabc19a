#include "src/store/postgres/erasure.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/ids.h"
#include "src/store/refusals.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

// Bigger than one step of a call.
constexpr absl::Duration kLimit = absl::Minutes(1);

using Ids = std::vector<std::string>;

// A statement whose only parameter, $1, is these calls.
Statement OfCalls(absl::string_view sql, const Ids& ids) {
  ArrayText array;
  for (const std::string& id : ids) array.Add(id);
  return Statement(sql).Array(array);
}

// The calls with that number on the other side, locked until the end of the transaction. Of those that are not over,
// the ids are added to `open`.
absl::StatusOr<Ids> LockCalls(Connection& connection, absl::string_view number, Ids* open) {
  // The lead first: whoever makes a call waits for it, and makes a new one then. The condition on lengths is the
  // indexes'.
  Statement lead("SELECT id FROM leads WHERE phone = $1 FOR UPDATE");
  Statement calls(
      "SELECT id, state IN ('completed', 'failed') FROM call_logs WHERE "
      "(direction = 'outbound' AND to_number = $1 AND octet_length(to_number) <= 256) OR "
      "(direction = 'inbound' AND from_number = $1 AND octet_length(from_number) <= 256) "
      "ORDER BY created_at, id FOR UPDATE");
  auto rows = connection.Run({lead.Text(number), calls.Text(number)}, kLimit);
  if (!rows.ok()) return rows.status();
  Ids ids;
  for (Rows& found = rows->back(); found.Next();) {
    ids.push_back(found.GetText());
    if (!found.GetBool()) open->push_back(ids.back());
  }
  return ids;
}

// Everything but the note.
absl::Status EraseRows(Connection& connection, absl::string_view number, const Ids& ids, absl::Time now,
                       ErasureCounts* counts) {
  const std::vector<Statement> steps = {
      OfCalls("UPDATE call_events SET payload = '{}', erased = true WHERE NOT erased AND call_id = ANY ($1::text[])",
              ids),
      OfCalls("DELETE FROM transcript_items WHERE call_id = ANY ($1::text[])", ids),
      OfCalls("UPDATE call_transfers SET number = '', reason = '', detail = '', attempts = '[]' "
              "WHERE call_id = ANY ($1::text[])",
              ids),
      OfCalls("DELETE FROM summary_jobs WHERE call_id = ANY ($1::text[])", ids),
      OfCalls("UPDATE call_logs SET from_number = CASE direction WHEN 'inbound' THEN '' ELSE from_number END, "
              "to_number = CASE direction WHEN 'outbound' THEN '' ELSE to_number END, lead_id = NULL, "
              "transcript = '', summary = '', summary_settled = true, disposition = '', interest = '', "
              "follow_up_time = '', result_fields = '', metadata = '{}', labels = '{}', transfer_reason = '', "
              "end_evidence = CASE WHEN end_evidence IS NULL THEN NULL ELSE '' END, erased_at = $2 "
              "WHERE id = ANY ($1::text[])",
              ids)
          .Time(now),
      Statement("DELETE FROM leads WHERE phone = $1").Text(number),
      // A hash of what was asked for; a repeat of the request is refused instead of dialling.
      OfCalls("UPDATE call_requests SET fingerprint = 'erased' WHERE call_id = ANY ($1::text[])", ids),
  };
  auto rows = connection.Run(steps, kLimit);
  if (!rows.ok()) return rows.status();
  size_t step = 0;
  for (int64_t* count : {&counts->events, &counts->transcript_items, &counts->transfers, &counts->summary_jobs,
                         &counts->calls, &counts->leads}) {
    *count = rows->at(step++).affected();
  }
  return absl::OkStatus();
}

Statement InsertErasure(const Erasure& erasure) {
  const ErasureCounts& counts = erasure.counts;
  Statement statement(
      "INSERT INTO erasures (id, erased_by, erased_at, number_hash, leads, calls, transcript_items, transfers, events, "
      "summary_jobs) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
  statement.Text(erasure.erasure_id).Text(erasure.by).Time(erasure.time).Text(erasure.number_hash).Int(counts.leads);
  statement.Int(counts.calls).Int(counts.transcript_items).Int(counts.transfers).Int(counts.events);
  return statement.Int(counts.summary_jobs);
}

// At most `limit` calls, longest over first, that are over since before `before`, wait for no summary, and fulfil
// `condition`. They are locked until the end of the transaction.
absl::StatusOr<Ids> FinishedCalls(Connection& connection, absl::string_view condition, absl::Time before,
                                  int64_t limit) {
  if (before == absl::InfinitePast()) return Ids();
  Statement statement(
      absl::StrCat("SELECT id FROM call_logs WHERE ended_at < $1 AND state IN ('completed', 'failed') AND ", condition,
                   " AND NOT EXISTS (SELECT 1 FROM summary_jobs WHERE call_id = call_logs.id) "
                   "ORDER BY ended_at, id LIMIT $2 FOR UPDATE"));
  auto rows = connection.Run({statement.Bound(before).Int(limit)}, kLimit);
  if (!rows.ok()) return rows.status();
  Ids ids;
  while ((*rows)[0].Next()) ids.push_back((*rows)[0].GetText());
  return ids;
}

// What removes the events of calls; the second statement touches as many rows as there were.
std::vector<Statement> PurgeEvents(const Ids& ids) {
  return {OfCalls("UPDATE log_state SET purged_through = greatest(purged_through, "
                  "(SELECT max(position) FROM call_events WHERE call_id = ANY ($1::text[])))",
                  ids),
          OfCalls("DELETE FROM call_events WHERE call_id = ANY ($1::text[])", ids),
          OfCalls("UPDATE call_logs SET event_floor = event_head WHERE id = ANY ($1::text[])", ids)};
}

std::vector<Statement> PurgeTranscripts(const Ids& ids) {
  return {OfCalls("DELETE FROM transcript_items WHERE call_id = ANY ($1::text[])", ids),
          OfCalls("DELETE FROM transcript_reads WHERE call_id = ANY ($1::text[])", ids),
          OfCalls("UPDATE call_events SET payload = '{}', erased = true "
                  "WHERE call_id = ANY ($1::text[]) AND type = 'transcript_item_final'",
                  ids),
          OfCalls("UPDATE call_logs SET transcript = '', transcript_purged = true WHERE id = ANY ($1::text[])", ids)};
}

std::vector<Statement> PurgeCalls(const Ids& ids) {
  std::vector<Statement> statements = PurgeEvents(ids);
  for (const absl::string_view table : {"transcript_items", "transcript_reads", "call_transfers", "call_requests"}) {
    statements.push_back(OfCalls(absl::StrCat("DELETE FROM ", table, " WHERE call_id = ANY ($1::text[])"), ids));
  }
  statements.push_back(OfCalls("DELETE FROM call_logs WHERE id = ANY ($1::text[])", ids));
  return statements;
}

}  // namespace

absl::StatusOr<Erasure> EraseNumber(Connection& connection, absl::string_view number, absl::string_view by,
                                    absl::Time now) {
  Ids open;
  const absl::StatusOr<Ids> ids = LockCalls(connection, number, &open);
  if (!ids.ok()) return ids.status();
  if (!open.empty()) return CallsNotOver(open);
  Erasure erasure;
  erasure.erasure_id = base::NewUuid();
  erasure.by = std::string(by);
  erasure.time = now;
  erasure.number_hash = NumberHash(number);
  absl::Status status = EraseRows(connection, number, *ids, now, &erasure.counts);
  if (status.ok()) status = connection.Run({InsertErasure(erasure)}).status();
  if (!status.ok()) return status;
  return erasure;
}

Statement SelectErasures(int limit) {
  return Statement(
             "SELECT id, erased_by, erased_at, number_hash, leads, calls, transcript_items, transfers, events, "
             "summary_jobs FROM erasures ORDER BY erased_at DESC, ordinal DESC LIMIT $1")
      .Int(limit);
}

Erasure ReadErasure(Rows& rows) {
  Erasure erasure;
  erasure.erasure_id = rows.GetText();
  erasure.by = rows.GetText();
  erasure.time = rows.GetTime();
  erasure.number_hash = rows.GetText();
  for (int64_t* count : {&erasure.counts.leads, &erasure.counts.calls, &erasure.counts.transcript_items,
                         &erasure.counts.transfers, &erasure.counts.events, &erasure.counts.summary_jobs}) {
    *count = rows.GetInt();
  }
  return erasure;
}

absl::StatusOr<Purged> Purge(Connection& connection, const Retention& keep, int max_calls) {
  Purged purged;
  const auto purge = [&](absl::string_view condition, absl::Time before, auto statements, int64_t* calls,
                         bool has_events) -> absl::Status {
    // One more than may go tells whether there is more.
    absl::StatusOr<Ids> ids = FinishedCalls(connection, condition, before, int64_t{max_calls} + 1);
    if (!ids.ok() || ids->empty()) return ids.status();
    if (ids->size() > static_cast<size_t>(max_calls)) {
      purged.more = true;
      ids->resize(max_calls);
    }
    auto rows = connection.Run(statements(*ids), kLimit);
    if (!rows.ok()) return rows.status();
    if (has_events) purged.events += rows->at(1).affected();
    if (calls != nullptr) *calls += static_cast<int64_t>(ids->size());
    return absl::OkStatus();
  };
  // Whole calls first: what goes with them needs no other purge.
  absl::Status status = purge("true", keep.calls, &PurgeCalls, &purged.calls, /*has_events=*/true);
  if (status.ok()) status = purge("event_floor < event_head", keep.events, &PurgeEvents, nullptr, /*has_events=*/true);
  if (status.ok()) {
    status = purge("NOT transcript_purged", keep.transcripts, &PurgeTranscripts, &purged.transcripts,
                   /*has_events=*/false);
  }
  if (!status.ok()) return status;
  return purged;
}

}  // namespace callbridge::store
