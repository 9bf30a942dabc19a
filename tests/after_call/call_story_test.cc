#include "src/after_call/call_story.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/fakes/memory_call_store.h"

namespace callbridge::after_call {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;

call::TranscriptItem Item(const std::string& id, call::Role role, const std::string& heard,
                          call::ItemStatus status = call::ItemStatus::kComplete) {
  call::TranscriptItem item;
  item.item_id = id;
  item.role = role;
  item.status = status;
  item.text_generated = heard + " and what nobody heard";
  item.text_heard = heard;
  return item;
}

CallStory AStory() {
  CallStory story;
  story.call.direction = call::Direction::kOutbound;
  story.call.from = "+14155550100";
  story.call.to = "+14155550122";
  story.call.agent = "seller";
  story.call.create_time = absl::FromUnixSeconds(1'795'305'600);
  story.call.answer_time = absl::FromUnixSeconds(1'795'305'610);
  story.call.duration_seconds = 62;
  story.items = {Item("1", call::Role::kAssistant, "Good", call::ItemStatus::kCut),
                 Item("2", call::Role::kCaller, "Who is it?"), Item("3", call::Role::kAssistant, ""),
                 Item("4", call::Role::kCaller, "", call::ItemStatus::kFailed)};
  return story;
}

TEST(RequestForTest, GivesWhatWasHeardAndHowItWent) {
  session::AfterCall wishes;
  wishes.model = "m";
  wishes.instructions = "be brief";
  const openai::TextSummaryRequest request = RequestFor(AStory(), wishes);
  EXPECT_EQ(request.model, "m");
  EXPECT_EQ(request.instructions, "be brief");
  EXPECT_EQ(request.dispositions, openai::DefaultDispositions());
  EXPECT_THAT(request.facts, ElementsAre(Pair("direction", "outbound"), Pair("time", "Sunday 2026-11-22T00:00:10Z"),
                                         Pair("duration", "62 s")));
  ASSERT_THAT(request.conversation, SizeIs(3));
  EXPECT_EQ(request.conversation[0].speaker, "assistant");
  EXPECT_EQ(request.conversation[0].text, "Good");
  EXPECT_TRUE(request.conversation[0].cut);
  EXPECT_EQ(request.conversation[1].speaker, "caller");
  EXPECT_FALSE(request.conversation[1].cut);
  EXPECT_EQ(request.conversation[2].text, "") << "a caller who could not be understood did speak";
}

TEST(RequestForTest, TellsTransfersMachinesAndTheEnd) {
  CallStory story = AStory();
  story.machine = true;
  call::Transfer transfer;
  transfer.destination = "sales";
  transfer.number = "+14155550142";
  transfer.reason = "wants a boat";
  transfer.outcome = call::TransferOutcome::kBusy;
  story.transfers = {transfer};
  call::Termination termination;
  termination.reason = call::EndReason::kNormalHangup;
  termination.initiator = call::Party::kCaller;
  story.call.termination = termination;
  session::AfterCall wishes;
  wishes.dispositions = {"a", "b"};
  const openai::TextSummaryRequest request = RequestFor(story, wishes);
  EXPECT_THAT(request.dispositions, ElementsAre("a", "b"));
  EXPECT_THAT(request.facts, Contains(Pair("answered by", "a machine")));
  EXPECT_THAT(request.facts, Contains(Pair("transfer", "to sales, busy; reason: wants a boat")));
  EXPECT_THAT(request.facts, Contains(Pair("ended by", "caller, normal_hangup")));
}

TEST(RequestForTest, NoNumberGoesOut) {
  CallStory story = AStory();
  call::Transfer transfer;
  transfer.number = "+14155550142";
  story.transfers = {transfer};
  const std::string body = openai::FormatTextSummary(RequestFor(story, session::AfterCall()));
  EXPECT_EQ(body.find("1415555"), std::string::npos) << body;
}

TEST(HasWordsTest, OnlyWhatWasHeardCounts) {
  CallStory story = AStory();
  EXPECT_TRUE(HasWords(story));
  story.items = {Item("3", call::Role::kAssistant, ""), Item("4", call::Role::kCaller, "", call::ItemStatus::kFailed)};
  EXPECT_FALSE(HasWords(story));
}

class ReadStoryTest : public ::testing::Test {
 protected:
  void MakeCall(int events_before_the_machine) {
    store::CallRecord record;
    record.call_id = "c1";
    record.create_time = absl::FromUnixSeconds(100);
    ASSERT_TRUE(store_.CreateCall(record, {{"c1", 1, absl::FromUnixSeconds(100), call::CallCreated()}}, {}).ok());
    store::CallWrite write;
    write.call_id = "c1";
    write.transcript_items = {Item("1", call::Role::kCaller, "hello")};
    int64_t sequence = 2;
    for (int i = 0; i < events_before_the_machine; ++i) {
      write.events.push_back({"c1", sequence++, absl::FromUnixSeconds(101), call::DtmfReceived{"1"}});
    }
    if (events_before_the_machine > 0) {
      write.events.push_back({"c1", sequence++, absl::FromUnixSeconds(102), call::MachineAnswered()});
    }
    call::Transfer transfer;
    transfer.transfer_id = "t1";
    transfer.destination = "sales";
    write.transfer = transfer;
    ASSERT_TRUE(store_.Apply(write, nullptr).ok());
  }

  store::MemoryCallStore store_;
};

TEST_F(ReadStoryTest, ReadsAll) {
  MakeCall(0);
  const auto story = ReadStory(store_, "c1");
  ASSERT_TRUE(story.ok()) << story.status();
  EXPECT_EQ(story->call.call_id, "c1");
  EXPECT_THAT(story->items, SizeIs(1));
  EXPECT_THAT(story->transfers, SizeIs(1));
  EXPECT_FALSE(story->machine);
}

TEST_F(ReadStoryTest, FindsTheMachineBehindManyEvents) {
  MakeCall(1'200);
  const auto story = ReadStory(store_, "c1");
  ASSERT_TRUE(story.ok()) << story.status();
  EXPECT_TRUE(story->machine);
}

TEST_F(ReadStoryTest, AnyReadMayFail) {
  MakeCall(0);
  for (const char* method : {"GetCall", "GetTranscript", "ListTransfers", "ReadCallEvents"}) {
    store_.SetFault([method](absl::string_view called) {
      return called == method ? absl::UnavailableError("away") : absl::OkStatus();
    });
    EXPECT_TRUE(absl::IsUnavailable(ReadStory(store_, "c1").status())) << method;
  }
}

}  // namespace
}  // namespace callbridge::after_call
