#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_POSTGRES_NODE_TABLE_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_POSTGRES_NODE_TABLE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/base/mutex.h"
#include "src/store/node_table.h"
#include "src/store/postgres/connection.h"
#include "src/store/postgres/pool.h"

namespace callbridge::store {

// The nodes that share a PostgreSQL database, in the tables nodes, carrier_claims and hangups. Has connections of its
// own, and one of them for leases alone, so that no renewal waits behind anything else.
//
// Reap() does nothing while a process that is no node has the database (kFailedPrecondition): its calls are not ours.
class PostgresNodeTable final : public NodeTable {
 public:
  // Connects. The schema must be up to date: open the store before. Errors as PostgresStore::Open().
  static absl::StatusOr<std::unique_ptr<NodeTable>> Open(const std::string& uri, const Limits& limits);

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
  PostgresNodeTable(const Target& target, const Limits& limits);

  struct Found {
    bool busy = false;
    bool orphans = false;
  };
  absl::StatusOr<Found> MarkDead(absl::Duration grace);
  static absl::StatusOr<Reaped> CloseOrphans(Connection& connection, const call::Termination& termination,
                                             absl::Time now, bool summaries_due, int limit);
  void PruneWhenDue();

  Pool leases_;
  Pool others_;
  base::Mutex mutex_;
  absl::Time next_prune_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_POSTGRES_NODE_TABLE_H_
