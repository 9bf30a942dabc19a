#ifndef CALLBRIDGE_SRC_STORE_SQLITE_SQLITE_STORE_H_
#define CALLBRIDGE_SRC_STORE_SQLITE_SQLITE_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/store/call_store.h"
#include "src/store/sqlite/database.h"

namespace callbridge::store {

// The store of a single machine: one file. WAL with synchronous=FULL, so what was acknowledged survives a kill and a
// loss of power. One writer at a time under a mutex; reads have a connection and a mutex of their own and do not wait
// for writes. Positions of the log are given in commit order. Reports may read the file with other programs meanwhile.
class SqliteStore final : public CallStore {
 public:
  struct Options {
    // How long a write waits for another program's lock before it fails with kUnavailable.
    absl::Duration busy_timeout = absl::Seconds(2);

    // Takes no lock and writes nothing, so that a server may use the file meanwhile; it must be there, with its schema
    // up to date. Every method that writes fails.
    bool read_only = false;
  };

  // Opens or makes the database at `path`, with its folder, and brings the schema up to date. The message of an error
  // is one line that names the path. A file beside it, <path>.lock, is held locked for as long as the store lives (the
  // kernel lets go of it when the process dies): two stores on one file would end each other's calls.
  // kFailedPrecondition: another process has it, not a database, not ours, or made by a newer callbridge.
  // kInvalidArgument: no path of a file. kUnavailable: cannot be created or written.
  static absl::StatusOr<std::unique_ptr<CallStore>> Open(const std::string& path, const Options& options);
  static absl::StatusOr<std::unique_ptr<CallStore>> Open(const std::string& path) { return Open(path, Options()); }

  ~SqliteStore() override;

  absl::StatusOr<Created> CreateCall(const CallRecord& call, const std::vector<call::Event>& events,
                                     const absl::optional<RequestKey>& key) override;
  absl::StatusOr<absl::optional<CallRecord>> FindRequest(const RequestKey& key) override;
  absl::Status Apply(const CallWrite& write, std::vector<int64_t>* positions) override;
  absl::StatusOr<CallRecord> GetCall(absl::string_view call_id) override;
  absl::StatusOr<CallRecord> FindCall(absl::string_view carrier_call_id, absl::string_view carrier_request_id) override;
  absl::StatusOr<std::vector<CallRecord>> ListCalls(const CallFilter& filter, const absl::optional<CallPageKey>& after,
                                                    int limit) override;
  absl::StatusOr<std::vector<call::TranscriptItem>> GetTranscript(absl::string_view call_id) override;
  absl::StatusOr<std::vector<call::Transfer>> ListTransfers(absl::string_view call_id) override;
  absl::StatusOr<std::vector<events::StoredEvent>> ReadCallEvents(absl::string_view call_id, int64_t after_sequence,
                                                                  int limit) override;
  absl::StatusOr<std::vector<events::StoredEvent>> ReadEvents(int64_t after_position, int limit) override;
  absl::StatusOr<int64_t> HeadPosition() override;
  absl::StatusOr<int64_t> OldestPosition() override;
  absl::Status NoteRestored(absl::Time now) override;
  absl::StatusOr<std::vector<LostPositions>> ListLostPositions() override;
  absl::StatusOr<LeadRecord> GetLead(absl::string_view lead_id) override;
  absl::StatusOr<LeadRecord> FindLead(absl::string_view phone) override;
  absl::StatusOr<LeadRecord> CreateLead(const LeadRecord& lead) override;
  absl::StatusOr<std::vector<LeadRecord>> ListLeads(const LeadFilter& filter, const absl::optional<LeadPageKey>& after,
                                                    int limit) override;
  absl::StatusOr<CallRecord> UpdateCall(const CallUpdate& update) override;
  absl::StatusOr<LeadRecord> UpdateLead(const LeadUpdate& update, absl::Time now) override;
  absl::StatusOr<std::vector<OpenCall>> CloseOpenCalls(const call::Termination& termination, absl::Time now,
                                                       bool summaries_due) override;
  absl::StatusOr<std::vector<SummaryJob>> ListSummaryJobs(absl::Time due_by, int limit) override;
  absl::Status SaveSummaryJob(const SummaryJob& job) override;
  absl::StatusOr<bool> ClaimSummaryJob(const SummaryJob& job, absl::Time until) override;
  absl::Status AddTranscriptRead(const TranscriptRead& read) override;
  absl::StatusOr<std::vector<TranscriptRead>> ListTranscriptReads(absl::string_view call_id, int limit) override;
  absl::StatusOr<Erasure> EraseNumber(absl::string_view number, absl::string_view by, absl::Time now) override;
  absl::StatusOr<std::vector<Erasure>> ListErasures(int limit) override;
  absl::StatusOr<Purged> Purge(const Retention& keep, int max_calls) override;

 private:
  class FileLock;

  static absl::StatusOr<std::unique_ptr<CallStore>> OpenReadOnly(const std::string& path);
  SqliteStore(std::unique_ptr<FileLock> lock, Database writer, Database reader);

  // kNotFound: no such call. Inside a transaction, before and after which the answer may be another one.
  absl::Status ApplyLocked(const CallWrite& write, std::vector<int64_t>* positions)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::StatusOr<Created> CreateLocked(const CallRecord& call, const std::vector<call::Event>& events,
                                       const absl::optional<RequestKey>& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::StatusOr<std::vector<OpenCall>> CloseLocked(const call::Termination& termination, absl::Time now,
                                                    bool summaries_due) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  // What `work` does with the writer, in one transaction.
  template <typename Result, typename Work>
  absl::StatusOr<Result> WriteInTransaction(Work work);
  // kOutOfRange: events behind `after_sequence` were purged.
  absl::Status CheckFloor(absl::string_view call_id, int64_t after_sequence) ABSL_EXCLUSIVE_LOCKS_REQUIRED(read_mutex_);
  absl::Status RequireCall(absl::string_view call_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(read_mutex_);

  const std::unique_ptr<FileLock> lock_;  // First: let go of last. Null: only read.
  base::Mutex write_mutex_;
  Database writer_ ABSL_GUARDED_BY(write_mutex_);
  base::Mutex read_mutex_;
  Database reader_ ABSL_GUARDED_BY(read_mutex_);
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SQLITE_SQLITE_STORE_H_
