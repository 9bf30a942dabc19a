#include "src/sim/scenario.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

using Kind = PersonStep::Kind;

constexpr char kWhole[] = R"(
# A comment.
call: inbound
from: 14155550121
to: 14155550100
summary: All was said.

[person]
wait assistant done 400ms
say vm-rec-name, vm-youhave
wait speaking 1200ms within 5s
press 5#
drop stream and reconnect
repeat 2
pause 1.5s
stop audio
end
hang up

[humans]
14155550142: no answer after 3s
14155550142: answer after 500ms, talk 2s
14155550143: busy

[model]
think: 200ms
speed: 2.5
pieces: 40ms..90ms
fault: after 12s close:1011
text vm-youhave: You have.
reply: say hello-world
reply: say a b ; say c ; call transfer_call {"destination":"sales","reason":"a; b"}
reply when tool-failed: say sorry ; status failed:rate_limit_exceeded

[carrier]
numbers as strings: yes
extra headers: braces
playout delay: 40ms
rest errors: 500, 429
)";

TEST(ScenarioTest, ReadsMachinesAndWhoPressesAKey) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(
      "call: outbound\nto: 14155550122\npickup: machine after 800ms, greeting 3s, beep\n[humans]\n"
      "1: machine, greeting vm-intro vm-goodbye\n2: answer after 1s, press 1, talk 5s\n"
      "[person]\ncough 300ms\nhum 1s\n[carrier]\nplayout delay: 50ms..150ms\ncheckpoints: lose 20%, delay 0..300ms\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->pickup.kind, Pickup::Kind::kMachine);
  EXPECT_EQ(scenario->pickup.after, absl::Milliseconds(800));
  EXPECT_EQ(scenario->pickup.greeting_length, absl::Seconds(3));
  EXPECT_TRUE(scenario->pickup.beep);
  const Pickup& clips = scenario->humans.at("1")[0];
  EXPECT_THAT(clips.greeting, testing::ElementsAre("vm-intro", "vm-goodbye"));
  EXPECT_FALSE(clips.beep);
  EXPECT_EQ(scenario->humans.at("2")[0].press, "1");
  EXPECT_EQ(scenario->humans.at("2")[0].talk, absl::Seconds(5));
  EXPECT_THAT(scenario->person[0].clips, testing::ElementsAre("cough:300"));
  EXPECT_THAT(scenario->person[1].clips, testing::ElementsAre("hum:1000"));
  EXPECT_EQ(scenario->carrier.playout_delay.high, absl::Milliseconds(150));
  EXPECT_EQ(scenario->carrier.checkpoint_loss_percent, 20);
  EXPECT_EQ(scenario->carrier.checkpoint_delay.high, absl::Milliseconds(300));
}

