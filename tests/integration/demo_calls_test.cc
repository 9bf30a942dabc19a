// The calls of ./dev demo over real sockets; what they leave is run again from its tape when the server ends.

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/sim/scenario_files.h"
#include "tests/integration/bridge_and_world.h"

namespace callbridge::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A human took over in the end, after nobody had answered, and an interruption was heard.
void ExpectWhatTheDemoShows(BridgeAndWorld& both, const std::string& call) {
  ASSERT_TRUE(both.WaitForEnd(call, absl::Seconds(90)));
  EXPECT_THAT(both.Faults(), IsEmpty());
  EXPECT_EQ(both.Column(call, "end_reason"), "transfer_completed");
  EXPECT_EQ(both.Query("SELECT outcome FROM call_transfers ORDER BY requested_at"),
            (std::vector<Row>{{"no_answer"}, {"bridged"}}));
  EXPECT_THAT(both.Column(call, "transcript"), HasSubstr("Zero."));
}

TEST(DemoCallsTest, TheInboundCall) {
  BridgeAndWorld both;
  ExpectWhatTheDemoShows(both, both.CallIn(sim::EmbeddedScenarios().at("inbound_demo")));
}

// As the sandbox's configuration has the agent for outbound calls.
void MakeReversible(session::Settings& settings) {
  session::Agent& agent = settings.agents["sandbox"];
  agent.conduct.barge_in = call::BargeInMode::kReversible;
  agent.conduct.server_cancels = false;
  openai::ServerVad vad;
  vad.interrupt_response = vad.create_response = false;
  agent.session.turn_detection = vad;
}

TEST(DemoCallsTest, TheOutboundCall) {
  BridgeAndWorld::Tweaks tweaks;
  tweaks.settings = &MakeReversible;
  BridgeAndWorld both(tweaks);
  const std::string call = both.CallOut(sim::EmbeddedScenarios().at("outbound_demo"));
  ExpectWhatTheDemoShows(both, call);
  const auto count = [&both](const std::string& type) {
    return both.Query("SELECT count(*) FROM call_events WHERE type = '" + type + "'")[0][0];
  };
  EXPECT_EQ(count("assistant_resumed"), "1");  // The cough.
  EXPECT_EQ(count("barge_in"), "1");           // The interruption.
  EXPECT_EQ(count("model_reopening"), "1");
  // The session broke before it had written the interruption down; the next one heard it again.
  EXPECT_THAT(both.Column(call, "transcript"), HasSubstr("Caller: Something is terribly wrong."));
}

// The model's session ends before its call does; the caller does not notice.
TEST(DemoCallsTest, ACallThatOutlivesItsModelsSessions) {
  BridgeAndWorld both;
  const std::string call = both.CallIn(
      "call: inbound\nfrom: 14155550121\nto: 14155550100\n"
      "[person]\nwait assistant done 300ms\nsay vm-youhave\nwait assistant done 300ms\nsay vm-youhave\n"
      "wait assistant done 300ms\nhang up\n"
      "[model]\nreply: say dir-welcome\nreply: say vm-youhave vm-intro\nreply: say vm-goodbye\nreply: say im-sorry\n"
      "fault: session 1 response 2 after 600ms abort\n");
  ASSERT_TRUE(both.WaitForEnd(call, absl::Seconds(60)));
  EXPECT_EQ(both.Column(call, "end_reason"), "normal_hangup");
  const auto sessions = both.world().model().Sessions();
  ASSERT_GE(sessions.size(), 2u);
  EXPECT_EQ(sessions[1].scenario, sessions[0].scenario);
  EXPECT_EQ(sessions[1].number, 2);
  // What the second session was told of the first: the greeting, and the caller's turn that was being answered.
  ASSERT_GE(sessions[1].conversation.size(), 2u);
}

}  // namespace
}  // namespace callbridge::testing
