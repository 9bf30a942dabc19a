#ifndef CALLBRIDGE_SRC_SESSION_AGENT_TOOLS_H_
#define CALLBRIDGE_SRC_SESSION_AGENT_TOOLS_H_

#include <vector>

#include "src/openai/session_config.h"
#include "src/session/settings.h"

namespace callbridge::session {

// Every tool that an agent may use: those of its session, the transfer where there are destinations (and transfers are
// not limited to none), the end of the call and keys as its settings say, and its HTTP tools.
std::vector<openai::Tool> AgentTools(const Settings& settings, const Agent& agent);

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_AGENT_TOOLS_H_
