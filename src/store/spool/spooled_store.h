#ifndef CALLBRIDGE_SRC_STORE_SPOOL_SPOOLED_STORE_H_
#define CALLBRIDGE_SRC_STORE_SPOOL_SPOOLED_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/store/call_store.h"
#include "src/store/spool/record_json.h"
#include "src/store/spool/spool_log.h"

namespace callbridge::store {

// A store that goes on while the store inside it is away: what calls write then goes to a spool on the local disk, and
// from there into the store inside, in order, when that is back.
//
// When the store inside answers kUnavailable to Apply(), or to CreateCall() of an inbound call without a request's key,
// the write is spooled, and OK is returned once it is durable there; with no positions, since it has none yet. From
// then on every such write goes to the spool, without asking the store inside first, until the last one is replayed: so
// what one caller writes in order arrives in order. Other calls are not created meanwhile: kUnavailable, since whether
// the request made a call before is not known. Reads go to the store inside, and do not show what is spooled.
//
// Replay goes on by itself, on a thread of its own, with growing pauses, also after a restart. A write may reach the
// store inside twice (a crash came before it was noted); by CallStore's contract that changes nothing. A write that the
// store inside refuses is kept in spool.refused and logged; what of it is not its events is applied all the same, so
// that a call ends behind a gap. Of one whose owner has lost the call meanwhile only what somebody said is applied
// (store::OnlyWords()). Thread-safe; the writes of one call come one after the other.
class SpooledStore final : public CallStore {
 public:
  struct Options {
    SpoolLog::Options log;
    absl::Duration first_pause = absl::Milliseconds(50);  // Doubled for each failure in a row ...
    absl::Duration longest_pause = absl::Seconds(2);      // ... up to this.
  };

  // Takes over what an earlier process left in the folder. Errors: as SpoolLog::Open().
  static absl::StatusOr<std::unique_ptr<SpooledStore>> Open(std::unique_ptr<CallStore> inside, const Options& options);
  ~SpooledStore() override;

  // Begins to replay by itself. `on_replayed`, on the replaying thread: events were committed, up to that position of
  // the log, or 0: unknown. Once.
  void Start(std::function<void(int64_t position)> on_replayed);

  // Nothing is replayed any more, and nobody told; what is spooled stays for the next process.
  void Stop();

  // Blocks until nothing is spooled, or `at_most` is over. Returns whether nothing is. Only after Start().
  bool Drain(absl::Duration at_most);

  struct Stats {
    int64_t records = 0;  // Spooled and not replayed.
    int64_t bytes = 0;    // What they take on the disk, those included that are replayed and not removed yet.
    int64_t refused = 0;  // Kept in spool.refused by this process.
  };
  Stats stats() const;

