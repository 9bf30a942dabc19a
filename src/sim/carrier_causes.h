#ifndef CALLBRIDGE_SRC_SIM_CARRIER_CAUSES_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_CAUSES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::sim {

// Why a leg ended, in the three ways in which Plivo says it.
struct Cause {
  int code = 4000;          // HangupCauseCode
  std::string name;         // HangupCauseName: "Normal Hangup"
  std::string cause;        // HangupCause: "NORMAL_CLEARING"
  std::string call_status;  // CallStatus of the leg: "completed", "busy", ...
};

// The cause with that code as Plivo's table of hangup causes has it; unknown codes get "Unknown". `answered`: whether
// the leg had been picked up, which decides between "completed" and the other statuses.
Cause CauseOf(int code, bool answered);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_CAUSES_H_
