#ifndef CALLBRIDGE_SRC_NET_LOOP_H_
#define CALLBRIDGE_SRC_NET_LOOP_H_

#include <memory>

#include "absl/time/time.h"
#include "src/base/clock.h"
#include "src/base/executor.h"

namespace callbridge::net {

// A timer of one loop. Used on that loop only. Destroying it cancels it: its task never runs afterwards.
class Timer {
 public:
  virtual ~Timer() = default;

  // Runs the task once at `when` or as soon after as the loop can; a time that has passed means the next turn of the
  // loop, never inside Set(). Replaces an earlier setting.
  virtual void Set(absl::Time when) = 0;
  virtual void Cancel() = 0;
};

// One thread that runs everything of the calls that live on it: sockets, timers, sessions. Tasks run in the order
// posted.
class Loop : public base::Executor {
 public:
  virtual const base::Clock& clock() const = 0;

  // A timer that runs `task` on this loop each time it fires. On the loop only.
  virtual std::unique_ptr<Timer> NewTimer(base::Task task) = 0;

  // Whether the caller is on this loop's thread.
  virtual bool InLoop() const = 0;
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_LOOP_H_
