#include "src/store/sqlite/erasure.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "src/base/ids.h"
#include "src/store/refusals.h"
#include "src/store/write_check.h"

namespace callbridge::store {
namespace {

// Calls with the number ?1 on the other side.
constexpr char kWithNumber[] =
    "((direction = 'outbound' AND to_number = ?1) OR (direction = 'inbound' AND from_number = ?1))";

absl::StatusOr<std::vector<std::string>> ReadTexts(Query query) {
  std::vector<std::string> texts;
  while (query.Step()) texts.push_back(query.GetText());
  if (!query.status().ok()) return query.status();
  return texts;
}

// Runs `sql`, whose only parameter is `value`, and adds to `count` how many rows it touched.
absl::Status RunAndCount(Database& database, absl::string_view sql, absl::string_view value, int64_t* count) {
  absl::Status status = database.PrepareOnce(sql).Text(value).Run();
  if (status.ok() && count != nullptr) *count += database.changes();
  return status;
}

// Everything but the note. The calls' own rows come after what is found by them.
absl::Status EraseRows(Database& database, absl::string_view number, absl::Time now, ErasureCounts* counts) {
  const std::string of_calls = absl::StrCat(" call_id IN (SELECT id FROM call_logs WHERE ", kWithNumber, ")");
  struct Step {
    std::string sql;
    int64_t* count;
  };
  const Step steps[] = {
      {absl::StrCat("UPDATE call_events SET payload = '{}', erased = 1 WHERE erased = 0 AND", of_calls),
       &counts->events},
      {absl::StrCat("DELETE FROM transcript_items WHERE", of_calls), &counts->transcript_items},
      {absl::StrCat("UPDATE call_transfers SET number = '', reason = '', detail = '', attempts = '[]' WHERE", of_calls),
       &counts->transfers},
      {absl::StrCat("DELETE FROM summary_jobs WHERE", of_calls), &counts->summary_jobs},
      // A hash of what was asked for; a repeat of the request is refused instead of dialling.
      {absl::StrCat("UPDATE call_requests SET fingerprint = 'erased' WHERE", of_calls), nullptr},
  };
  for (const Step& step : steps) {
    absl::Status status = RunAndCount(database, step.sql, number, step.count);
    if (!status.ok()) return status;
  }
  absl::Status status =
      database
          .PrepareOnce(absl::StrCat(
              "UPDATE call_logs SET from_number = CASE direction WHEN 'inbound' THEN '' ELSE from_number END, "
              "to_number = CASE direction WHEN 'outbound' THEN '' ELSE to_number END, lead_id = NULL, "
              "transcript = '', summary = '', summary_settled = 1, disposition = '', interest = '', "
              "follow_up_time = '', result_fields = '', metadata = '{}', labels = '{}', transfer_reason = '', "
              "end_evidence = CASE WHEN end_evidence IS NULL THEN NULL ELSE '' END, erased_at = ?2 WHERE ",
              kWithNumber))
          .Text(number)
          .Time(now)
          .Run();
  if (!status.ok()) return status;
  counts->calls = database.changes();
  return RunAndCount(database, "DELETE FROM leads WHERE phone = ?", number, &counts->leads);
}

absl::Status InsertErasure(Database& database, const Erasure& erasure) {
  const ErasureCounts& counts = erasure.counts;
  return database
      .PrepareOnce(
          "INSERT INTO erasures (id, erased_by, erased_at, number_hash, leads, calls, transcript_items, transfers, "
          "events, summary_jobs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Text(erasure.erasure_id)
      .Text(erasure.by)
      .Time(erasure.time)
      .Text(erasure.number_hash)
      .Int(counts.leads)
      .Int(counts.calls)
      .Int(counts.transcript_items)
      .Int(counts.transfers)
      .Int(counts.events)
      .Int(counts.summary_jobs)
      .Run();
}

// At most `limit` calls, longest over first, that are over since before `before`, wait for no summary, and fulfil
// `condition`.
absl::StatusOr<std::vector<std::string>> FinishedCalls(Database& database, absl::string_view condition,
                                                       absl::Time before, int64_t limit) {
  if (before == absl::InfinitePast()) return std::vector<std::string>();
  Query query = database.Prepare(
      absl::StrCat("SELECT id FROM call_logs WHERE ended_at < ? AND state IN ('completed', 'failed') AND ", condition,
                   " AND NOT EXISTS (SELECT 1 FROM summary_jobs WHERE call_id = call_logs.id) "
                   "ORDER BY ended_at, id LIMIT ?"));
  query.Time(before).Int(limit);
  return ReadTexts(std::move(query));
}

absl::Status PurgeEvents(Database& database, const std::string& call_id, int64_t* events) {
  absl::Status status = RunAndCount(database,
                                    "UPDATE log_state SET purged_through = max(purged_through, "
                                    "(SELECT coalesce(max(position), 0) FROM call_events WHERE call_id = ?))",
                                    call_id, nullptr);
  if (status.ok()) status = RunAndCount(database, "DELETE FROM call_events WHERE call_id = ?", call_id, events);
  if (!status.ok()) return status;
  return RunAndCount(database, "UPDATE call_logs SET event_floor = event_head WHERE id = ?", call_id, nullptr);
}

absl::Status PurgeTranscript(Database& database, const std::string& call_id) {
  for (const absl::string_view sql :
       {"DELETE FROM transcript_items WHERE call_id = ?", "DELETE FROM transcript_reads WHERE call_id = ?",
        "UPDATE call_events SET payload = '{}', erased = 1 WHERE call_id = ? AND type = 'transcript_item_final'",
        "UPDATE call_logs SET transcript = '', transcript_purged = 1 WHERE id = ?"}) {
    absl::Status status = RunAndCount(database, sql, call_id, nullptr);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PurgeCall(Database& database, const std::string& call_id, int64_t* events) {
  absl::Status status = PurgeEvents(database, call_id, events);
  if (!status.ok()) return status;
  for (const absl::string_view sql :
       {"DELETE FROM transcript_items WHERE call_id = ?", "DELETE FROM transcript_reads WHERE call_id = ?",
        "DELETE FROM call_transfers WHERE call_id = ?", "DELETE FROM call_requests WHERE call_id = ?",
        "DELETE FROM call_logs WHERE id = ?"}) {
    status = RunAndCount(database, sql, call_id, nullptr);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Erasure> EraseNumber(Database& database, absl::string_view number, absl::string_view by,
                                    absl::Time now) {
  Query open = database.PrepareOnce(absl::StrCat("SELECT id FROM call_logs WHERE ", kWithNumber,
                                                 " AND state NOT IN ('completed', 'failed') ORDER BY created_at, id"));
  open.Text(number);
  const absl::StatusOr<std::vector<std::string>> not_over = ReadTexts(std::move(open));
  if (!not_over.ok()) return not_over.status();
  if (!not_over->empty()) return CallsNotOver(*not_over);
  Erasure erasure;
  erasure.erasure_id = base::NewUuid();
  erasure.by = std::string(by);
  erasure.time = now;
  erasure.number_hash = NumberHash(number);
  absl::Status status = EraseRows(database, number, now, &erasure.counts);
  if (status.ok()) status = InsertErasure(database, erasure);
  if (!status.ok()) return status;
  return erasure;
}

absl::StatusOr<std::vector<Erasure>> SelectErasures(Database& database, int limit) {
  Query query = database.PrepareOnce(
      "SELECT id, erased_by, erased_at, number_hash, leads, calls, transcript_items, transfers, events, summary_jobs "
      "FROM erasures ORDER BY erased_at DESC, rowid DESC LIMIT ?");
  query.Int(limit);
  std::vector<Erasure> erasures;
  while (query.Step()) {
    Erasure& erasure = erasures.emplace_back();
    erasure.erasure_id = query.GetText();
    erasure.by = query.GetText();
    erasure.time = query.GetTime();
    erasure.number_hash = query.GetText();
    for (int64_t* count : {&erasure.counts.leads, &erasure.counts.calls, &erasure.counts.transcript_items,
                           &erasure.counts.transfers, &erasure.counts.events, &erasure.counts.summary_jobs}) {
      *count = query.GetInt();
    }
  }
  if (!query.status().ok()) return query.status();
  return erasures;
}

absl::StatusOr<Purged> Purge(Database& database, const Retention& keep, int max_calls) {
  Purged purged;
  const auto each = [&](absl::string_view condition, absl::Time before, auto purge_one) -> absl::Status {
    // One more than may go tells whether there is more.
    const auto calls = FinishedCalls(database, condition, before, int64_t{max_calls} + 1);
    if (!calls.ok()) return calls.status();
    for (size_t i = 0; i < calls->size(); ++i) {
      if (i == static_cast<size_t>(max_calls)) {
        purged.more = true;
        break;
      }
      absl::Status status = purge_one((*calls)[i]);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  };
  // Whole calls first: what goes with them needs no other purge.
  absl::Status status = each("true", keep.calls, [&](const std::string& call_id) {
    ++purged.calls;
    return PurgeCall(database, call_id, &purged.events);
  });
  if (status.ok()) {
    status = each("event_floor < event_head", keep.events,
                  [&](const std::string& call_id) { return PurgeEvents(database, call_id, &purged.events); });
  }
  if (status.ok()) {
    status = each("transcript_purged = 0", keep.transcripts, [&](const std::string& call_id) {
      ++purged.transcripts;
      return PurgeTranscript(database, call_id);
    });
  }
  if (!status.ok()) return status;
  return purged;
}

}  // namespace callbridge::store
