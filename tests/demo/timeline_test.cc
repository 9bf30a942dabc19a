#include "src/demo/timeline.h"

#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace callbridge::demo {
namespace {

v1::CallEvent Event(const std::string& text) {
  v1::CallEvent event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  event.set_call("calls/a");
  event.mutable_event_time()->set_seconds(1000);
  return event;
}

struct Row {
  const char* name;
  const char* event;
  const char* line;
};

class LineTest : public testing::TestWithParam<Row> {};

TEST_P(LineTest, SaysWhoAndWhat) {
  Timeline timeline(false);
  EXPECT_EQ(timeline.Line(Event(GetParam().event)), GetParam().line);
}

const Row kRows[] = {
    {"Created", "call_created { direction: CALL_DIRECTION_INBOUND from: '+1' to: '+2' }",
     "  0:00.000  carrier    📞 inbound call, +1 to +2"},
    {"Ringing", "state_changed { to: CALL_STATE_RINGING }", "  0:00.000  carrier    📞 the phone rings"},
    {"PickedUp", "state_changed { to: CALL_STATE_ANSWERED }", "  0:00.000  caller     📞 picks up"},
    {"OtherStates", "state_changed { to: CALL_STATE_IN_PROGRESS }", ""},
    {"Stream", "stream_connected { stream_id: 's' ordinal: 2 }", "  0:00.000  carrier    audio stream 2 is open"},
    {"StreamLost", "stream_lost { detail: 'close code 1006' }",
     "  0:00.000  carrier    ⚠️  audio stream lost: close code 1006"},
    {"ModelReady", "model_ready { session_id: 's' model: 'm' }", "  0:00.000  assistant  is ready (m)"},
    {"ModelTrouble", "model_trouble { code: 'c' message: 'm' }", "  0:00.000  assistant  ⚠️  c: m"},
    {"BargeIn",
     "barge_in { heard_duration { seconds: 1 nanos: 240000000 } received_duration { seconds: 3 nanos: 96000000 } }",
     "  0:00.000  caller     ✋ interrupts: heard 1.24 s of 3.10 s"},
    {"CallerSaid",
     "transcript_item_final { item { role: SPEAKER_ROLE_CALLER status: TRANSCRIPT_ITEM_STATUS_COMPLETE text_heard: "
     "'Hello.' } }",
     "  0:00.000  caller     “Hello.”"},
    {"AssistantCut",
     "transcript_item_final { item { role: SPEAKER_ROLE_ASSISTANT status: TRANSCRIPT_ITEM_STATUS_CUT text_heard: "
     "'Please' "
     "text_generated: 'Please leave' } }",
     "  0:00.000  assistant  “Please —”"},
    {"NothingHeard",
     "transcript_item_final { item { role: SPEAKER_ROLE_ASSISTANT status: TRANSCRIPT_ITEM_STATUS_CUT text_generated: "
     "'Please' } }",
     "  0:00.000  assistant  (was stopped before a word was heard)"},
    {"NothingSaid",
     "transcript_item_final { item { role: SPEAKER_ROLE_TOOL status: TRANSCRIPT_ITEM_STATUS_COMPLETE } }", ""},
    {"NotUnderstood",
     "transcript_item_final { item { role: SPEAKER_ROLE_CALLER status: TRANSCRIPT_ITEM_STATUS_FAILED } }",
     "  0:00.000  caller     (said something, no words were understood)"},
    {"TransferRequested",
     "transfer_changed { transfer { destination: 'sales' reason: 'why' state: TRANSFER_STATE_REQUESTED } }",
     "  0:00.000  assistant  🔁 transfer to sales: why"},
    {"TransferDialing",
     "transfer_changed { transfer { destination: 'sales' number: '+3' state: TRANSFER_STATE_DIALING } }",
     "  0:00.000  carrier    🔁 dials sales at +3"},
    {"TransferConnected", "transfer_changed { transfer { destination: 'sales' state: TRANSFER_STATE_CONNECTED } }",
     "  0:00.000  human      🔁 sales picks up and talks to the caller"},
    {"TransferCompleted", "transfer_changed { transfer { destination: 'sales' state: TRANSFER_STATE_COMPLETED } }",
     "  0:00.000  human      🔁 the talk with sales is over"},
    {"TransferFailed",
     "transfer_changed { transfer { destination: 'sales' state: TRANSFER_STATE_FAILED outcome: "
     "TRANSFER_OUTCOME_NO_ANSWER } }",
     "  0:00.000  carrier    🔁 nobody takes over at sales: no answer"},
    {"Returned", "caller_returned { transfer: 't' }", "  0:00.000  caller     ↩  is with the assistant again"},
    {"Dtmf", "dtmf_received { digit: '#' }", "  0:00.000  caller     presses #"},
    {"Turn",
     "turn_measured { to_first_audio { nanos: 119000000 } to_first_sent { nanos: 121000000 } to_first_heard { nanos: "
     "214000000 } }",
     "                       ⏱  turn 1: the caller hears the answer after 214 ms (model 119 ms, bridge 2 ms, carrier "
     "93 ms)"},
    {"TurnNotHeard", "turn_measured { to_first_audio { nanos: 119000000 } to_first_sent { nanos: 121000000 } }",
     "                       ⏱  turn 1: answered (model 119 ms, bridge 2 ms)"},
    {"TurnUnknown", "turn_measured { }", "                       ⏱  turn 1: answered"},
    {"Ended",
     "call_ended { end { reason: END_REASON_TRANSFER_COMPLETED initiator: PARTY_CALLER evidence: 'e' } duration { "
     "seconds: 37 } }",
     "  0:00.000  carrier    🏁 call ended: transfer completed, by caller, after 37 s (e)"},
    {"Summary", "summary_ready { summary: 'They talked.' }", "  0:00.000  assistant  📝 They talked."},
    {"NoSummary", "summary_failed { reason: 'r' }", "  0:00.000  assistant  ⚠️  no summary: r"},
    {"NothingNew", "caller_speech_started { item_id: 'i' }", ""},
    {"UnknownKind", "type: 'of_tomorrow'", ""},
};

INSTANTIATE_TEST_SUITE_P(Events, LineTest, testing::ValuesIn(kRows),
                         [](const testing::TestParamInfo<Row>& info) { return std::string(info.param.name); });

TEST(TimelineTest, TimesAreFromTheFirstEventOfTheSameCall) {
  Timeline timeline(false);
  v1::CallEvent event = Event("caller_speech_started { }");
  EXPECT_EQ(timeline.Line(event), "");
  event = Event("dtmf_received { digit: '1' }");
  event.mutable_event_time()->set_seconds(1065);
  event.mutable_event_time()->set_nanos(43210000);
  EXPECT_EQ(timeline.Line(event), "  1:05.043  caller     presses 1");
  event.set_call("calls/b");
  EXPECT_EQ(timeline.Line(event), "  0:00.000  caller     presses 1");
}

TEST(TimelineTest, TurnsAreCountedPerCall) {
  Timeline timeline(false);
  v1::CallEvent event = Event("turn_measured { }");
  timeline.Line(event);
  EXPECT_EQ(timeline.Line(event), "                       ⏱  turn 2: answered");
  event.set_call("calls/b");
  EXPECT_EQ(timeline.Line(event), "                       ⏱  turn 1: answered");
}

TEST(TimelineTest, ATurnsTimesFollowItsWords) {
  Timeline timeline(false);
  const v1::CallEvent turn = Event("turn_measured { caller_item_id: 'i' }");
  EXPECT_EQ(timeline.Line(turn), "");
  EXPECT_EQ(timeline.Line(
                Event("transcript_item_final { item { item_id: 'j' role: SPEAKER_ROLE_CALLER text_heard: 'No.' } }")),
            "  0:00.000  caller     “No.”");
  EXPECT_EQ(timeline.Line(
                Event("transcript_item_final { item { item_id: 'i' role: SPEAKER_ROLE_CALLER text_heard: 'Yes.' } }")),
            "  0:00.000  caller     “Yes.”\n                       ⏱  turn 1: answered");
  EXPECT_EQ(timeline.Line(turn), "                       ⏱  turn 2: answered") << "its words are there already";
}

TEST(TimelineTest, ColoursOnlyWhereWanted) {
  const v1::CallEvent event = Event("dtmf_received { digit: '1' }");
  EXPECT_EQ(Timeline(true).Line(event), "  \033[2m0:00.000\033[0m  \033[1;36mcaller   \033[0m  presses 1");
  EXPECT_EQ(Timeline(false).Line(event).find('\033'), std::string::npos);
}

TEST(TimelineTest, TranscriptLinesShowWhatWasNotHeard) {
  const Timeline timeline(false);
  v1::TranscriptItem item;
  item.set_role(v1::SPEAKER_ROLE_ASSISTANT);
  item.set_text_heard("Please leave");
  item.set_text_generated("Please leave your message.");
  EXPECT_EQ(timeline.TranscriptLine(item), "  assistant  Please leave [your message.]");
  item.set_text_heard(item.text_generated());
  EXPECT_EQ(timeline.TranscriptLine(item), "  assistant  Please leave your message.");
  item.set_text_heard("");
  EXPECT_EQ(timeline.TranscriptLine(item), "  assistant  [Please leave your message.]");
}

TEST(FormatOffsetTest, MinutesSecondsMilliseconds) {
  EXPECT_EQ(FormatOffset(absl::Milliseconds(5123)), "0:05.123");
  EXPECT_EQ(FormatOffset(absl::Minutes(61) + absl::Milliseconds(7)), "61:00.007");
  EXPECT_EQ(FormatOffset(absl::Milliseconds(-3)), "0:00.000");
}

}  // namespace
}  // namespace callbridge::demo
