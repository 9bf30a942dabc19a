#include "src/session/projection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace callbridge::session {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

store::CallWrite Write(call::EventBody body, const std::string& transcript = "") {
  store::CallWrite write;
  Project(call::Event{"c1", 7, kNow, std::move(body)}, transcript, write);
  return write;
}

TEST(ProjectionTest, AnswerIsTheFirstMoveToAnswered) {
  EXPECT_EQ(Write(call::StateChanged{call::State::kRinging, call::State::kAnswered}).answer_time, kNow);
  EXPECT_EQ(Write(call::StateChanged{call::State::kInProgress, call::State::kAnswered}).answer_time, absl::nullopt)
      << "a lost stream is no answer";
  EXPECT_EQ(Write(call::StateChanged{call::State::kRinging, call::State::kAnswered}).state, call::State::kAnswered);
}

TEST(ProjectionTest, TransfersAreMarkedAndTakenBack) {
  call::Transfer transfer;
  transfer.reason = "wants sales";
  transfer.state = call::TransferState::kRequested;
  EXPECT_EQ(Write(call::TransferChanged{transfer}).transferred, absl::nullopt) << "not before the carrier is told";
  transfer.state = call::TransferState::kDialing;
  const auto dialing = Write(call::TransferChanged{transfer});
  EXPECT_EQ(dialing.transferred, true);
  EXPECT_EQ(dialing.transfer_reason, "wants sales");
  transfer.state = call::TransferState::kFailed;
  EXPECT_EQ(Write(call::TransferChanged{transfer}).transferred, false);
  transfer.state = call::TransferState::kCompleted;
  EXPECT_EQ(Write(call::TransferChanged{transfer}).transferred, absl::nullopt);
}

TEST(ProjectionTest, TheEndCarriesDurationTranscriptAndReason) {
  call::CallEnded ended;
  ended.termination.reason = call::EndReason::kBusy;
  ended.duration_seconds = 12;
  const auto write = Write(ended, "Caller: hi\n");
  ASSERT_TRUE(write.end.has_value());
  EXPECT_EQ(write.end->duration_seconds, 12);
  EXPECT_EQ(write.end->transcript, "Caller: hi\n");
  EXPECT_EQ(write.end->termination.reason, call::EndReason::kBusy);
  EXPECT_EQ(write.end->end_time, kNow);
  ASSERT_EQ(write.events.size(), 1u);
  EXPECT_EQ(write.events[0].sequence, 7);
}

TEST(ProjectionTest, SummaryItemsAndSessionArrive) {
  EXPECT_EQ(Write(call::SummaryReady{"all good"}).summary, "all good");
  EXPECT_EQ(Write(call::ModelReady{"sess_1", "m"}).model_session_id, "sess_1");
  call::TranscriptItem item;
  item.item_id = "i1";
  EXPECT_EQ(Write(call::TranscriptItemFinal{item}).transcript_items.at(0).item_id, "i1");
}

TEST(DescribeTest, NumbersAreMaskedAndWordsKeptOut) {
  const auto created = Describe(
      {"c1", 1, kNow, call::CallCreated{call::Direction::kInbound, "+14155550121", "+14155550100", "a", ""}}, false);
  for (const auto& [key, value] : created.fields) EXPECT_THAT(value, Not(HasSubstr("4155550"))) << key;
  call::TranscriptItem item;
  item.text_heard = item.text_generated = "my secret";
  EXPECT_EQ(Describe({"c1", 2, kNow, call::TranscriptItemFinal{item}}, false).message, "");
  const auto said = Describe({"c1", 2, kNow, call::TranscriptItemFinal{item}}, true);
  EXPECT_EQ(said.fields.at(0).second, "my secret");
}

}  // namespace
}  // namespace callbridge::session
