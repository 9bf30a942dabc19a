#ifndef CALLBRIDGE_SRC_CALL_TERMINATION_H_
#define CALLBRIDGE_SRC_CALL_TERMINATION_H_

#include <string>

#include "absl/strings/string_view.h"
#include "src/call/types.h"

namespace callbridge::call {

// What is known about an end, when it comes.
struct EndFacts {
  EndReason reason = EndReason::kInternalError;  // As whoever noticed it understands it.
  Party initiator = Party::kSystem;
  std::string evidence;
  bool answered = false;      // Somebody had picked up.
  bool conversation = false;  // Caller and assistant had been connected.
  bool human = false;         // A human had taken the caller over.
};

// The one value that says how a call ended. The only place where Terminations are made.
//   normal hang-up  after a human had taken over  -> kTransferCompleted
//                   before anybody talked         -> kCallerCancelled
//   the model's and the carrier's faults, time-outs and refusals keep their reason; whether another try may help
//   depends on it.
Termination MakeTermination(const EndFacts& facts);

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_TERMINATION_H_
