#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/store_under_test.h"

// Promises about the steps of a call. Part of the contract of stores.
namespace callbridge::store {

// --- Apply: events

TEST_P(CallStoreContract, ApplyToAnUnknownCall) {
  EXPECT_EQ(Apply(MakeWrite("nobody", {1})).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Apply(MakeWrite("nobody")).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(AllEvents(), IsEmpty());
}

TEST_P(CallStoreContract, EventsComeBackAsTheyWere) {
  Create("c1");
  call::BargeIn barge_in{"item", 120, 900, call::HeardBasis::kAcknowledged};
  CallWrite write = MakeWrite("c1");
  write.events = {MakeEvent("c1", 2, barge_in)};
  ApplyOk(write);
  const auto events = CallEvents("c1", 1);
  ASSERT_EQ(events.size(), 1);
  EXPECT_EQ(events[0].event.call_id, "c1");
  EXPECT_EQ(events[0].event.sequence, 2);
  EXPECT_EQ(events[0].event.time, kStart + absl::Seconds(2));
  const auto& got = std::get<call::BargeIn>(events[0].event.body);
  EXPECT_EQ(got.item_id, "item");
  EXPECT_EQ(got.heard_ms, 120);
  EXPECT_EQ(got.received_ms, 900);
  EXPECT_EQ(got.basis, call::HeardBasis::kAcknowledged);
}

TEST_P(CallStoreContract, AGapIsRefusedAndWritesNothing) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {3});
  write.summary = "must not be there";
  EXPECT_EQ(Apply(write).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Get("c1").event_head, 1);
  EXPECT_EQ(Get("c1").summary, "");
  EXPECT_EQ(AllEvents().size(), 1);
}

TEST_P(CallStoreContract, ARepeatChangesNothing) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2, 3});
  write.summary = "first";
  ApplyOk(write);
  write.summary = "second";
  ApplyOk(write);
  EXPECT_EQ(Get("c1").summary, "first");
  EXPECT_THAT(Sequences(CallEvents("c1")), ElementsAre(1, 2, 3));
}

