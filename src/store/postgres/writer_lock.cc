#include "src/store/postgres/writer_lock.h"

#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "src/base/ids.h"
#include "src/base/log.h"
#include "src/store/postgres/schema.h"

namespace callbridge::store {
namespace {

constexpr absl::Duration kLockPause = absl::Milliseconds(50);
constexpr absl::Duration kKeepPause = absl::Seconds(1);
constexpr char kNodesToken[] = "nodes";

absl::Status Taken(WriterLock::Kind kind) {
  return absl::FailedPreconditionError(
      kind == WriterLock::Kind::kNodes
          ? "another callbridge uses it that is no node (runs without --node_listen): stop that one or use another "
            "database"
          : "another callbridge uses it: stop that one or use another database; several share one only as nodes, all "
            "of them with --node_listen");
}

}  // namespace

WriterLock::WriterLock(const Target& target, const Limits& limits, Kind kind)
    : target_(target), limits_(limits), kind_(kind), token_(kind == Kind::kNodes ? kNodesToken : base::NewUuid()) {}

WriterLock::~WriterLock() {
  base::MutexLock lock(mutex_);
  if (connection_ == nullptr || !connection_->IsAlive()) return;
  // At once, not when the server has noticed the end of the connection: a successor may be waiting.
  connection_->Run({Statement("SELECT pg_advisory_unlock_all()")}, absl::Milliseconds(500)).status().IgnoreError();
}

absl::StatusOr<std::unique_ptr<WriterLock>> WriterLock::Take(const Target& target, const Limits& limits, Kind kind,
                                                             absl::Duration patience) {
  auto taken = std::unique_ptr<WriterLock>(new WriterLock(target, limits, kind));
  auto connection = Connection::Open(target, limits);
  if (!connection.ok()) return connection.status();
  const absl::Time deadline = absl::Now() + patience;
  for (;;) {
    const absl::StatusOr<bool> locked = taken->TryLock(**connection);
    if (!locked.ok()) return locked.status();
    if (*locked) break;
    if (absl::Now() >= deadline) return Taken(kind);
    absl::SleepFor(kLockPause);
  }
  base::MutexLock lock(taken->mutex_);
  taken->connection_ = *std::move(connection);
  return taken;
}

absl::StatusOr<bool> WriterLock::TryLock(Connection& connection) {
  Statement statement(kind_ == Kind::kNodes ? "SELECT pg_try_advisory_lock_shared($1, $2)"
                                            : "SELECT pg_try_advisory_lock($1, $2)");
  statement.Int(kLockSpace).Int(kOwnerLock);
  absl::StatusOr<std::vector<Rows>> rows = connection.Run({statement});
  if (!rows.ok()) return rows.status();
  return (*rows)[0].Next() && (*rows)[0].GetBool();
}

absl::Status WriterLock::Claim() {
  Statement statement(
      "INSERT INTO store_owner (id, token, taken_at) VALUES (1, $1, now()) "
      "ON CONFLICT (id) DO UPDATE SET token = excluded.token, taken_at = excluded.taken_at "
      "WHERE store_owner.token <> excluded.token");
  statement.Text(token_);
  base::MutexLock lock(mutex_);
  return connection_->Run({statement}).status();
}

Statement WriterLock::CheckNodes() { return Check(kNodesToken); }

Statement WriterLock::Check(absl::string_view token) {
  Statement statement("SELECT callbridge_require(EXISTS (SELECT 1 FROM store_owner WHERE token = $1), 'UB002')");
  return statement.Text(token);
}

void WriterLock::Keep() {
  if (busy_.exchange(true)) return;
  {
    base::MutexLock lock(mutex_);
    if (connection_ != nullptr && !connection_->IsAlive()) connection_.reset();
    if (connection_ == nullptr && absl::Now() >= next_try_) {
      TakeAgain();
      next_try_ = absl::Now() + kKeepPause;
    }
  }
  busy_ = false;
}

void WriterLock::TakeAgain() {
  auto connection = Connection::Open(target_, limits_);
  if (!connection.ok()) return;
  // Ours may still be held by the connection that was lost, until the server has noticed. And whoever has claimed in
  // between keeps the database, although the lock may be free again.
  absl::StatusOr<bool> locked = TryLock(**connection);
  if (!locked.ok() || !*locked || !(*connection)->Run({Check()}).ok()) return;
  connection_ = *std::move(connection);
  base::Log(base::LogKind::kDatabase, "", "connected to the database again");
}

}  // namespace callbridge::store
