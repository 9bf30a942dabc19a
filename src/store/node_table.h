#ifndef CALLBRIDGE_SRC_STORE_NODE_TABLE_H_
#define CALLBRIDGE_SRC_STORE_NODE_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/call/types.h"
#include "src/store/records.h"

namespace callbridge::store {

// kGone: it left, was replaced by another process on its address, or was found dead.
enum class NodeState { kUp, kDraining, kGone };
absl::string_view Name(NodeState state);  // "up", "draining", "gone".
bool Parse(absl::string_view name, NodeState* state);

// One run of a server process that shares its database with others.
struct NodeRecord {
  std::string node_id;        // UUID; new with each start of a process.
  std::string address;        // host:port of its node-to-node port, as other nodes reach it.
  std::string media_address;  // host:port of its carrier-facing port, as other nodes reach it.
  std::string version;
  NodeState state = NodeState::kUp;
  int64_t live_calls = 0;
  int64_t max_calls = 0;
  absl::Time start_time;  // By the database's clock, as all times here.
  absl::Time renew_time;
  bool leased = true;  // Its lease was not over when this was read.
};

// The carrier is to be asked to hang up a call that a dead node left open.
struct HangUpJob {
  std::string call_id;
  std::string carrier_call_id;
  int64_t attempts = 0;  // Begun so far, this one included.
};

// Which nodes share the database, who of them has which call of the carrier, and what is left to do for those that
// died. The database's clock decides, never a node's own.
//
// Every method blocks: not for loops or gRPC reactions. Thread-safe. All may fail with kUnavailable (the database is
// away; worth a retry) or kInternal. Repeats are harmless.
class NodeTable {
 public:
  virtual ~NodeTable() = default;

  // Adds this process, with a lease. Other nodes with the same address are gone from here on: the port is ours now, so
  // their processes are dead. kInvalidArgument: an empty id or address.
  virtual absl::Status Register(const NodeRecord& self, absl::Duration lease) = 0;

  // Renews the lease and returns all nodes that are not gone, self included, oldest first. One that had been found dead
  // is there again: its calls of before are not its own any more, new ones may be. kNotFound: was never registered,
  // has left, or was replaced by another process on its address; nothing is changed. kInvalidArgument: kGone.
  virtual absl::StatusOr<std::vector<NodeRecord>> Renew(absl::string_view node_id, NodeState state, int64_t live_calls,
                                                        absl::Duration lease) = 0;

  // This process ends: its lease is over, and calls that it has left open are anybody's to close.
  virtual absl::Status Leave(absl::string_view node_id) = 0;

  // As it is in the table now, also if it is gone. nullopt: there was none of that id for a day or longer.
  virtual absl::StatusOr<absl::optional<NodeRecord>> FindNode(absl::string_view node_id) = 0;

  // The node that has a call of the carrier: `node_id` from now on if none had. A call that was stored with an owner
  // is that one's, also if nobody claimed it (the database was away then). kInvalidArgument: an empty id.
  virtual absl::StatusOr<std::string> ClaimCarrierCall(absl::string_view carrier_call_id,
                                                       absl::string_view node_id) = 0;
  // Without a claim. nullopt: nobody has it. Claims are kept for a day or longer.
  virtual absl::StatusOr<absl::optional<std::string>> FindCarrierCall(absl::string_view carrier_call_id) = 0;

  static constexpr absl::Duration kSettleTime = absl::Seconds(10);
  struct Reaped {
    std::vector<OpenCall> calls;  // Closed by this call, with the owner they had.
    bool more = false;            // Perhaps there are more: call again.
    bool busy = false;            // Another node is doing it; nothing was done.
  };
  // Marks as gone the nodes whose lease was over for longer than `grace`, and closes up to `limit` (1 or more) open
  // calls whose owner is gone, or no node at all, as CallStore::CloseOpenCalls() does: exactly once, whoever else
  // tries. A call that was stored less than kSettleTime ago is left alone yet, unless its owner has left: a node that
  // was found dead may be back, bring its spool before it renews, and have that call live. The epoch goes up in the
  // same transaction, so that no write of a former owner is taken any more, and each call that the carrier knows gets
  // a HangUpJob.
  virtual absl::StatusOr<Reaped> Reap(absl::Duration grace, const call::Termination& termination, absl::Time now,
                                      bool summaries_due, int limit) = 0;

  // Jobs that are due, to be done now: for `patience` nobody else is given them. At most `limit` (1 or more).
  virtual absl::StatusOr<std::vector<HangUpJob>> TakeHangUps(absl::Duration patience, int limit) = 0;
  // It was done, or can never be.
  virtual absl::Status FinishHangUp(absl::string_view call_id) = 0;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_NODE_TABLE_H_
