#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_WRITER_LOCK_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_WRITER_LOCK_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/store/postgres/connection.h"

namespace callbridge::store {

// Which processes write to a database: one alone, or nodes that share it. Two things say so: an advisory lock, held by
// a connection of its own (nodes share it), keeps others from starting while this one lives; and a token in
// store_owner, which every write compares (Check()), stops this one should the database have gone to others while the
// connection was away.
class WriterLock {
 public:
  enum class Kind { kAlone, kNodes };

  // Takes the lock; tries for `patience`, as a server takes a moment to see that a process died. kFailedPrecondition:
  // others have it.
  static absl::StatusOr<std::unique_ptr<WriterLock>> Take(const Target& target, const Limits& limits, Kind kind,
                                                          absl::Duration patience);
  ~WriterLock();

  // Makes every write of all others, but of other nodes where this is one, fail with kOwnerMoved. The schema must be
  // there.
  absl::Status Claim();

  // The statement that fails with kOwnerMoved once others have claimed.
  Statement Check() const { return Check(token_); }
  // The same for a node that holds no lock of its own.
  static Statement CheckNodes();

  // Takes the lock again if the connection was lost. Call now and then, after the server has just answered. Any thread;
  // at most one waits, for at most the limit of a connection.
  void Keep();

 private:
  WriterLock(const Target& target, const Limits& limits, Kind kind);
  static Statement Check(absl::string_view token);
  absl::StatusOr<bool> TryLock(Connection& connection);
  void TakeAgain();

  const Target target_;
  const Limits limits_;
  const Kind kind_;
  const std::string token_;
  std::atomic<bool> busy_{false};
  base::Mutex mutex_;
  std::unique_ptr<Connection> connection_ ABSL_GUARDED_BY(mutex_);  // Null: the lock was lost.
  absl::Time next_try_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_WRITER_LOCK_H_
