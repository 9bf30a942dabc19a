#include "src/session/projection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace callbridge::session {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

store::CallWrite Write(call::EventBody body, const Closing& closing = Closing()) {
  store::CallWrite write;
  Project(call::Event{"c1", 7, kNow, std::move(body)}, closing, write);
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
  const auto write = Write(ended, {"Caller: hi\n", false});
  ASSERT_TRUE(write.end.has_value());
  EXPECT_EQ(write.end->duration_seconds, 12);
  EXPECT_EQ(write.end->transcript, "Caller: hi\n");
  EXPECT_EQ(write.end->termination.reason, call::EndReason::kBusy);
  EXPECT_EQ(write.end->end_time, kNow);
  ASSERT_EQ(write.events.size(), 1u);
  EXPECT_EQ(write.events[0].sequence, 7);
}

TEST(ProjectionTest, SummaryItemsAndSessionArrive) {
  EXPECT_EQ(Write(call::SummaryReady{"all good", {}}).summary, "all good");
  EXPECT_EQ(Write(call::ModelReady{"sess_1", "m", 1}).model_session_id, "sess_1");
  call::TranscriptItem item;
  item.item_id = "i1";
  EXPECT_EQ(Write(call::TranscriptItemFinal{item}).transcript_items.at(0).item_id, "i1");
}

TEST(ProjectionTest, ASummaryIsDueWhereOneIsWantedLaterAndSomethingWasSaid) {
  EXPECT_TRUE(Write(call::CallEnded(), {"Caller: hi", true}).summary_due);
  EXPECT_FALSE(Write(call::CallEnded(), {"Caller: hi", false}).summary_due);
  EXPECT_FALSE(Write(call::CallEnded(), {"", true}).summary_due);
  EXPECT_FALSE(Write(call::DtmfReceived(), {"Caller: hi", true}).summary_due);
}

TEST(ProjectionTest, ASummaryIsSettledByWhatBecameOfIt) {
  EXPECT_TRUE(Write(call::SummaryReady()).summary_settled);
  EXPECT_TRUE(Write(call::SummaryFailed()).summary_settled);
  EXPECT_FALSE(Write(call::CallEnded(), {"Caller: hi", true}).summary_settled);
}

TEST(ProjectionTest, AResultComesWithTheSummary) {
  const auto write = Write(call::SummaryReady{"s", {"", "high", "", ""}});
  ASSERT_TRUE(write.result.has_value());
  EXPECT_EQ(write.result->interest, "high");
  EXPECT_FALSE(Write(call::SummaryReady{"s", {}}).result.has_value()) << "would take away a promised call back";
  for (const call::CallResult& result :
       {call::CallResult{"d", "", "", ""}, call::CallResult{"", "", "t", ""}, call::CallResult{"", "", "", "{}"}}) {
    EXPECT_TRUE(Write(call::SummaryReady{"s", result}).result.has_value());
  }
}

TEST(ProjectionTest, MachinesAndPromisesAreOnTheRecord) {
  EXPECT_TRUE(Write(call::MachineAnswered()).answered_by_machine);
  EXPECT_FALSE(Write(call::CallEnded()).answered_by_machine);
  EXPECT_EQ(Write(call::CallbackPromised{"quota"}).result->disposition, "callback");
}

TEST(ProjectionTest, EventsOfOneInputShareAWrite) {
  store::CallWrite write;
  Project({"c1", 7, kNow, call::CallEnded()}, {"Caller: hi", true}, write);
  Project({"c1", 8, kNow, call::SummaryFailed()}, {}, write);
  EXPECT_TRUE(write.summary_due);
  EXPECT_TRUE(write.summary_settled);
  EXPECT_EQ(write.events.size(), 2u);
}

// With each kind of event as it would look with all that must not be in a log.
TEST(DescribeTest, NoLineHasNumbersOrWords) {
  const std::string number = "+14155550121";
  const std::string words = "my secret";
  call::Transfer transfer;
  transfer.number = number;
  transfer.reason = words;
  transfer.attempts = {{number, call::TransferOutcome::kBusy, "busy", kNow, kNow}};
  call::TranscriptItem item;
  item.text_heard = item.text_generated = words;
  const call::EventBody bodies[] = {call::CallCreated{call::Direction::kInbound, number, number, "a", ""},
                                    call::TransferChanged{transfer},
                                    call::TranscriptItemFinal{item},
                                    call::ToolCalled{"t", "n", words},
                                    call::ToolAnswered{"t", "n", words, true},
                                    call::DtmfReceived{"7"},
                                    call::PromptPlayed{"hold", "i", words},
                                    call::SummaryReady{words, {"interested", "high", words, words}}};
  for (const call::EventBody& body : bodies) {
    const LogLine line = Describe({"c1", 1, kNow, body}, false);
    for (const auto& [key, value] : line.fields) {
      EXPECT_THAT(value, Not(HasSubstr("4155550"))) << line.message << " " << key;
      EXPECT_THAT(value, Not(HasSubstr(words))) << line.message << " " << key;
      EXPECT_NE(value, "7") << line.message << " " << key;
    }
  }
}

TEST(DescribeTest, WhatIsNotKnownIsNotANumber) {
  const LogLine line = Describe({"c1", 1, kNow, call::TurnMeasured{"i", 5, -1, -1, -1}}, false);
  EXPECT_THAT(line.fields,
              ::testing::ElementsAre(::testing::Pair("to_commit", "5ms"), ::testing::Pair("to_first_audio", "unknown"),
                                     ::testing::Pair("to_first_sent", "unknown"),
                                     ::testing::Pair("to_first_heard", "unknown")));
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
