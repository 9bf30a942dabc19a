#ifndef CALLBRIDGE_TESTS_FAKES_MEMORY_NODE_TABLE_H_
#define CALLBRIDGE_TESTS_FAKES_MEMORY_NODE_TABLE_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "src/base/mutex.h"
#include "src/store/node_table.h"
#include "tests/fakes/memory_call_store.h"

namespace callbridge::store {

// A NodeTable in maps, over the calls of a MemoryCallStore. Its clock stands still until it is moved.
class MemoryNodeTable final : public NodeTable {
 public:
  // `calls` outlives this, and takes its times of storing from here.
  explicit MemoryNodeTable(MemoryCallStore& calls);

  absl::Time Now() const;
  void Advance(absl::Duration by);

  // Called at the begin of each method, with its name, on the caller's thread: fails it by what it returns, may block.
  using Fault = std::function<absl::Status(absl::string_view method)>;
  void SetFault(Fault fault);

  absl::Status Register(const NodeRecord& self, absl::Duration lease) override;
  absl::StatusOr<std::vector<NodeRecord>> Renew(absl::string_view node_id, NodeState state, int64_t live_calls,
                                                absl::Duration lease) override;
  absl::Status Leave(absl::string_view node_id) override;
  absl::StatusOr<absl::optional<NodeRecord>> FindNode(absl::string_view node_id) override;
  absl::StatusOr<std::string> ClaimCarrierCall(absl::string_view carrier_call_id, absl::string_view node_id) override;
  absl::StatusOr<absl::optional<std::string>> FindCarrierCall(absl::string_view carrier_call_id) override;
  absl::StatusOr<Reaped> Reap(absl::Duration grace, const call::Termination& termination, absl::Time now,
                              bool summaries_due, int limit) override;
  absl::StatusOr<std::vector<HangUpJob>> TakeHangUps(absl::Duration patience, int limit) override;
  absl::Status FinishHangUp(absl::string_view call_id) override;

 private:
  struct Node {
    NodeRecord record;
    absl::Time lease_until;
    bool found_dead = false;
  };
  struct Claim {
    std::string node_id;
    absl::Time time;
  };
  struct HangUp {
    HangUpJob job;
    absl::Time due;
  };

  absl::Status Fail(absl::string_view method) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::optional<std::string> OwnerOf(absl::string_view carrier_call_id);
  static bool IsOrphan(const std::map<std::string, Node>& nodes, const CallRecord& call, absl::Time stored,
                       absl::Time now);

  MemoryCallStore& calls_;
  mutable base::Mutex clock_mutex_;  // Of its own: the store asks for the time under its lock.
  absl::Time now_ ABSL_GUARDED_BY(clock_mutex_) = absl::FromUnixSeconds(1'700'000'000);
  base::Mutex mutex_;  // Before the store's.
  Fault fault_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Node> nodes_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Claim> claims_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, HangUp> hangups_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_TESTS_FAKES_MEMORY_NODE_TABLE_H_
