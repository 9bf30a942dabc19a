#ifndef CALLBRIDGE_SRC_CALL_HEARD_H_
#define CALLBRIDGE_SRC_CALL_HEARD_H_

#include <algorithm>
#include <cstdint>

#include "src/audio/playout_ledger.h"
#include "src/call/types.h"

// What the ledger says of an item, in the words of the transcript.
namespace callbridge::call {

inline HeardBasis BasisOf(const audio::PlayoutLedger::Item& item) {
  if (item.sent == 0) return HeardBasis::kNone;
  if (item.acknowledged) return HeardBasis::kAcknowledged;
  return item.calibrated ? HeardBasis::kPaced : HeardBasis::kEstimated;
}

// Whole milliseconds, never beyond what the model sent.
inline int64_t HeardMs(const audio::PlayoutLedger::Item& item) {
  return std::min(item.heard, item.received) / audio::kBytesPerMs;
}

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_HEARD_H_
