#ifndef CALLBRIDGE_TESTS_FAKES_MEMORY_CALL_STORE_H_
#define CALLBRIDGE_TESTS_FAKES_MEMORY_CALL_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/types/optional.h"
#include "src/base/mutex.h"
#include "src/store/call_store.h"

namespace callbridge::store {

// A CallStore in maps. Keeps the store's contract, but for durability.
class MemoryCallStore final : public CallStore {
 public:
  // Called at the begin of each method, with its name, on the caller's thread: fails it by what it returns, may block
  // or throw.
  using Fault = std::function<absl::Status(absl::string_view method)>;
  void SetFault(Fault fault);

  // Called with the events of each write once they are readable, in the order of the log; for an EventHub.
  void SetOnCommit(std::function<void(std::vector<events::StoredEvent>)> on_commit);

  // Tells when a call is stored, for CloseWhere(). Not called with locks of others held.
  void SetClock(std::function<absl::Time()> clock);

  // Closes up to `limit` of the open calls that `which` names, as CloseOpenCalls() does; for MemoryNodeTable.
  // `stored`: when the call was, InfinitePast without a clock.
  using Which = std::function<bool(const CallRecord& call, absl::Time stored)>;
  absl::StatusOr<std::vector<OpenCall>> CloseWhere(const Which& which, const call::Termination& termination,
                                                   absl::Time now, bool summaries_due, int limit, bool raise_epoch);

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
  struct Entry {
    CallRecord record;
    std::vector<events::StoredEvent> events;
    std::vector<call::TranscriptItem> items;  // In the order of first writing.
    std::vector<call::Transfer> transfers;
    absl::optional<SummaryJob> summary_job;
    bool summary_settled = false;
    bool transcript_purged = false;
    absl::Time stored = absl::InfinitePast();
    std::vector<TranscriptRead> reads;
  };
  struct Lead {
    LeadRecord record;
    std::string fingerprint;
  };
  struct Request {
    std::string fingerprint;
    std::string call_id;
  };

  absl::Status Fail(absl::string_view method) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ApplyLocked(const CallWrite& write, std::vector<int64_t>* positions)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<size_t> CountRepeated(const Entry& entry, const std::vector<call::Event>& events)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<events::StoredEvent> Append(Entry& entry, const std::vector<call::Event>& events, size_t from)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyFields(Entry& entry, const CallWrite& write) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyTransferred(Entry& entry, const CallWrite& write) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyResult(Entry& entry, const CallWrite& write) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyEnd(Entry& entry, const CallWrite::End& end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ended before `before` and summed up, longest over first.
  std::vector<Entry*> Finished(absl::Time before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t PurgeEvents(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PurgeTranscript(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Lead* FindLeadById(absl::string_view lead_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Overwrites events in the log and in their call with tombstones; returns how many were none before.
  int64_t Erase(Entry& entry, const std::function<bool(const call::EventBody&)>& which)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  LeadRecord* LeadOf(const CallRecord& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void JoinLead(CallRecord& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t LastPosition() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Entry* Find(absl::string_view call_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  base::Mutex mutex_;
  Fault fault_ ABSL_GUARDED_BY(mutex_);
  std::function<absl::Time()> clock_ ABSL_GUARDED_BY(mutex_);
  std::function<void(std::vector<events::StoredEvent>)> on_commit_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Entry> calls_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Lead> leads_by_phone_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, Request> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<events::StoredEvent> log_ ABSL_GUARDED_BY(mutex_);
  int64_t head_ ABSL_GUARDED_BY(mutex_) = 0;  // Behind it the next position is given.
  std::vector<LostPositions> lost_ ABSL_GUARDED_BY(mutex_);
  int64_t purged_through_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Erasure> erasures_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_TESTS_FAKES_MEMORY_CALL_STORE_H_
