#include "src/call/termination.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace callbridge::call {
namespace {

using R = EndReason;

struct Row {
  R reason;
  Layer layer;
  bool retryable;
  bool failed;  // After a conversation.
};

// What each reason means, of calls in which caller and assistant had talked and no human came in.
const Row kRows[] = {
    {R::kNormalHangup, Layer::kSignalling, false, false},
    {R::kApiEnded, Layer::kControl, false, false},
    {R::kTransferCompleted, Layer::kTransfer, false, false},
    {R::kNoAnswer, Layer::kSignalling, true, true},
    {R::kBusy, Layer::kSignalling, true, true},
    {R::kRejected, Layer::kSignalling, false, true},
    {R::kInvalidNumber, Layer::kSignalling, false, true},
    {R::kCallerCancelled, Layer::kSignalling, true, true},
    {R::kCarrierRefused, Layer::kSignalling, false, true},
    {R::kCarrierUnavailable, Layer::kSignalling, true, true},
    {R::kDialOutcomeUnknown, Layer::kSignalling, false, true},
    {R::kAnsweringMachine, Layer::kSignalling, true, true},
    {R::kMaxDuration, Layer::kControl, false, false},
    {R::kModelRefused, Layer::kModelSession, false, true},
    {R::kModelQuota, Layer::kModelSession, false, true},
    {R::kModelUnavailable, Layer::kModelSession, true, true},
    {R::kModelSessionLost, Layer::kModelSession, true, true},
    {R::kMediaStreamLost, Layer::kMediaStream, true, true},
    {R::kStreamNeverStarted, Layer::kMediaStream, true, true},
    {R::kXmlRejected, Layer::kSignalling, false, true},
    {R::kServerDrain, Layer::kProcess, true, true},
    {R::kProcessLost, Layer::kProcess, true, true},
    {R::kInternalError, Layer::kProcess, true, true},
};

EndFacts Facts(R reason, bool conversation, bool human) {
  EndFacts facts;
  facts.reason = reason;
  facts.initiator = Party::kCaller;
  facts.evidence = "what was seen";
  facts.answered = true;
  facts.conversation = conversation;
  facts.human = human;
  return facts;
}

TEST(TerminationTest, EveryReasonHasARow) {
  std::set<R> reasons;
  for (const Row& row : kRows) reasons.insert(row.reason);
  EXPECT_EQ(reasons.size(), static_cast<size_t>(R::kInternalError) + 1);
}

TEST(TerminationTest, AfterAConversation) {
  for (const Row& row : kRows) {
    const Termination made = MakeTermination(Facts(row.reason, true, false));
    SCOPED_TRACE(std::string(Name(row.reason)));
    EXPECT_EQ(made.reason, row.reason);
    EXPECT_EQ(made.layer, row.layer);
    EXPECT_EQ(made.retryable, row.retryable);
    EXPECT_EQ(made.failed, row.failed);
    EXPECT_EQ(made.initiator, Party::kCaller);
    EXPECT_EQ(made.evidence, "what was seen");
  }
}

// Nobody talked: whatever the reason, it was no call. Only a plain hang-up gets another name.
TEST(TerminationTest, WithoutAConversation) {
  for (const Row& row : kRows) {
    const Termination made = MakeTermination(Facts(row.reason, false, false));
    SCOPED_TRACE(std::string(Name(row.reason)));
    EXPECT_EQ(made.reason, row.reason == R::kNormalHangup ? R::kCallerCancelled : row.reason);
    EXPECT_TRUE(made.failed);
  }
  const Termination cancelled = MakeTermination(Facts(R::kNormalHangup, false, false));
  EXPECT_EQ(cancelled.layer, Layer::kSignalling);
  EXPECT_TRUE(cancelled.retryable);
}

TEST(TerminationTest, AfterAHumanTookOver) {
  for (const Row& row : kRows) {
    const Termination made = MakeTermination(Facts(row.reason, true, true));
    SCOPED_TRACE(std::string(Name(row.reason)));
    EXPECT_EQ(made.reason, row.reason == R::kNormalHangup ? R::kTransferCompleted : row.reason);
    EXPECT_EQ(made.failed, row.failed);
  }
  EXPECT_EQ(MakeTermination(Facts(R::kNormalHangup, true, true)).layer, Layer::kTransfer);
}

}  // namespace
}  // namespace callbridge::call
