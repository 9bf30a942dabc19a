#include "src/after_call/retry.h"

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"

namespace callbridge::after_call {
namespace {

constexpr absl::Duration kLongestRetryAfter = absl::Hours(24);

}  // namespace

absl::Duration BackOff(int attempts, absl::Duration first, absl::Duration longest, double random) {
  const int doublings = std::clamp(attempts - 1, 0, 30);
  return std::min(first * (int64_t{1} << doublings), longest) * (0.8 + 0.4 * random);
}

absl::Duration RetryAfter(absl::string_view header, absl::Time now) {
  int64_t seconds = 0;
  absl::Time until;
  std::string unused;
  absl::Duration pause = absl::ZeroDuration();
  if (absl::SimpleAtoi(header, &seconds)) {
    pause = absl::Seconds(seconds);
  } else if (absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", header, &until, &unused)) {
    pause = until - now;
  }
  return std::clamp(pause, absl::ZeroDuration(), kLongestRetryAfter);
}

}  // namespace callbridge::after_call
