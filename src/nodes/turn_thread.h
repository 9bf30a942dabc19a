#ifndef CALLBRIDGE_SRC_NODES_TURN_THREAD_H_
#define CALLBRIDGE_SRC_NODES_TURN_THREAD_H_

#include <functional>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "src/base/mutex.h"

namespace callbridge::nodes {

// A thread that does something over and over: a turn, then a pause as long as that turn has said.
class TurnThread {
 public:
  // The first turn is at once. `name` has 15 characters at most.
  TurnThread(const std::string& name, std::function<absl::Duration()> turn);

  // As Stop().
  ~TurnThread();
  TurnThread(const TurnThread&) = delete;
  TurnThread& operator=(const TurnThread&) = delete;

  // The next turn is now, or right after the one that runs. Any thread.
  void Wake();

  // Waits for a turn that runs; there is none afterwards. A repeat does nothing.
  void Stop();

 private:
  void Run();

  const std::function<absl::Duration()> turn_;
  base::Mutex mutex_;
  base::CondVar changed_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = true;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_TURN_THREAD_H_
