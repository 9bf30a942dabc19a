#include "src/call/types.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace callbridge::call {
namespace {

// Each value up to the last one has a word of its own that leads back to it.
template <typename Enum>
void RoundTrips(Enum last) {
  std::set<std::string> words;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const Enum value = static_cast<Enum>(i);
    const std::string word(Name(value));
    EXPECT_FALSE(word.empty()) << i;
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << word;
    EXPECT_TRUE(words.insert(word).second) << word;
    Enum back = last;
    EXPECT_TRUE(Parse(word, &back)) << word;
    EXPECT_EQ(back, value) << word;
  }
  Enum untouched = last;
  for (const char* word : {"", "no such word", "Inbound", "inboun"}) {
    EXPECT_FALSE(Parse(word, &untouched)) << word;
    EXPECT_EQ(untouched, last);
  }
}

TEST(TypesTest, EveryNameLeadsBack) {
  RoundTrips(Direction::kOutbound);
  RoundTrips(State::kFailed);
  RoundTrips(Party::kSystem);
  RoundTrips(Layer::kProcess);
  RoundTrips(EndReason::kInternalError);
  RoundTrips(Role::kSystem);
  RoundTrips(HeardBasis::kEstimated);
  RoundTrips(ItemStatus::kFailed);
  RoundTrips(TransferOutcome::kUnknown);
  RoundTrips(TransferState::kFailed);
}

// They are stored: they must not change.
TEST(TypesTest, WordsAreThoseThatAreStored) {
  EXPECT_EQ(Name(Direction::kOutbound), "outbound");
  EXPECT_EQ(Name(State::kInProgress), "in_progress");
  EXPECT_EQ(Name(State::kTransferring), "transferring");
  EXPECT_EQ(Name(State::kCompleted), "completed");
  EXPECT_EQ(Name(Party::kCarrier), "carrier");
  EXPECT_EQ(Name(Layer::kModelSession), "model_session");
  EXPECT_EQ(Name(EndReason::kNormalHangup), "normal_hangup");
  EXPECT_EQ(Name(EndReason::kTransferCompleted), "transfer_completed");
  EXPECT_EQ(Name(EndReason::kAnsweringMachine), "answering_machine");
  EXPECT_EQ(Name(EndReason::kModelQuota), "model_quota");
  EXPECT_EQ(Name(EndReason::kXmlRejected), "xml_rejected");
  EXPECT_EQ(Name(EndReason::kInternalError), "internal_error");
  EXPECT_EQ(Name(Role::kTool), "tool");
  EXPECT_EQ(Name(HeardBasis::kAcknowledged), "acknowledged");
  EXPECT_EQ(Name(ItemStatus::kCut), "cut");
  EXPECT_EQ(Name(TransferOutcome::kCallerLeft), "caller_left");
  EXPECT_EQ(Name(TransferState::kConnected), "connected");
}

TEST(TypesTest, TwoStatesAreFinal) {
  for (int i = 0; i <= static_cast<int>(State::kFailed); ++i) {
    const State state = static_cast<State>(i);
    EXPECT_EQ(IsFinal(state), state == State::kCompleted || state == State::kFailed) << Name(state);
  }
}

}  // namespace
}  // namespace callbridge::call