TEST_P(CallStoreContract, ARepeatWithMoreAddsTheRest) {
  Create("c1");
  ApplyOk(MakeWrite("c1", {2, 3}));
  CallWrite write = MakeWrite("c1", {2, 3, 4});
  write.summary = "new";
  ApplyOk(write);
  EXPECT_THAT(Sequences(CallEvents("c1")), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(Get("c1").summary, "new");
}

TEST_P(CallStoreContract, ARepeatOfAnotherTypeIsRefused) {
  Create("c1");
  ApplyOk(MakeWrite("c1", {2}));
  CallWrite write = MakeWrite("c1");
  write.events = {MakeEvent("c1", 2, call::StreamLost{"1006"})};
  EXPECT_EQ(Apply(write).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(CallStoreContract, PositionsAreThoseOfTheLog) {
  Create("c1");
  std::vector<int64_t> positions = {99};
  ASSERT_TRUE(store().Apply(MakeWrite("c1", {2, 3}), &positions).ok());
  const auto events = CallEvents("c1", 1);
  ASSERT_EQ(events.size(), 2);
  EXPECT_THAT(positions, ElementsAre(events[0].position, events[1].position));
  std::vector<int64_t> again;
  ASSERT_TRUE(store().Apply(MakeWrite("c1", {2, 3}), &again).ok());
  EXPECT_EQ(again, positions);
}

TEST_P(CallStoreContract, AWriteWithoutEventsHasNoPositions) {
  Create("c1");
  std::vector<int64_t> positions = {99};
  ASSERT_TRUE(store().Apply(MakeWrite("c1"), &positions).ok());
  EXPECT_THAT(positions, IsEmpty());
}

TEST_P(CallStoreContract, ApplyRefusesBadValues) {
  Create("c1");
  CallWrite nameless_item = MakeWrite("c1");
  nameless_item.transcript_items = {MakeItem("", 1)};
  CallWrite nameless_transfer = MakeWrite("c1");
  nameless_transfer.transfer.emplace();
  CallWrite endless = MakeWrite("c1");
  endless.end = MakeEnd();
  endless.end->end_time = absl::InfiniteFuture();
  CallWrite timeless = MakeWrite("c1", {2});
  timeless.events[0].time = absl::InfinitePast();
  CallWrite foreign = MakeWrite("c1");
  foreign.events = {MakeEvent("c2", 2)};
  for (const CallWrite& write : {MakeWrite(""), MakeWrite("c1", {0}), MakeWrite("c1", {2, 4}), MakeWrite("c1", {3, 2}),
                                 nameless_item, nameless_transfer, endless, timeless, foreign}) {
    EXPECT_EQ(Apply(write).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(Get("c1").event_head, 1);
}

// --- Apply: fields

TEST_P(CallStoreContract, ApplySetsTheFieldsThatAreGiven) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2});
  write.state = call::State::kAnswered;
  write.answer_time = kStart + absl::Seconds(5);
  write.carrier_call_id = "uuid";
  write.carrier_request_id = "request";
  write.model_session_id = "session";
  ApplyOk(write);
  ApplyOk(MakeWrite("c1", {3}));
  const CallRecord got = Get("c1");
  EXPECT_EQ(got.state, call::State::kAnswered);
  EXPECT_EQ(got.answer_time, kStart + absl::Seconds(5));
  EXPECT_EQ(got.carrier_call_id, "uuid");
  EXPECT_EQ(got.carrier_request_id, "request");
  EXPECT_EQ(got.model_session_id, "session");
  EXPECT_EQ(got.event_head, 3);
}

TEST_P(CallStoreContract, AnEndSetsAllOfIt) {
  Create("c1");
  End("c1");
  const CallRecord got = Get("c1");
  EXPECT_EQ(got.state, call::State::kCompleted);
  EXPECT_EQ(got.end_time, kStart + absl::Seconds(90));
  EXPECT_EQ(got.duration_seconds, 60);
  EXPECT_EQ(got.transcript, "Caller: hello\nAssistant: hi");
  ASSERT_TRUE(got.termination.has_value());
  EXPECT_EQ(got.termination->reason, call::EndReason::kNormalHangup);
  EXPECT_EQ(got.termination->initiator, call::Party::kCaller);
  EXPECT_EQ(got.termination->layer, call::Layer::kSignalling);
  EXPECT_EQ(got.termination->evidence, "hangup cause 4000");
  EXPECT_TRUE(got.termination->retryable);
  EXPECT_FALSE(got.termination->failed);
}

TEST_P(CallStoreContract, AFailedEndMakesAFailedCall) {
  Create("c1");
  CallWrite write = MakeWrite("c1");
  write.state = call::State::kCompleted;
  write.end = MakeEnd(call::EndReason::kBusy, /*failed=*/true);
  ApplyOk(write);
  EXPECT_EQ(Get("c1").state, call::State::kFailed);
  EXPECT_TRUE(Get("c1").termination->failed);
}

TEST_P(CallStoreContract, TheFirstEndWins) {
  Create("c1");
  End("c1");
  CallWrite second = MakeWrite("c1", {2});
  second.end = MakeEnd(call::EndReason::kInternalError, /*failed=*/true);
  second.end->transcript = "other";
  second.end->duration_seconds = 1;
  ApplyOk(second);
  const CallRecord got = Get("c1");
  EXPECT_EQ(got.termination->reason, call::EndReason::kNormalHangup);
  EXPECT_EQ(got.state, call::State::kCompleted);
  EXPECT_EQ(got.transcript, "Caller: hello\nAssistant: hi");
  EXPECT_EQ(got.duration_seconds, 60);
  EXPECT_EQ(got.event_head, 2) << "its events are kept";
}

TEST_P(CallStoreContract, AnEndedCallIsNotOpenedAgain) {
  Create("c1");
  End("c1");
  CallWrite write = MakeWrite("c1");
  write.state = call::State::kInProgress;
  ApplyOk(write);
  EXPECT_EQ(Get("c1").state, call::State::kCompleted);
}

TEST_P(CallStoreContract, ALaterTranscriptReplacesTheFirst) {
  Create("c1");
  End("c1");
  CallWrite write = MakeWrite("c1");
  write.transcript = "better";
  ApplyOk(write);
  EXPECT_EQ(Get("c1").transcript, "better");
}

TEST_P(CallStoreContract, ATranscriptBesideTheEndIsTheBetterOne) {
  Create("c1");
  CallWrite write = MakeWrite("c1");
  write.end = MakeEnd();
  write.transcript = "better";
  ApplyOk(write);
  EXPECT_EQ(Get("c1").transcript, "better");
}

TEST_P(CallStoreContract, ASummaryComesAfterTheEnd) {
  Create("c1");
  End("c1");
  CallWrite write = MakeWrite("c1");
  write.summary = "They greeted each other.";
  ApplyOk(write);
  EXPECT_EQ(Get("c1").summary, "They greeted each other.");
  EXPECT_EQ(Get("c1").transcript, "Caller: hello\nAssistant: hi");
}

TEST_P(CallStoreContract, AFailedWriteLeavesNothingBehind) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {5});
  write.transcript_items = {MakeItem("i1", 1)};
  write.transferred = true;
  write.end = MakeEnd();
  EXPECT_FALSE(Apply(write).ok());
  EXPECT_THAT(*store().GetTranscript("c1"), IsEmpty());
  EXPECT_EQ(Lead().call_status, "new");
  EXPECT_FALSE(Get("c1").termination.has_value());
}

}  // namespace callbridge::store