TEST(ScenarioTest, ReadsEverySection) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(kWhole, "whole");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->name, "whole");
  EXPECT_TRUE(scenario->inbound);
  EXPECT_EQ(scenario->from, "14155550121");
  EXPECT_EQ(scenario->summary, "All was said.");

  std::vector<Kind> kinds;
  for (const PersonStep& step : scenario->person) kinds.push_back(step.kind);
  EXPECT_THAT(kinds, testing::ElementsAre(Kind::kWaitAssistantDone, Kind::kSay, Kind::kWaitAssistantSpeaking,
                                          Kind::kPress, Kind::kDropStream, Kind::kPause, Kind::kStopAudio, Kind::kPause,
                                          Kind::kStopAudio, Kind::kHangUp));
  EXPECT_EQ(scenario->person[0].duration, absl::Milliseconds(400));
  EXPECT_EQ(scenario->person[0].limit, absl::Seconds(20));
  EXPECT_THAT(scenario->person[1].clips, testing::ElementsAre("vm-rec-name", "vm-youhave"));
  EXPECT_EQ(scenario->person[2].limit, absl::Seconds(5));
  EXPECT_EQ(scenario->person[4].text, "reconnect");
  EXPECT_EQ(scenario->person[5].duration, absl::Milliseconds(1500));

  const std::vector<Pickup>& sales = scenario->humans.at("14155550142");
  ASSERT_EQ(sales.size(), 2u);
  EXPECT_EQ(sales[0].kind, Pickup::Kind::kNoAnswer);
  EXPECT_EQ(sales[0].after, absl::Seconds(3));
  EXPECT_EQ(sales[1].talk, absl::Seconds(2));
  EXPECT_EQ(scenario->humans.at("14155550143")[0].kind, Pickup::Kind::kBusy);

  ASSERT_EQ(scenario->replies.size(), 3u);
  EXPECT_EQ(scenario->replies[1].speech, (std::vector<std::vector<std::string>>{{"a", "b"}, {"c"}}));
  EXPECT_EQ(scenario->replies[1].tool, "transfer_call");
  EXPECT_EQ(scenario->replies[1].arguments, R"({"destination":"sales","reason":"a; b"})");
  EXPECT_EQ(scenario->replies[2].when, "tool-failed");
  EXPECT_EQ(scenario->replies[2].status, "failed:rate_limit_exceeded");
  EXPECT_EQ(scenario->model.think, absl::Milliseconds(200));
  EXPECT_EQ(scenario->model.speed, 2.5);
  EXPECT_EQ(scenario->model.piece_ms_min, 40);
  EXPECT_EQ(scenario->model.piece_ms_max, 90);
  ASSERT_EQ(scenario->model.faults.size(), 1u);
  EXPECT_EQ(scenario->model.faults[0].what, "close:1011");
  EXPECT_EQ(scenario->texts.at("vm-youhave"), "You have.");
  EXPECT_TRUE(scenario->carrier.numbers_as_strings);
  EXPECT_EQ(scenario->carrier.extra_headers, "braces");
  EXPECT_EQ(scenario->carrier.playout_delay.low, absl::Milliseconds(40));
  EXPECT_EQ(scenario->carrier.playout_delay.high, absl::Milliseconds(40));
  EXPECT_THAT(scenario->carrier.rest_errors, testing::ElementsAre(500, 429));
}

TEST(ScenarioTest, ReadsWhatBreaksTheModelsSessions) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(
      "from: 1\nto: 2\n[model]\nlifetime: 20s\nunknown speech: Mm-hmm.\n"
      "fault session 1 after 6s: close:1011\nfault: session 2 response 1 stall\nfault: response 3 after 200ms abort\n"
      "refuse session 2: http:503\nreply: nothing\nreply: after 5s ; say a\nreply: say b\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const ModelManners& model = scenario->model;
  EXPECT_EQ(model.lifetime, absl::Seconds(20));
  EXPECT_EQ(model.unknown_speech, "Mm-hmm.");
  ASSERT_EQ(model.faults.size(), 3u);
  EXPECT_EQ(model.faults[0].session, 1);
  EXPECT_EQ(model.faults[0].response, 0);
  EXPECT_EQ(model.faults[0].at, absl::Seconds(6));
  EXPECT_EQ(model.faults[0].what, "close:1011");
  EXPECT_EQ(model.faults[1].session, 2);
  EXPECT_EQ(model.faults[1].response, 1);
  EXPECT_EQ(model.faults[1].at, absl::ZeroDuration());
  EXPECT_EQ(model.faults[2].session, 0);
  EXPECT_EQ(model.faults[2].response, 3);
  EXPECT_EQ(model.faults[2].at, absl::Milliseconds(200));
  EXPECT_EQ(model.refusals.at(2), "http:503");
  EXPECT_TRUE(scenario->replies[0].nothing);
  EXPECT_FALSE(scenario->replies[1].nothing);
  EXPECT_EQ(scenario->replies[1].think, absl::Seconds(5));
  EXPECT_EQ(scenario->replies[2].think, absl::InfiniteDuration());
}

TEST(ScenarioTest, NoAnswerRingsOnUnlessAnEndIsGiven) {
  const absl::StatusOr<Scenario> scenario = ParseScenario("call: outbound\nto: *\npickup: no answer");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->pickup.after, absl::Seconds(120));
}

