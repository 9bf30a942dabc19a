#include "src/session/agent_tools.h"

#include <map>
#include <string>

#include "src/openai/call_tools.h"
#include "src/openai/transfer_tool.h"

namespace callbridge::session {

std::vector<openai::Tool> AgentTools(const Settings& settings, const Agent& agent) {
  std::vector<openai::Tool> tools = agent.session.tools;
  if (!settings.destinations.empty() && agent.conduct.max_transfers > 0) {
    std::map<std::string, std::string> described;
    for (const auto& [key, destination] : settings.destinations) described[key] = destination.description;
    tools.push_back(openai::TransferTool(described));
  }
  if (agent.end_call_tool) tools.push_back(openai::EndCallTool());
  if (agent.send_dtmf_tool) tools.push_back(openai::SendDtmfTool());
  for (const HttpTool& tool : agent.tools) tools.push_back({tool.name, tool.description, tool.parameters_json});
  for (const ClientTool& tool : agent.client_tools)
    tools.push_back({tool.name, tool.description, tool.parameters_json});
  return tools;
}

}  // namespace callbridge::session
