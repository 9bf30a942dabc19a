#ifndef CALLBRIDGE_TESTS_FAKES_TROUBLED_STORE_H_
#define CALLBRIDGE_TESTS_FAKES_TROUBLED_STORE_H_

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/base/mutex.h"
#include "src/store/call_store.h"

namespace callbridge::store {

// What is wrong with a database, for a while. Thread-safe.
class StoreTrouble {
 public:
  enum class Kind {
    kNone,
    kRefused,    // Nobody answers.
    kHanging,    // Each request is given up after a limit.
    kReadOnly,   // Reads are answered.
    kLostReply,  // Writes are done, and the connection breaks before that is told.
  };
  void Set(Kind kind) {
    base::MutexLock lock(mutex_);
    kind_ = kind;
    changed_.NotifyAll();
  }
  // How long a request hangs at most; 50 ms if it is not set.
  void SetLimit(absl::Duration limit) {
    base::MutexLock lock(mutex_);
    limit_ = limit;
  }
  int writes() const { return writes_; }  // That came here, done or not.

 private:
  friend class TroubledStore;
  // OK: the request may be done. Waits if it has to hang.
  absl::Status Begin(bool write);
  absl::Status End(absl::Status done);

  base::Mutex mutex_;
  base::CondVar changed_;
  Kind kind_ ABSL_GUARDED_BY(mutex_) = Kind::kNone;
  absl::Duration limit_ ABSL_GUARDED_BY(mutex_) = absl::Milliseconds(50);
  std::atomic<int> writes_{0};
};

// A store whose database has trouble.
class TroubledStore final : public CallStore {
 public:
  TroubledStore(std::shared_ptr<CallStore> inside, std::shared_ptr<StoreTrouble> trouble)
      : inside_(std::move(inside)), trouble_(std::move(trouble)) {}

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
  absl::StatusOr<Erasure> EraseNumber(absl::string_view number, absl::string_view by, absl::Time now) override;
  absl::StatusOr<std::vector<Erasure>> ListErasures(int limit) override;
  absl::StatusOr<Purged> Purge(const Retention& keep, int max_calls) override;

 private:
  template <typename Do>
  auto Read(Do request) -> decltype(request()) {
    if (absl::Status status = trouble_->Begin(/*write=*/false); !status.ok()) return status;
    return request();
  }
  template <typename Do>
  auto Write(Do request) -> decltype(request()) {
    if (absl::Status status = trouble_->Begin(/*write=*/true); !status.ok()) return status;
    return request();
  }

  const std::shared_ptr<CallStore> inside_;
  const std::shared_ptr<StoreTrouble> trouble_;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_TESTS_FAKES_TROUBLED_STORE_H_
