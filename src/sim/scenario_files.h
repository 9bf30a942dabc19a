#ifndef CALLBRIDGE_SRC_SIM_SCENARIO_FILES_H_
#define CALLBRIDGE_SRC_SIM_SCENARIO_FILES_H_

#include <map>
#include <string>

namespace callbridge::sim {

// The files of src/sim/scenarios, built in: name without suffix, and text.
std::map<std::string, std::string> EmbeddedScenarios();

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_SCENARIO_FILES_H_
