#ifndef CALLBRIDGE_SRC_NET_MANUAL_LOOP_H_
#define CALLBRIDGE_SRC_NET_MANUAL_LOOP_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/base/clock.h"
#include "src/base/executor.h"
#include "src/net/loop.h"

namespace callbridge::net {

// A Loop in virtual time, for tests: nothing runs and no time passes unless the test says so, and the order is always the same.
// Posted tasks run first, in the order posted; then the timer that is due first; of two for the same instant, the one that was
// set first. Not thread-safe; InLoop() is always true. Timers may outlive the loop, and then do nothing.
class ManualLoop final : public Loop {
 public:
  explicit ManualLoop(absl::Time start = absl::FromUnixSeconds(1'700'000'000));
  ~ManualLoop() override;

  void Post(base::Task task) override;
  const base::Clock& clock() const override;
  std::unique_ptr<Timer> NewTimer(base::Task task) override;
  bool InLoop() const override { return true; }

  // Runs posted tasks and timers that are due now until nothing is left, what they post and set included. Returns how many ran.
  // A test that never comes to rest (a timer that sets itself to now) aborts after a million turns.
  int Run();

  // Moves the time on by `by`, stopping at each timer on the way: its task sees the time for which it was set (or now, if that
  // has passed). Returns how many tasks ran. Advance(ZeroDuration()) is Run().
  int Advance(absl::Duration by);

  // When the next timer fires; nullopt if none is set.
  absl::optional<absl::Time> NextTimer() const;

  absl::Time now() const { return clock().Now(); }

 private:
  class ManualTimer;
  struct State;
  bool RunOne(absl::Time until);

  std::shared_ptr<State> state_;
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_MANUAL_LOOP_H_
