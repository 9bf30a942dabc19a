#ifndef CALLBRIDGE_SRC_CALL_TRANSFER_RULES_H_
#define CALLBRIDGE_SRC_CALL_TRANSFER_RULES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "src/call/types.h"

namespace callbridge::call {

// Whether the next target of a transfer is dialled when the dial of one has ended so; `answered`: a human had picked
// up and was connected. The one place where that is decided: the call and whoever answers the carrier in its name come
// to the same end without asking each other. Pure.
//
// After a word that nobody understands (kUnknown) nobody can say whether a human talked, and no second phone rings for
// that; the assistant asks instead.
bool TriesNext(TransferOutcome outcome, bool answered);

// What came of a dial, in words that can be said to a caller: "the line was busy".
absl::string_view InWords(TransferOutcome outcome);

// Why a transfer failed, of all its targets: "the line was busy", "1. the line was busy; 2. nobody answered". No
// numbers: the model would say them.
std::string WhyFailed(const Transfer& transfer);

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_TRANSFER_RULES_H_
