#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_LOG_ROWS_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_LOG_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "src/call/event.h"
#include "src/call/types.h"
#include "src/events/stored_event.h"
#include "src/store/postgres/statement.h"
#include "src/store/records.h"

// The statements for the rows of call_events, transcript_items, call_transfers, summary_jobs and transcript_reads, and
// what comes back.
namespace callbridge::store {

// Bits of a position that number the events of one transaction; what is above is the transaction's id, and what
// restores have added (log_state.base).
inline constexpr int kOrdinalBits = 16;
inline constexpr int64_t kMaxEventsOfTransaction = int64_t{1} << kOrdinalBits;

// Appends events of one call, of which `first_ordinal` went before in the same transaction. Gives their positions in
// order. kNameLead: a CallCreated among them gets the id of the call's lead, whose row is there by then. kTombstones:
// nothing but their types is kept.
enum class Payload { kAsIs, kNameLead, kTombstones };
Statement InsertEvents(absl::string_view call_id, absl::Span<const call::Event> events, int64_t first_ordinal,
                       Payload payload);

// At most `limit` events behind `after`, in order, for ReadEvents(): those of one call; or those of all calls, as far
// as none can come to be before them any more, since every transaction with a lower id is over.
Statement SelectCallEvents(absl::string_view call_id, int64_t after, int64_t limit);
Statement SelectEvents(int64_t after, int64_t limit);
// The highest position that SelectEvents() shows or showed; 0: none.
Statement SelectHeadPosition();
// Up to which position something was purged.
Statement SelectOldestPosition();

// As CallStore::NoteRestored(). NoticeRestore() does so if the server shows that there was a restore, and gives whether
// it did: to be run on each new connection that writes, before anything else.
Statement NoteRestore();
Statement NoticeRestore();
Statement SelectLostPositions();
LostPositions ReadLostPositions(Rows& rows);
absl::StatusOr<std::vector<events::StoredEvent>> ReadEvents(Rows& rows);

// Sequence, type and position of a call's events from `first` to `last`, in order.
Statement SelectEventTypes(absl::string_view call_id, int64_t first, int64_t last);

Statement UpsertTranscriptItems(absl::string_view call_id, const std::vector<call::TranscriptItem>& items);
// Of these calls, each in the order of its conversation. Gives call_id, and a row for ReadItem().
Statement SelectTranscripts(const std::vector<std::string>& call_ids);
call::TranscriptItem ReadItem(Rows& rows);

Statement UpsertTransfer(absl::string_view call_id, const call::Transfer& transfer);
// Of these calls, each in the order of requests. Gives call_id, and a row for ReadTransfer().
Statement SelectTransfers(const std::vector<std::string>& call_ids);
call::Transfer ReadTransfer(Rows& rows);

// Makes the call's job, due at `due`, unless it has one or its summary is settled.
Statement InsertSummaryJob(absl::string_view call_id, absl::Time due);
// That the call's summary was made or given up, once and for all.
Statement SettleSummary(absl::string_view call_id);
// Touches no row: there is no such job.
Statement UpdateSummaryJob(const SummaryJob& job);
// Moves its due time to `until`; touches no row: it is not as in `job` any more.
Statement MoveSummaryJob(const SummaryJob& job, absl::Time until);
Statement SelectSummaryJobs(absl::Time due_by, int limit);
SummaryJob ReadSummaryJob(Rows& rows);

// Touches no row: there is no such call.
Statement InsertTranscriptRead(const TranscriptRead& read);
Statement SelectTranscriptReads(absl::string_view call_id, int limit);
TranscriptRead ReadTranscriptRead(Rows& rows);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_LOG_ROWS_H_
