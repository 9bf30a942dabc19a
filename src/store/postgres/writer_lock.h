#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_OWNER_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_OWNER_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/store/postgres/connection.h"

namespace callbridge::store {

// That this process is the only one that writes to a database. Two things say so: an advisory lock, held by a
// connection of its own, keeps a second process from starting while this one lives; and a token in store_owner, which
// every write compares (Check()), stops this one should the lock have gone to another while the connection was away.
class Owner {
 public:
  // Takes the lock; tries for `patience`, as a server takes a moment to see that a process died. kFailedPrecondition:
  // another process has it.
  static absl::StatusOr<std::unique_ptr<Owner>> Lock(const Target& target, const Limits& limits,
                                                     absl::Duration patience);
  ~Owner();

  // Makes every write of others' fail with kOwnerMoved. The schema must be there.
  absl::Status Claim();

  // The statement that fails with kOwnerMoved once another process has claimed.
  Statement Check() const;

  // Takes the lock again if the connection was lost. Call now and then, after the server has just answered. Any thread;
  // at most one waits, for at most the limit of a connection.
  void Keep();

 private:
  Owner(const Target& target, const Limits& limits);
  absl::StatusOr<bool> TryLock(Connection& connection);
  void TakeAgain();

  const Target target_;
  const Limits limits_;
  const std::string token_;
  std::atomic<bool> busy_{false};
  base::Mutex mutex_;
  std::unique_ptr<Connection> connection_ ABSL_GUARDED_BY(mutex_);  // Null: the lock was lost.
  absl::Time next_try_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_OWNER_H_
