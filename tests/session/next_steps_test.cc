#include "src/session/next_steps.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/call/transfer_rules.h"

namespace callbridge::session {
namespace {

using call::TransferOutcome;
using Kind = Instructions::Kind;
using Progress = FrontDesk::DialProgress;
using StepKind = call::command::NextStep::Kind;

call::command::NextStep Dial(int targets, const std::string& confirm_key = "") {
  call::command::NextStep step;
  step.kind = StepKind::kDial;
  step.transfer_id = "x1";
  for (int i = 0; i < targets; ++i) step.targets.push_back({absl::StrCat("+1555011", i), absl::Seconds(10 + i)});
  step.confirm_key = confirm_key;
  return step;
}

NextSteps Dialling(int targets, const std::string& confirm_key = "") {
  NextSteps steps;
  steps.Set(Dial(targets, confirm_key));
  return steps;
}

FrontDesk::DialRef Target(int64_t target, const std::string& transfer_id = "x1") {
  return {"token", transfer_id, target};
}

call::command::NextStep Step(StepKind kind) {
  call::command::NextStep step;
  step.kind = kind;
  return step;
}

TEST(NextStepsTest, TheStreamComesFirst) {
  NextSteps steps;
  EXPECT_EQ(steps.kind(), Kind::kStream);
  EXPECT_FALSE(steps.OnProgress(Target(0), Progress::kConnected)) << "nobody was dialled";
  EXPECT_EQ(steps.OnDone(Target(0, ""), TransferOutcome::kBusy), TransferOutcome::kBusy);
  EXPECT_EQ(steps.kind(), Kind::kStream);
}

TEST(NextStepsTest, EachOutcomeOfEachTarget) {
  struct Row {
    TransferOutcome outcome;
    Kind with_others;
    Kind at_the_last;
  };
  const Row rows[] = {
      {TransferOutcome::kBridged, Kind::kHangUp, Kind::kHangUp},
      {TransferOutcome::kBusy, Kind::kDial, Kind::kStream},
      {TransferOutcome::kNoAnswer, Kind::kDial, Kind::kStream},
      {TransferOutcome::kRejected, Kind::kDial, Kind::kStream},
      {TransferOutcome::kInvalidTarget, Kind::kDial, Kind::kStream},
      {TransferOutcome::kCarrierError, Kind::kDial, Kind::kStream},
      {TransferOutcome::kCallerLeft, Kind::kStream, Kind::kStream},
      {TransferOutcome::kCancelled, Kind::kStream, Kind::kStream},
      {TransferOutcome::kUnknown, Kind::kStream, Kind::kStream},
  };
  for (const Row& row : rows) {
    for (int64_t failed = 0; failed < 3; ++failed) {
      SCOPED_TRACE(absl::StrCat(Name(row.outcome), " of target ", failed));
      NextSteps steps = Dialling(3);
      for (int64_t before = 0; before < failed; ++before) steps.OnDone(Target(before), TransferOutcome::kBusy);
      ASSERT_EQ(steps.target_number(), failed);
      steps.OnDone(Target(failed), row.outcome);
      EXPECT_EQ(steps.kind(), failed < 2 ? row.with_others : row.at_the_last);
      if (steps.kind() == Kind::kDial) {
        EXPECT_EQ(steps.target_number(), failed + 1);
        EXPECT_EQ(steps.target().number, absl::StrCat("+1555011", failed + 1));
        EXPECT_EQ(call::TriesNext(row.outcome, false), true);
      }
    }
  }
}

TEST(NextStepsTest, RepeatedAndLateReportsSkipNobody) {
  NextSteps steps = Dialling(3);
  steps.OnDone(Target(0), TransferOutcome::kBusy);
  steps.OnDone(Target(0), TransferOutcome::kBusy);
  steps.OnDone(Target(0), TransferOutcome::kBridged);
  EXPECT_FALSE(steps.OnProgress(Target(0), Progress::kConnected));
  EXPECT_EQ(steps.kind(), Kind::kDial);
  EXPECT_EQ(steps.target_number(), 1);
  steps.OnDone(Target(1, "another"), TransferOutcome::kBusy);
  steps.OnDone(Target(2), TransferOutcome::kBusy);
  EXPECT_EQ(steps.target_number(), 1) << "neither of another transfer nor of a target whose turn has not come";
}

TEST(NextStepsTest, WhoWasConnectedAndIsGoneIsNotReplaced) {
  NextSteps steps = Dialling(2);
  EXPECT_TRUE(steps.OnProgress(Target(0), Progress::kPickedUp));
  steps.OnDone(Target(0), TransferOutcome::kNoAnswer);
  EXPECT_EQ(steps.kind(), Kind::kStream);
}

TEST(NextStepsTest, TheCallsOwnWordCounts) {
  NextSteps steps = Dialling(2);
  steps.Set(Step(StepKind::kHangUp));
  steps.OnDone(Target(0), TransferOutcome::kBusy);
  EXPECT_EQ(steps.kind(), Kind::kHangUp) << "it was ended meanwhile";
  steps.Set(Step(StepKind::kStream));
  steps.OnDone(Target(0), TransferOutcome::kBridged);
  EXPECT_EQ(steps.kind(), Kind::kStream) << "it was cancelled meanwhile";
}

TEST(NextStepsTest, PickingUpIsNotYetTakingTheCallWhereAKeyIsWanted) {
  NextSteps steps = Dialling(2, "1");
  EXPECT_FALSE(steps.OnProgress(Target(0), Progress::kPickedUp));
  EXPECT_TRUE(steps.OnProgress(Target(0), Progress::kConnected));
  EXPECT_EQ(steps.OnDone(Target(0), TransferOutcome::kBridged), TransferOutcome::kBridged);
  EXPECT_EQ(steps.kind(), Kind::kHangUp);
}

TEST(NextStepsTest, WhoDoesNotPressTheKeyHasRejected) {
  for (const TransferOutcome said :
       {TransferOutcome::kBridged, TransferOutcome::kCarrierError, TransferOutcome::kNoAnswer}) {
    NextSteps steps = Dialling(2, "1");
    steps.OnProgress(Target(0), Progress::kPickedUp);
    EXPECT_FALSE(steps.OnProgress(Target(0), Progress::kNotConfirmed));
    EXPECT_EQ(steps.OnDone(Target(0), said), TransferOutcome::kRejected) << Name(said);
    EXPECT_EQ(steps.target_number(), 1);
    EXPECT_EQ(steps.OnDone(Target(1), TransferOutcome::kNoAnswer), TransferOutcome::kNoAnswer) << "the next one is new";
  }
  NextSteps steps = Dialling(1, "1");
  steps.OnProgress(Target(0), Progress::kPickedUp);
  EXPECT_EQ(steps.OnDone(Target(0), TransferOutcome::kBridged), TransferOutcome::kRejected)
      << "the notice is late, and the caller must not be hung up on";
  EXPECT_EQ(steps.kind(), Kind::kStream);
}

TEST(NextStepsTest, TargetsAreNumberedFromTheFirstThatIsLeft) {
  call::command::NextStep step = Dial(2);
  step.first_target = 3;
  NextSteps steps;
  steps.Set(step);
  steps.OnDone(Target(0), TransferOutcome::kBusy);
  EXPECT_EQ(steps.target_number(), 3);
  steps.OnDone(Target(3), TransferOutcome::kBusy);
  EXPECT_EQ(steps.target_number(), 4);
}

}  // namespace
}  // namespace callbridge::session
