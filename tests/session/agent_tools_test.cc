#include "src/session/agent_tools.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Names(const Settings& settings, const Agent& agent) {
  std::vector<std::string> names;
  for (const openai::Tool& tool : AgentTools(settings, agent)) names.push_back(tool.name);
  return names;
}

TEST(AgentToolsTest, EachToolByItsSetting) {
  Settings settings;
  Agent agent;
  EXPECT_THAT(Names(settings, agent), ElementsAre("end_call"));
  agent.end_call_tool = false;
  EXPECT_THAT(Names(settings, agent), IsEmpty());
  settings.destinations["sales"].description = "who wants to buy";
  EXPECT_THAT(Names(settings, agent), ElementsAre("transfer_call"));
  EXPECT_THAT(AgentTools(settings, agent)[0].parameters_json, HasSubstr("who wants to buy"));
  agent.conduct.max_transfers = 0;
  EXPECT_THAT(Names(settings, agent), IsEmpty()) << "no tool that could only be refused";
  agent.conduct.max_transfers = 1;
  agent.end_call_tool = true;
  agent.send_dtmf_tool = true;
  agent.tools.resize(1);
  agent.tools[0].name = "lookup";
  agent.tools[0].description = "Look up.";
  agent.tools[0].parameters_json = R"({"type":"object"})";
  agent.client_tools.push_back({"quote", "Ask for a price.", R"({"type":"object"})"});
  EXPECT_THAT(Names(settings, agent), ElementsAre("transfer_call", "end_call", "send_dtmf", "lookup", "quote"));
  agent.session.tools = AgentTools(settings, agent);
  EXPECT_TRUE(openai::ValidateSessionConfig(agent.session).ok());
}

}  // namespace
}  // namespace callbridge::session
