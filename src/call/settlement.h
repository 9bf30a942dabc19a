#ifndef CALLBRIDGE_SRC_CALL_SETTLEMENT_H_
#define CALLBRIDGE_SRC_CALL_SETTLEMENT_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace callbridge::call {

// What the carrier says of a call when it is over, or later: what it counted, what it charges, why it thinks the call
// ended. Empty members were not told.
struct Settlement {
  absl::optional<int64_t> duration_seconds;  // Of the conversation, by the carrier's clock.
  absl::optional<int64_t> billed_seconds;    // What is charged for; usually rounded up.
  std::string cost;                          // Decimal text as the carrier gave it: "0.01100".
  std::string currency;                      // Of `cost`, as the carrier gave it; most do not say.
  absl::optional<int> cause_code;            // The carrier's own number of the reason: 4000.
  std::string cause;                         // Its name: "Normal Hangup".
  std::string source;                        // Who or what ended the call, in the carrier's words: "Caller".
  absl::Time time = absl::InfinitePast();    // When this was told. InfinitePast: never, so there is no settlement.
};

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_SETTLEMENT_H_
