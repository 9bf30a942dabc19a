#ifndef CALLBRIDGE_SRC_SESSION_DIAL_LIMITS_H_
#define CALLBRIDGE_SRC_SESSION_DIAL_LIMITS_H_

#include <deque>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/session/settings.h"
#include "src/store/records.h"

// How often may be dialled. Pure: the time is an argument. What is refused says after how long it may be asked again.
namespace callbridge::session {

// How many happened in the last minute. Keeps as many times as may happen in one.
class DialMeter {
 public:
  // `per_minute`: 0 is no limit.
  explicit DialMeter(int per_minute) : per_minute_(per_minute) {}

  // How long until the next one may happen; zero: now.
  absl::Duration Wait(absl::Time now) const;

  // One happens now, allowed or not.
  void Count(absl::Time now);

  // The one that was counted at `when` did not happen after all.
  void TakeBack(absl::Time when);

 private:
  const int per_minute_;
  std::deque<absl::Time> times_;  // Oldest first.
};

// kResourceExhausted DIAL_RATE_LIMIT {limit}: `wait` is above zero. `limit` is the configuration's name of it.
absl::Status CheckDialRate(absl::Duration wait, absl::string_view limit, int per_minute);

// The calls that count against calls_per_number_per_day of `number` at `now`.
store::CallFilter DialsOfTheDay(absl::string_view number, absl::Time now);

// kResourceExhausted NUMBER_LIMIT {limit, field}: `number` was called as often as it may be. `calls` are those of
// DialsOfTheDay(), newest first, and need not be more than the limit; those from the number, where it is a caller id as
// well, do not count. `field` is that of the request.
absl::Status CheckNumberLimit(const DialLimits& limits, absl::string_view field, absl::string_view number,
                              const std::vector<store::CallRecord>& calls, absl::Time now);

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_DIAL_LIMITS_H_