TEST(ScenarioTest, ListsTheClipsOfBothSides) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(kWhole);
  ASSERT_TRUE(scenario.ok());
  EXPECT_THAT(ClipsOf(*scenario),
              testing::ElementsAre("vm-rec-name", "vm-youhave", "hello-world", "a", "b", "c", "sorry"));
}

struct Bad {
  const char* name;
  const char* text;
  const char* says;  // Part of the message.
};

class BadScenarioTest : public testing::TestWithParam<Bad> {};

TEST_P(BadScenarioTest, NamesTheLineAndWhatWouldBeRight) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(GetParam().text);
  EXPECT_EQ(scenario.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(scenario.status().message()), testing::HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadScenarioTest,
    testing::Values(
        Bad{"UnknownHeader", "call: inbound\ncolour: red", "line 2: 'colour' is not known here; known are: call"},
        Bad{"NoColon", "call inbound", "line 1: 'call inbound' must be 'name: value'"},
        Bad{"BadKind", "call: sideways", "must be one of: inbound, outbound"},
        Bad{"NoTo", "call: inbound\nfrom: 1", "'to: <number>' is missing"},
        Bad{"NoFrom", "to: 1", "an inbound call needs 'from: <number>'"},
        Bad{"AnyInbound", "from: 1\nto: *", "'to: *' is for outbound calls"},
        Bad{"Section", "[people]", "must be one of: [person]"},
        Bad{"Step", "[person]\ndance", "line 2: 'dance' is no step; a step is say"},
        Bad{"Duration", "[person]\npause long", "'long' is not a duration; write 400ms"},
        Bad{"Wait", "[person]\nwait bus", "'bus' is nothing to wait for"},
        Bad{"WaitTail", "[person]\nwait done 400ms later", "'later' is too much"},
        Bad{"Keys", "[person]\npress x", "must be keys"},
        Bad{"SayNothing", "[person]\nsay", "'say' needs at least one clip"},
        Bad{"OpenRepeat", "to: *\ncall: outbound\n[person]\nrepeat 2\nhang up", "'repeat' without its 'end'"},
        Bad{"LoneEnd", "[person]\nend", "'end' without a 'repeat'"},
        Bad{"Pickup", "pickup: maybe", "must begin with answer, busy"},
        Bad{"PickupTail", "pickup: answer at 3s", "'at' must be 'after', 'talk' or 'press'"},
        Bad{"PickupKey", "pickup: answer press 12", "'12' must be one key"},
        Bad{"Machine", "pickup: machine talk 3s", "'talk' must be 'after <duration>', 'greeting"},
        Bad{"Checkpoints", "[carrier]\ncheckpoints: lose many", "must be like 'lose 20%, delay 0..300ms'"},
        Bad{"Range", "[carrier]\nplayout delay: 90ms..40ms", "the smaller first"},
        Bad{"Reply", "[model]\nreply: shout hello", "must begin with say, call, status or after"},
        Bad{"Call", "[model]\nreply: call transfer_call", "'call' needs a tool and its JSON"},
        Bad{"When", "[model]\nreply when raining: say a", "a conditional reply is 'reply when tool-failed"},
        Bad{"Fault", "[model]\nfault: after 3s explode", "must be close:CODE"},
        Bad{"FaultSession", "[model]\nfault: session 0 after 3s abort", "line 2: '0' must be a whole number from 1"},
        Bad{"FaultWhen", "[model]\nfault: abort", "a fault is 'fault: [session N] [response N] [after DURATION]"},
        Bad{"FaultWord", "[model]\nfault: turn 2 abort", "a fault is 'fault: [session N] [response N]"},
        Bad{"RefuseSession", "[model]\nrefuse session two: http:503", "'two' must be a whole number"},
        Bad{"ReplyAfter", "[model]\nreply: after lunch ; say a", "'lunch' is not a duration"},
        Bad{"Yes", "[carrier]\ntwice: maybe", "twice: 'maybe' must be yes or no"}),
    [](const testing::TestParamInfo<Bad>& info) { return info.param.name; });

}  // namespace
}  // namespace callbridge::sim
