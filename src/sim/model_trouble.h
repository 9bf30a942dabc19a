#ifndef CALLBRIDGE_SRC_SIM_MODEL_TROUBLE_H_
#define CALLBRIDGE_SRC_SIM_MODEL_TROUBLE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "src/sim/scenario.h"

// The lines of a scenario that break the model's sessions:
//   fault: after 12s close:1011                in each session of the call
//   fault session 1 after 6s: abort            in its first one
//   fault: session 2 response 1 stall          when that session's first response starts
//   fault: response 2 after 300ms close:1011   so long after it started
//   refuse session 2: http:503
namespace callbridge::sim {

// Whether a line with this name, which is what stands before its colon, is one of them.
bool IsModelTrouble(absl::string_view key);

// kInvalidArgument says what would be right.
absl::Status ReadModelTrouble(absl::string_view key, absl::string_view value, ModelManners& manners);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_TROUBLE_H_
