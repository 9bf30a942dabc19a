#ifndef CALLBRIDGE_SRC_STORE_MERGE_WRITES_H_
#define CALLBRIDGE_SRC_STORE_MERGE_WRITES_H_

#include "src/store/records.h"

namespace callbridge::store {

// Adds `next`, which follows `into` in the same call, so that one Apply() does what two would have done. False, and
// nothing is changed, where that is not so: other calls or owners, a gap between the events, two transfers, or a write
// behind an end.
bool MergeWrites(const CallWrite& next, CallWrite* into);

// Whether `write` changes anything besides adding events.
bool HasFields(const CallWrite& write);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_MERGE_WRITES_H_