  absl::StatusOr<Created> CreateCall(const CallRecord& call, const std::vector<call::Event>& events,
                                     const absl::optional<RequestKey>& key) override;
  absl::StatusOr<absl::optional<CallRecord>> FindRequest(const RequestKey& key) override;
  absl::Status Apply(const CallWrite& write, std::vector<int64_t>* positions) override;
  absl::StatusOr<CallRecord> GetCall(absl::string_view call_id) override;
  absl::StatusOr<std::vector<CallRecord>> ListCalls(const CallFilter& filter, const absl::optional<CallPageKey>& after,
                                                    int limit) override;
  absl::StatusOr<std::vector<call::TranscriptItem>> GetTranscript(absl::string_view call_id) override;
  absl::StatusOr<std::vector<call::Transfer>> ListTransfers(absl::string_view call_id) override;
  absl::StatusOr<std::vector<events::StoredEvent>> ReadCallEvents(absl::string_view call_id, int64_t after_sequence,
                                                                  int limit) override;
  absl::StatusOr<std::vector<events::StoredEvent>> ReadEvents(int64_t after_position, int limit) override;
  absl::StatusOr<int64_t> HeadPosition() override;
  absl::StatusOr<LeadRecord> GetLead(absl::string_view lead_id) override;
  absl::StatusOr<LeadRecord> FindLead(absl::string_view phone) override;
  // Replays all that is spooled first; kUnavailable if that cannot be done now: a call whose end is spooled is no
  // ghost.
  absl::StatusOr<std::vector<OpenCall>> CloseOpenCalls(const call::Termination& termination, absl::Time now,
                                                       bool summaries_due) override;
  absl::StatusOr<std::vector<SummaryJob>> ListSummaryJobs(absl::Time due_by, int limit) override;
  absl::Status SaveSummaryJob(const SummaryJob& job) override;
  absl::StatusOr<bool> ClaimSummaryJob(const SummaryJob& job, absl::Time until) override;
  absl::StatusOr<CallRecord> FindCall(absl::string_view carrier_call_id, absl::string_view carrier_request_id) override;
  absl::StatusOr<int64_t> OldestPosition() override;
  absl::Status NoteRestored(absl::Time now) override;
  absl::StatusOr<std::vector<LostPositions>> ListLostPositions() override;
  absl::StatusOr<LeadRecord> CreateLead(const LeadRecord& lead) override;
  absl::StatusOr<std::vector<LeadRecord>> ListLeads(const LeadFilter& filter, const absl::optional<LeadPageKey>& after,
                                                    int limit) override;
  absl::StatusOr<CallRecord> UpdateCall(const CallUpdate& update) override;
  absl::StatusOr<LeadRecord> UpdateLead(const LeadUpdate& update, absl::Time now) override;
  absl::Status AddTranscriptRead(const TranscriptRead& read) override;
  absl::StatusOr<std::vector<TranscriptRead>> ListTranscriptReads(absl::string_view call_id, int limit) override;
  // Replays all that is spooled first, as CloseOpenCalls() does: nothing of the person comes behind the erasure.
  absl::StatusOr<Erasure> EraseNumber(absl::string_view number, absl::string_view by, absl::Time now) override;
  absl::StatusOr<std::vector<Erasure>> ListErasures(int limit) override;
  absl::StatusOr<Purged> Purge(const Retention& keep, int max_calls) override;

 private:
  SpooledStore(std::unique_ptr<CallStore> inside, const Options& options, std::unique_ptr<SpoolLog> log);

  // Puts `line` into the spool because of `why`, the store's error; empty: others are spooled already.
  absl::Status Spool(const std::string& line, const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status NoNewCall(const absl::Status& why) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeginSpooling(const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Replays until nothing is left (OK), or the store inside or the disk is away (kUnavailable), or Stop().
  absl::Status ReplayAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(replay_mutex_);
  absl::Status ReplayFirst() ABSL_EXCLUSIVE_LOCKS_REQUIRED(replay_mutex_);
  // Takes the oldest record; false: there is none, and writes go to the store inside again.
  absl::StatusOr<bool> NextRecord(std::string* line);
  absl::Status ReplayRecord(const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(replay_mutex_);
  absl::Status ReplayWrite(CallWrite write, absl::Status* refused) ABSL_EXCLUSIVE_LOCKS_REQUIRED(replay_mutex_);
  absl::Status ReplayCreation(const CallCreation& creation, absl::Status* refused)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(replay_mutex_);
  void Run();

  const std::unique_ptr<CallStore> inside_;
  const Options options_;

  // Held while records go into the store inside: by one thread at a time. Before mutex_.
  base::Mutex replay_mutex_;

  mutable base::Mutex mutex_;
  base::CondVar changed_;
  const std::unique_ptr<SpoolLog> log_ ABSL_GUARDED_BY(mutex_);
  bool spooling_ ABSL_GUARDED_BY(mutex_) = false;  // Writes go to the spool.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t replayed_ ABSL_GUARDED_BY(mutex_) = 0;  // Since spooling began.
  std::string away_because_ ABSL_GUARDED_BY(mutex_);
  std::function<void(int64_t position)> on_replayed_;  // Set before the thread begins.
  std::thread thread_;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SPOOL_SPOOLED_STORE_H_
