#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_POOL_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_POOL_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/store/postgres/connection.h"
#include "src/store/postgres/sql_state.h"

namespace callbridge::store {

// Connections to one server that are made when they are needed, kept, and thrown away once broken. Thread-safe.
class Pool {
 public:
  // Run on each new connection before anybody has it; a connection for which it fails is not used. Empty: nothing is.
  using Greet = std::function<absl::Status(Connection&)>;

  // At most `size` connections at a time; 1 or more.
  Pool(const Target& target, const Limits& limits, int size, Greet greet = nullptr)
      : target_(target), limits_(limits), greet_(std::move(greet)), free_slots_(size) {}

  // Runs `use`, a function from Connection& to a status or a StatusOr, with a connection of its own, and again where
  // another try is worth it at once: on a new connection if an old one turned out to be dead, and after a collision
  // with another transaction. So `use` must be one that can be repeated. kUnavailable: no connection can be made, or
  // none became free in time.
  template <typename Use>
  auto Run(Use use) -> decltype(use(std::declval<Connection&>())) {
    bool tried_new = false;
    for (int tries = 0;; ++tries) {
      absl::StatusOr<Lease> lease = Take();
      if (!lease.ok()) return lease.status();
      Connection& connection = lease->connection();
      auto result = use(connection);
      if (result.ok()) return result;
      const bool collided = IsCollision(connection.sql_state()) && tries < kTries;
      const bool was_dead = connection.lost() && !lease->is_new() && !std::exchange(tried_new, true);
      if (!collided && !was_dead) return result;
      if (was_dead) DropIdle();
    }
  }

 private:
  static constexpr int kTries = 3;

  // A connection in use.
  class Lease {
   public:
    Lease(Pool* pool, std::unique_ptr<Connection> connection, bool is_new)
        : pool_(pool), connection_(std::move(connection)), is_new_(is_new) {}
    Lease(Lease&& other) = default;
    ~Lease() {
      if (connection_ != nullptr) pool_->Return(std::move(connection_));
    }
    Connection& connection() { return *connection_; }
    bool is_new() const { return is_new_; }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
    bool is_new_;
  };

  absl::StatusOr<Lease> Take();
  absl::StatusOr<std::unique_ptr<Connection>> Open();
  std::unique_ptr<Connection> TakeIdle();
  absl::Status WaitForSlot();
  void Return(std::unique_ptr<Connection> connection);
  void GiveSlotBack();
  void DropIdle();

  const Target target_;
  const Limits limits_;
  const Greet greet_;
  base::Mutex mutex_;
  base::CondVar freed_;
  int free_slots_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mutex_);

  // A server that hangs is not asked by everybody in turn: for a moment, all are told what the last one was.
  absl::Time hanging_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Status hanging_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_POOL_H_
