#include "src/demo/checklist.h"

#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace callbridge::demo {
namespace {

v1::CallEvent Event(const std::string& text) {
  v1::CallEvent event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

v1::CallEvent CallerSaid(const std::string& words) {
  return Event(
      "transcript_item_final { item { role: SPEAKER_ROLE_CALLER status: TRANSCRIPT_ITEM_STATUS_COMPLETE text_heard: '" +
      words + "' } }");
}

v1::CallEvent Transfer(const std::string& name, const std::string& state, const std::string& outcome) {
  return Event("transfer_changed { transfer { name: '" + name + "' destination: 'sales' state: TRANSFER_STATE_" +
               state + " outcome: TRANSFER_OUTCOME_" + outcome + " } }");
}

// A call in which every step happened.
CallFacts WholeCall() {
  CallFacts facts;
  facts.events = {
      Event("assistant_speech_started { item_id: 'hello' greeting: true }"),
      Event("assistant_speech_finished { item_id: 'hello' heard_duration { seconds: 1 } }"),
      CallerSaid("one"),
      Event("turn_measured { to_first_heard { nanos: 214000000 } }"),
      CallerSaid("two"),
      Event("turn_measured { to_first_heard { nanos: 210000000 } }"),
      Event("barge_in { item_id: 'long' heard_duration { seconds: 1 } received_duration { seconds: 3 } }"),
      Transfer("first", "REQUESTED", "PENDING"),
      Transfer("first", "FAILED", "NO_ANSWER"),
      Event("caller_returned { transfer: 'first' }"),
      Transfer("second", "CONNECTED", "BRIDGED"),
      Transfer("second", "COMPLETED", "BRIDGED"),
      Event("summary_ready { summary: 'They talked.' }"),
      Event("call_ended { end { reason: END_REASON_TRANSFER_COMPLETED } duration { seconds: 37 } }"),
  };
  facts.call_row = {{"duration", "37"}, {"transcript", "Caller: one\n"}, {"summary", "They talked."}};
  facts.lead_row = {{"call_status", "transferred"}, {"transferred_to_human", "1"}};
  facts.transcript.emplace_back();
  facts.transcript[0].set_status(v1::TRANSCRIPT_ITEM_STATUS_CUT);
  facts.transcript[0].set_text_heard("Please");
  facts.transcript[0].set_text_generated("Please leave");
  facts.world.found = true;
  facts.world.over = true;
  return facts;
}

std::vector<std::string> Missing(const CallFacts& facts) {
  std::vector<std::string> missing;
  for (const Step& step : CheckCall(facts)) {
    if (!step.done) missing.push_back(step.what);
  }
  return missing;
}

TEST(ChecklistTest, AWholeCallHasEveryStep) {
  const std::vector<Step> steps = CheckCall(WholeCall());
  EXPECT_EQ(steps.size(), 14u);
  for (const Step& step : steps) EXPECT_TRUE(step.done) << step.what << ": " << step.detail;
  EXPECT_TRUE(AllDone(steps));
  EXPECT_EQ(FirstMissing(steps), "");
}

TEST(ChecklistTest, NothingKnownIsNothingDone) {
  const std::vector<Step> steps = CheckCall(CallFacts());
  EXPECT_EQ(Missing(CallFacts()).size(), steps.size());
  EXPECT_FALSE(AllDone(steps));
  EXPECT_EQ(FirstMissing(steps), "the greeting is heard");
}

constexpr const char* kGreeting = "the greeting is heard";
constexpr const char* kTranscribed = "two turns of the caller are transcribed";
constexpr const char* kAnswered = "two turns are answered";
constexpr const char* kInterrupts = "the caller interrupts and hears less than was sent";
constexpr const char* kFails = "the first transfer fails: nobody answers";
constexpr const char* kReturns = "the caller comes back to the assistant";
constexpr const char* kBridged = "the second transfer reaches a human";
constexpr const char* kEnds = "the call ends as it should";
constexpr const char* kDuration = "its duration is in the record";
constexpr const char* kTranscript = "its transcript is in the record";
constexpr const char* kSummary = "its summary is in the record";
constexpr const char* kLead = "the lead is marked as transferred";
constexpr const char* kContent = "the person was content";
constexpr const char* kRules = "no rule of the carrier or the model was broken";

struct Row {
  const char* name;
  std::function<void(CallFacts&)> spoil;
  const char* missing;  // The one step that this undoes.
};

// Places of events in WholeCall().
enum Place {
  kStarted = 0,
  kFinished = 1,
  kOne = 2,
  kFirstTurn = 3,
  kBarge = 6,
  kFailed = 8,
  kBack = 9,
  kCompleted = 11,
  kSummed = 12,
  kEnded = 13
};

class OneStepMissingTest : public testing::TestWithParam<Row> {};

TEST_P(OneStepMissingTest, IsNamedAlone) {
  CallFacts facts = WholeCall();
  GetParam().spoil(facts);
  EXPECT_THAT(Missing(facts), testing::ElementsAre(GetParam().missing));
  EXPECT_FALSE(AllDone(CheckCall(facts)));
  EXPECT_EQ(FirstMissing(CheckCall(facts)), GetParam().missing);
}

const Row kRows[] = {
    {"GreetingNotSpoken",
     [](CallFacts& f) { f.events[kStarted].mutable_assistant_speech_started()->set_greeting(false); }, kGreeting},
    {"GreetingCut", [](CallFacts& f) { f.events[kFinished].Clear(); }, kGreeting},
    {"GreetingSilent",
     [](CallFacts& f) { f.events[kFinished].mutable_assistant_speech_finished()->clear_heard_duration(); }, kGreeting},
    {"OtherItemHeard", [](CallFacts& f) { f.events[kFinished].mutable_assistant_speech_finished()->set_item_id("x"); },
     kGreeting},
    {"OneTurn", [](CallFacts& f) { f.events[kOne].Clear(); }, kTranscribed},
    {"TurnNotUnderstood",
     [](CallFacts& f) {
       f.events[kOne].mutable_transcript_item_final()->mutable_item()->set_status(v1::TRANSCRIPT_ITEM_STATUS_FAILED);
     },
     kTranscribed},
    {"TurnWithoutWords",
     [](CallFacts& f) { f.events[kOne].mutable_transcript_item_final()->mutable_item()->clear_text_heard(); },
     kTranscribed},
    {"OnlyTheAssistantSpoke",
     [](CallFacts& f) {
       f.events[kOne].mutable_transcript_item_final()->mutable_item()->set_role(v1::SPEAKER_ROLE_ASSISTANT);
     },
     kTranscribed},
    {"AnswerNotHeard", [](CallFacts& f) { f.events[kFirstTurn].mutable_turn_measured()->clear_to_first_heard(); },
     kAnswered},
    {"NobodyInterrupted", [](CallFacts& f) { f.events[kBarge].Clear(); }, kInterrupts},
    {"AllWasHeard", [](CallFacts& f) { f.events[kBarge].mutable_barge_in()->mutable_heard_duration()->set_seconds(3); },
     kInterrupts},
    {"FirstBusy",
     [](CallFacts& f) {
       f.events[kFailed].mutable_transfer_changed()->mutable_transfer()->set_outcome(v1::TRANSFER_OUTCOME_BUSY);
     },
     kFails},
    {"FirstNotOver", [](CallFacts& f) { f.events[kFailed].Clear(); }, kFails},
    {"NotBack", [](CallFacts& f) { f.events[kBack].Clear(); }, kReturns},
    {"BackFromElsewhere", [](CallFacts& f) { f.events[kBack].mutable_caller_returned()->set_transfer("second"); },
     kReturns},
    {"SecondNotOver", [](CallFacts& f) { f.events[kCompleted].Clear(); }, kBridged},
    {"SecondFailed",
     [](CallFacts& f) {
       f.events[kCompleted].mutable_transfer_changed()->mutable_transfer()->set_state(v1::TRANSFER_STATE_FAILED);
     },
     kBridged},
    {"EndedByAFault",
     [](CallFacts& f) {
       f.events[kEnded].mutable_call_ended()->mutable_end()->set_reason(v1::END_REASON_MODEL_SESSION_LOST);
     },
     kEnds},
    {"EndedAsFailed", [](CallFacts& f) { f.events[kEnded].mutable_call_ended()->mutable_end()->set_failed(true); },
     kEnds},
    {"NoDuration", [](CallFacts& f) { f.call_row.erase("duration"); }, kDuration},
    {"DurationZero",
     [](CallFacts& f) {
       f.call_row["duration"] = "0";
       f.events[kEnded].mutable_call_ended()->clear_duration();
     },
     kDuration},
    {"DurationsDiffer", [](CallFacts& f) { f.call_row["duration"] = "36"; }, kDuration},
    {"NoTranscriptInTheRow", [](CallFacts& f) { f.call_row["transcript"] = ""; }, kTranscript},
    {"NoTranscriptItems", [](CallFacts& f) { f.transcript.clear(); }, kTranscript},
    {"NothingCut", [](CallFacts& f) { f.transcript[0].set_text_heard("Please leave"); }, kTranscript},
    {"NoSummary", [](CallFacts& f) { f.events[kSummed].Clear(); }, kSummary},
    {"SummaryNotKept", [](CallFacts& f) { f.call_row["summary"] = ""; }, kSummary},
    {"AnotherSummaryKept", [](CallFacts& f) { f.call_row["summary"] = "x"; }, kSummary},
    {"NoLead", [](CallFacts& f) { f.lead_row.clear(); }, kLead},
    {"LeadOnlyCalled", [](CallFacts& f) { f.lead_row["call_status"] = "called"; }, kLead},
    {"LeadNotHanded", [](CallFacts& f) { f.lead_row["transferred_to_human"] = "0"; }, kLead},
    {"PersonWaitedInVain", [](CallFacts& f) { f.world.failed_steps = {"wait returned"}; }, kContent},
    {"StillOnTheLine", [](CallFacts& f) { f.world.over = false; }, kContent},
    {"RuleBroken", [](CallFacts& f) { f.world.violations = {"no signature"}; }, kRules},
};

INSTANTIATE_TEST_SUITE_P(Steps, OneStepMissingTest, testing::ValuesIn(kRows),
                         [](const testing::TestParamInfo<Row>& info) { return std::string(info.param.name); });

TEST(ChecklistTest, AHangUpIsAGoodEndToo) {
  CallFacts facts = WholeCall();
  facts.events[kEnded].mutable_call_ended()->mutable_end()->set_reason(v1::END_REASON_NORMAL_HANGUP);
  EXPECT_THAT(Missing(facts), testing::IsEmpty());
}

TEST(ChecklistTest, WithoutEventsOfTransfersThreeStepsAreMissing) {
  CallFacts facts = WholeCall();
  for (const int place : {7, 8, 10, 11}) facts.events[place].Clear();
  EXPECT_THAT(Missing(facts), testing::ElementsAre(kFails, kReturns, kBridged));
}

TEST(ChecklistTest, ACallUnknownToTheWorldIsNotContentment) {
  CallFacts facts = WholeCall();
  facts.world = WorldReport();
  EXPECT_THAT(Missing(facts), testing::ElementsAre(kContent, kRules));
}

}  // namespace
}  // namespace callbridge::demo
