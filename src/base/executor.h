#ifndef CALLBRIDGE_SRC_BASE_EXECUTOR_H_
#define CALLBRIDGE_SRC_BASE_EXECUTOR_H_

#include <cstddef>
#include <deque>
#include <string>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "src/base/mutex.h"

namespace callbridge::base {

using Task = absl::AnyInvocable<void()>;

// Runs tasks in the order in which they were posted, never inside Post().
class Executor {
 public:
  virtual ~Executor() = default;

  // Any thread. A task posted after the executor was stopped is dropped without running.
  virtual void Post(Task task) = 0;
};

// One thread and its queue. For work that blocks: the store, the carrier's REST API.
class ThreadExecutor final : public Executor {
 public:
  // `name` is the thread's (15 characters at most), as seen by top and gdb.
  explicit ThreadExecutor(const std::string& name);

  // Runs what was posted before, then joins.
  ~ThreadExecutor() override;

  void Post(Task task) override;

  // How many tasks wait. Any thread.
  size_t queued() const;

 private:
  void Run();

  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Runs tasks when a test says so, on its thread. Not thread-safe.
class ManualExecutor final : public Executor {
 public:
  void Post(Task task) override { tasks_.push_back(std::move(task)); }

  // Runs until nothing is left, tasks posted meanwhile included. Returns how many ran.
  int RunAll();

 private:
  std::deque<Task> tasks_;
};

}  // namespace callbridge::base

#endif  // CALLBRIDGE_SRC_BASE_EXECUTOR_H_
