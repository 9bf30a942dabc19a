#include "src/store/postgres/pool.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace callbridge::store {
namespace {

// How long after a server was found hanging nobody tries it again.
constexpr absl::Duration kHangingPause = absl::Milliseconds(500);

}  // namespace

absl::StatusOr<Pool::Lease> Pool::Take() {
  const absl::Status slot = WaitForSlot();
  if (!slot.ok()) return slot;
  while (std::unique_ptr<Connection> idle = TakeIdle()) {
    if (idle->IsAlive()) return Lease(this, std::move(idle), /*is_new=*/false);
  }
  const absl::Time begin = absl::Now();
  auto opened = Open();
  if (opened.ok()) return Lease(this, *std::move(opened), /*is_new=*/true);
  if (absl::Now() - begin >= limits_.connect / 2) {
    base::MutexLock lock(mutex_);
    hanging_until_ = absl::Now() + kHangingPause;
    hanging_ = opened.status();
  }
  GiveSlotBack();
  return opened.status();
}

absl::StatusOr<std::unique_ptr<Connection>> Pool::Open() {
  auto opened = Connection::Open(target_, limits_);
  if (!opened.ok() || !greet_) return opened;
  const absl::Status greeted = greet_(**opened);
  if (!greeted.ok()) return greeted;
  return opened;
}

absl::Status Pool::WaitForSlot() {
  const absl::Time deadline = absl::Now() + limits_.connect;
  base::MutexLock lock(mutex_);
  while (free_slots_ == 0) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return absl::UnavailableError("database: all connections are busy for too long");
    freed_.WaitFor(mutex_, absl::ToChronoMilliseconds(std::min(left, limits_.connect) + absl::Milliseconds(1)));
  }
  if (idle_.empty() && absl::Now() < hanging_until_) return hanging_;
  --free_slots_;
  return absl::OkStatus();
}

std::unique_ptr<Connection> Pool::TakeIdle() {
  base::MutexLock lock(mutex_);
  if (idle_.empty()) return nullptr;
  std::unique_ptr<Connection> idle = std::move(idle_.back());
  idle_.pop_back();
  return idle;
}

void Pool::Return(std::unique_ptr<Connection> connection) {
  if (!connection->broken() && !connection->in_transaction()) {
    base::MutexLock lock(mutex_);
    idle_.push_back(std::move(connection));
  }
  connection.reset();
  GiveSlotBack();
}

void Pool::GiveSlotBack() {
  base::MutexLock lock(mutex_);
  ++free_slots_;
  freed_.NotifyOne();
}

void Pool::DropIdle() {
  std::vector<std::unique_ptr<Connection>> dropped;
  base::MutexLock lock(mutex_);
  dropped.swap(idle_);
}

}  // namespace callbridge::store
