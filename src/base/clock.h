#ifndef CALLBRIDGE_SRC_BASE_CLOCK_H_
#define CALLBRIDGE_SRC_BASE_CLOCK_H_

#include "absl/time/time.h"

namespace callbridge::base {

// Where time comes from. Only the outermost rooms (net, session, app) own a clock; pure code takes `absl::Time` as an
// argument.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall-clock time that never goes backwards. Any thread.
  virtual absl::Time Now() const = 0;
};

// The process's clock: the wall clock read once at first use, carried on by the steady clock, so that a step of the
// system's time neither ends nor prolongs a call. Lives for ever.
const Clock& SystemClock();

// A clock that tests move by hand. Not thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start = absl::FromUnixSeconds(1'700'000'000)) : now_(start) {}
  absl::Time Now() const override { return now_; }
  void Advance(absl::Duration by) { now_ += by; }

 private:
  absl::Time now_;
};

}  // namespace callbridge::base

#endif  // CALLBRIDGE_SRC_BASE_CLOCK_H_
