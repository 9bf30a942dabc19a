#ifndef CALLBRIDGE_SRC_STORE_SQLITE_LOG_TABLES_H_
#define CALLBRIDGE_SRC_STORE_SQLITE_LOG_TABLES_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/call/event.h"
#include "src/call/types.h"
#include "src/events/stored_event.h"
#include "src/store/records.h"
#include "src/store/sqlite/database.h"

// The rows of call_events, transcript_items, call_transfers, summary_jobs and transcript_reads. Functions that write
// expect an open transaction.
namespace callbridge::store {

// Returns the position in the log. `erased`: a tombstone.
absl::StatusOr<int64_t> InsertEvent(Database& database, const call::Event& event, bool erased = false);

// At most `limit` events of one call behind `after_sequence`, in order.
absl::StatusOr<std::vector<events::StoredEvent>> SelectCallEvents(Database& database, absl::string_view call_id,
                                                                  int64_t after_sequence, int64_t limit);
// At most `limit` events of all calls behind `after_position`, in order.
absl::StatusOr<std::vector<events::StoredEvent>> SelectEvents(Database& database, int64_t after_position,
                                                              int64_t limit);
absl::StatusOr<int64_t> SelectHeadPosition(Database& database);
absl::StatusOr<int64_t> SelectOldestPosition(Database& database);

absl::Status UpsertTranscriptItem(Database& database, absl::string_view call_id, const call::TranscriptItem& item);
absl::StatusOr<std::vector<call::TranscriptItem>> SelectTranscript(Database& database, absl::string_view call_id);

absl::Status UpsertTransfer(Database& database, absl::string_view call_id, const call::Transfer& transfer);
absl::StatusOr<std::vector<call::Transfer>> SelectTransfers(Database& database, absl::string_view call_id);

// Makes the call's job, due at `due`, unless it has one.
absl::Status InsertSummaryJob(Database& database, absl::string_view call_id, absl::Time due);
absl::Status DeleteSummaryJob(Database& database, absl::string_view call_id);
// False: there is no such job.
absl::StatusOr<bool> UpdateSummaryJob(Database& database, const SummaryJob& job);
// Moves its due time if it is still as in `job`. False: it is not, or there is none.
absl::StatusOr<bool> MoveSummaryJob(Database& database, const SummaryJob& job, absl::Time until);
// At most `limit` with a due time up to `due_by`, oldest due first.
absl::StatusOr<std::vector<SummaryJob>> SelectSummaryJobs(Database& database, absl::Time due_by, int limit);

absl::Status InsertTranscriptRead(Database& database, const TranscriptRead& read);
// At most `limit` of one call, in order.
absl::StatusOr<std::vector<TranscriptRead>> SelectTranscriptReads(Database& database, absl::string_view call_id,
                                                                  int limit);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SQLITE_LOG_TABLES_H_
