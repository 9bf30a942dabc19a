#include "src/session/retry_queue.h"

#include <utility>

namespace callbridge::session {

bool RetryQueue::Add(base::Task task) {
  base::MutexLock lock(mutex_);
  if (closed_ || waiting_.size() >= most_) return false;
  waiting_.push_back(std::move(task));
  if (!std::exchange(armed_, true)) loop_.Post([self = shared_from_this()] { self->Arm(); });
  return true;
}

size_t RetryQueue::Close() {
  base::MutexLock lock(mutex_);
  closed_ = true;
  const size_t waiting = waiting_.size();
  waiting_.clear();
  timer_.reset();
  return waiting;
}

void RetryQueue::Arm() {
  base::MutexLock lock(mutex_);
  if (closed_) return;
  if (timer_ == nullptr) timer_ = loop_.NewTimer([this] { RunAll(); });
  timer_->Set(loop_.clock().Now() + pause_);
}

void RetryQueue::RunAll() {
  std::vector<base::Task> due;
  {
    base::MutexLock lock(mutex_);
    armed_ = false;
    due.swap(waiting_);
  }
  for (base::Task& task : due) task();
}

}  // namespace callbridge::session
