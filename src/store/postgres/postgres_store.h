#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_POSTGRES_STORE_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_POSTGRES_STORE_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/store/call_store.h"
#include "src/store/postgres/connection.h"
#include "src/store/postgres/pool.h"
#include "src/store/postgres/writer_lock.h"

namespace callbridge::store {

// The store on a PostgreSQL server, version 14 or later. Each write is one transaction in one round trip, committed
// when it returns; writes and reads have connections of their own. A position is the id of the transaction that wrote
// the event, shifted, plus a number within it; readers of the log of all calls see nothing above the oldest transaction
// that still runs, so what they have seen never gets a neighbour before it. A transaction that any client of the server
// leaves open holds the log back, no more.
//
// No exchange with the server takes longer than the limits. What was under way when a connection failed may have been
// committed all the same: it may be repeated, as CallStore promises, and a call whose making is repeated by this store
// after such a failure is not told to have existed.
class PostgresStore final : public CallStore {
 public:
  // Who else may write to this database. kExclusive: nobody; refuses to start while another process has it, and to
  // write once another has taken it over: two would end each other's calls. kNodes: other processes opened with kNodes,
  // any number of them; each call has an owner. These two exclude each other in the same way. kNone: it does not ask,
  // as commands beside a server.
  enum class Sharing { kExclusive, kNodes, kNone };

  struct Options {
    Limits limits;
    int write_connections = 1;
    int read_connections = 2;

    Sharing sharing = Sharing::kExclusive;
    // Bring the schema up to date; else it must be.
    bool migrate = true;
    absl::Duration owner_patience = absl::Seconds(5);  // How long a start waits for the last one to be gone.
  };

  // Connects, and brings the schema up to date. `uri` as libpq takes it. The message of an error is one line that names
  // host and database, and never a password. kInvalidArgument: no URI. kFailedPrecondition: another process has the
  // database, as Sharing says; its schema is not ours, or newer; the server is too old or not UTF8. kUnavailable: it
  // cannot be reached, or is read-only.
  static absl::StatusOr<std::unique_ptr<CallStore>> Open(const std::string& uri, const Options& options);
  static absl::StatusOr<std::unique_ptr<CallStore>> Open(const std::string& uri) { return Open(uri, Options()); }

  ~PostgresStore() override;

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
  using Batch = std::vector<Statement>;

  PostgresStore(const Target& target, const Options& options, std::unique_ptr<WriterLock> lock);

  // A batch that begins with the check of who may write, if there is one.
  Batch NewBatch() const;

  // Run on the connections for writes, and for reads.
  template <typename Use>
  auto Write(Use use) -> decltype(use(std::declval<Connection&>()));
  template <typename Use>
  auto Read(Use use) -> decltype(use(std::declval<Connection&>()));
  absl::StatusOr<std::vector<Rows>> Read(const Batch& batch);
  absl::StatusOr<int64_t> ReadNumber(const Statement& statement);
  absl::StatusOr<LeadRecord> ReadOneLead(const Statement& statement);

  absl::StatusOr<Created> CreateOn(Connection& connection, const CallRecord& call,
                                   const std::vector<call::Event>& events, const absl::optional<RequestKey>& key);
  absl::StatusOr<Created> Insert(Connection& connection, Created created, const std::vector<call::Event>& events,
                                 const absl::optional<RequestKey>& key);
  absl::StatusOr<absl::optional<Created>> FindExisting(Connection& connection, const CallRecord& call,
                                                       const absl::optional<RequestKey>& key);
  absl::StatusOr<LeadRecord> UpdateLeadOn(Connection& connection, const LeadUpdate& update, absl::Time now);
  absl::Status ApplyOn(Connection& connection, const CallWrite& write, std::vector<int64_t>* positions);
  absl::StatusOr<std::vector<OpenCall>> CloseSome(Connection& connection, const call::Termination& termination,
                                                  absl::Time now, bool summaries_due);
  void AddPartitionsWhenDue();

  void NoteDoubt(const std::string& call_id);
  bool TakeDoubt(const std::string& call_id);

  const std::unique_ptr<WriterLock> lock_;  // Null: kNone. First: let go of last.
  const bool shared_;                       // kNodes.
  Pool writers_;
  Pool readers_;

  base::Mutex mutex_;
  std::set<std::string> in_doubt_ ABSL_GUARDED_BY(mutex_);  // Calls of which we do not know whether we made them.
  absl::Time next_partitions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_POSTGRES_STORE_H_
