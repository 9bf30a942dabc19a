#ifndef CALLBRIDGE_SRC_SESSION_RETRY_QUEUE_H_
#define CALLBRIDGE_SRC_SESSION_RETRY_QUEUE_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "src/base/executor.h"
#include "src/base/mutex.h"
#include "src/net/loop.h"

namespace callbridge::session {

// Tasks that are to be done again after a pause, such as when the store may be back. Thread-safe. Kept by shared_ptr,
// since what waits for the loop refers to it.
class RetryQueue : public std::enable_shared_from_this<RetryQueue> {
 public:
  // At most `most` tasks wait. The loop has stopped before it is destroyed, and outlives Close().
  RetryQueue(net::Loop& loop, absl::Duration pause, size_t most) : loop_(loop), pause_(pause), most_(most) {}

  // Runs the task on the loop, a pause from now or somewhat sooner. False: too many wait, or it is closed.
  bool Add(base::Task task);

  // Nothing that waits is run any more; returns how much it was. The timer goes here, with its loop still there.
  size_t Close();

 private:
  void Arm();
  void RunAll();

  net::Loop& loop_;
  const absl::Duration pause_;
  const size_t most_;
  base::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool armed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<base::Task> waiting_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<net::Timer> timer_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_RETRY_QUEUE_H_
