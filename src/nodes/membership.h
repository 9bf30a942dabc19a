#ifndef CALLBRIDGE_SRC_NODES_MEMBERSHIP_H_
#define CALLBRIDGE_SRC_NODES_MEMBERSHIP_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/base/clock.h"
#include "src/base/mutex.h"
#include "src/nodes/directory.h"
#include "src/store/node_table.h"

namespace callbridge::nodes {

// This process among the nodes: keeps its lease, knows the others, and closes the calls of those that died.
//
// The database's clock decides about leases. What this process cannot decide is whether nobody else renews or only it
// cannot see it. So it distrusts what it reads until its own renewals have gone well for a whole lease in a row ("it is
// steady"): before that it closes no call, and a peer that it knew as alive stays alive, lease or none. While the
// database is away the last list stands: nobody can renew then, and peers that can be reached are of use. Calls of live
// nodes are not touched by any of that.
//
// Turn() is called by one thread; the rest is for any.
class Membership final : public Directory {
 public:
  struct Options {
    store::NodeRecord self;  // Its id, addresses, version and max_calls.
    absl::Duration lease = absl::Seconds(10);
    absl::Duration renew = absl::Seconds(2);         // From one renewal to the next ...
    absl::Duration retry = absl::Milliseconds(500);  // ... and after one that failed.
    absl::Duration grace = absl::Seconds(30);        // A node whose lease is over for so long is dead.
    int reap_batch = 64;                             // Calls that are closed in one transaction.
    bool summaries_due = false;                      // Calls that are closed are to be summed up.
  };
  struct Deps {
    store::NodeTable* table = nullptr;
    const base::Clock* clock = nullptr;
    std::function<int64_t()> live_calls;
    std::function<void()> on_peers;   // The list has changed. On Turn()'s thread; may be empty.
    std::function<void()> on_reaped;  // Calls were closed: perhaps there is something to hang up. May be empty.
    // The table has no place for this process any more: another one took its address, or the database was restored.
    // Calls that it begins are closed by others, so it must not. Told once; may be empty.
    std::function<void()> on_lost;
  };
  // What `deps` refers to outlives this.
  Membership(Options options, Deps deps);

  // What is known only when the ports are open. Before Join().
  void SetAddresses(const std::string& address, const std::string& media_address);

  // Takes a place among the nodes and reads who else is there. Blocks. The table's errors.
  absl::Status Join();

  // Does what is due, and returns after how long the next turn is. Blocks on the table.
  absl::Duration Turn();

  // From the next renewal on others see that this node takes no new calls. The caller wakes Turn()'s thread.
  void Drain() { draining_ = true; }

  // Gives the lease up: calls that are left open are anybody's to close. Turn() is not called any more. Blocks.
  absl::Status Leave();

  // ---- Directory ----
  std::string self_id() const override { return options_.self.node_id; }
  absl::optional<Peer> Find(absl::string_view node_id) const override;
  std::vector<Peer> All() const override;

  struct Stats {
    absl::Duration lease_age;  // Since the last renewal that went well was asked for.
    int64_t up = 0;            // Nodes by what is known of them, self included.
    int64_t draining = 0;
    int64_t dead = 0;  // Without a lease; not yet found dead by everybody.
    int64_t reaped = 0;
  };
  Stats stats() const;

  struct Known {
    store::NodeRecord record;
    bool alive = false;
  };
  // All, self included, as of the last renewal that went well.
  std::vector<Known> known() const;

 private:
  bool Renew(absl::Time now);
  void OnRenewed(const std::vector<store::NodeRecord>& records, absl::Time asked);
  void OnFailed(const absl::Status& status);
  bool IsSteady(absl::Time now) const;
  // Whether there may be more to do at once.
  bool Reap(absl::Time now);

  Options options_;
  const Deps deps_;
  std::atomic<bool> draining_{false};
  std::atomic<int64_t> reaped_{0};

  // Of Turn()'s thread.
  absl::Time due_;
  absl::Time steady_since_ = absl::InfiniteFuture();  // The first renewal of the row that has not been broken.
  bool was_draining_ = false;                         // At the last renewal.
  bool reap_due_ = false;
  bool failing_ = false;
  bool lost_ = false;
  bool reap_failing_ = false;

  mutable base::Mutex mutex_;
  std::vector<Known> known_ ABSL_GUARDED_BY(mutex_);                   // Oldest first, as the table has them.
  absl::Time renewed_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();  // When the last good renewal was asked for.
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_MEMBERSHIP_H_
