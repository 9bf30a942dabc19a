#ifndef CALLBRIDGE_SRC_AFTER_CALL_RETRY_H_
#define CALLBRIDGE_SRC_AFTER_CALL_RETRY_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace callbridge::after_call {

// How long to wait after the `attempts`-th failure in a row (1 or more): `first`, doubled for each further one up to
// `longest`, times 0.8 to 1.2 by `random` (0 to 1), so that calls that failed together do not come again together.
absl::Duration BackOff(int attempts, absl::Duration first, absl::Duration longest, double random);

// What a Retry-After header asks for: seconds, or a date of RFC 7231; a day at most. Zero for anything else.
absl::Duration RetryAfter(absl::string_view header, absl::Time now);

}  // namespace callbridge::after_call

#endif  // CALLBRIDGE_SRC_AFTER_CALL_RETRY_H_
