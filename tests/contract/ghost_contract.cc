#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/store_under_test.h"

// Promises about calls that a previous process left open. Part of the contract of stores.
namespace callbridge::store {

TEST_P(CallStoreContract, GhostsAreClosedOnce) {
  Create("ringing");
  Create("done");
  End("done");
  Create("talking");
  CallWrite write = MakeWrite("talking", {2});
  write.state = call::State::kInProgress;
  write.carrier_call_id = "uuid";
  write.answer_time = kStart + absl::Seconds(10);
  write.transcript_items = {MakeItem("i2", 2, "Hi\nthere"), MakeItem("i1", 1, "Hello"), MakeItem("unheard", 3, "")};
  write.transcript_items[0].role = call::Role::kAssistant;
  ApplyOk(write);
  const call::Termination lost{
      call::EndReason::kProcessLost, call::Party::kSystem, call::Layer::kProcess, "found at start", true, true};
  auto closed = store().CloseOpenCalls(lost, kStart + absl::Seconds(70), false);
  ASSERT_TRUE(closed.ok()) << closed.status();
  ASSERT_EQ(closed->size(), 2);
  const OpenCall& talking = (*closed)[0].call_id == "talking" ? (*closed)[0] : (*closed)[1];
  EXPECT_EQ(talking.carrier_call_id, "uuid");
  EXPECT_EQ(talking.state, call::State::kInProgress);

  const CallRecord got = Get("talking");
  EXPECT_EQ(got.state, call::State::kFailed);
  EXPECT_EQ(got.termination->reason, call::EndReason::kProcessLost);
  EXPECT_EQ(got.end_time, kStart + absl::Seconds(70));
  EXPECT_EQ(got.duration_seconds, 60);
  EXPECT_EQ(got.transcript, "Caller: Hello\nAssistant: Hi there");
  EXPECT_EQ(Get("ringing").duration_seconds, 0);
  EXPECT_EQ(Get("done").termination->reason, call::EndReason::kNormalHangup);

  const auto events = CallEvents("talking", 2);
  ASSERT_EQ(events.size(), 2);
  const auto& changed = std::get<call::StateChanged>(events[0].event.body);
  EXPECT_EQ(changed.from, call::State::kInProgress);
  EXPECT_EQ(changed.to, call::State::kFailed);
  const auto& ended = std::get<call::CallEnded>(events[1].event.body);
  EXPECT_EQ(ended.termination.reason, call::EndReason::kProcessLost);
  EXPECT_EQ(ended.duration_seconds, 60);
  EXPECT_EQ(events[1].event.time, kStart + absl::Seconds(70));
  EXPECT_EQ(got.event_head, 4);

  EXPECT_THAT(*store().CloseOpenCalls(lost, kStart + absl::Seconds(80), false), IsEmpty());
  EXPECT_EQ(Get("talking").event_head, 4);
}

TEST_P(CallStoreContract, GhostsLeaveTheirLeadCalledOrTransferred) {
  Create("c1");
  Create("c2", "+15552223333");
  Transfer("c2", true);
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, kStart, false).ok());
  EXPECT_EQ(Lead("+15550001111").call_status, "called");
  EXPECT_EQ(Lead("+15552223333").call_status, "transferred");
}

TEST_P(CallStoreContract, AGhostsTransferIsClosedToo) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2});
  write.transfer.emplace();
  write.transfer->transfer_id = "t1";
  write.transfer->state = call::TransferState::kDialing;
  write.transfer->reason = "price";
  write.transfer->attempts = {{"+1", call::TransferOutcome::kBusy, "busy", kStart, kStart + absl::Seconds(1)},
                              {"+2", call::TransferOutcome::kPending, "", kStart + absl::Seconds(1)}};
  write.transferred = true;
  write.transfer_reason = "price";
  ApplyOk(write);
  const absl::Time now = kStart + absl::Seconds(70);
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, now, false).ok());

  const call::Transfer got = store().ListTransfers("c1")->at(0);
  EXPECT_EQ(got.state, call::TransferState::kFailed);
  EXPECT_EQ(got.outcome, call::TransferOutcome::kUnknown);
  EXPECT_EQ(got.end_time, now);
  ASSERT_EQ(got.attempts.size(), 2);
  EXPECT_EQ(got.attempts[0].outcome, call::TransferOutcome::kBusy);
  EXPECT_EQ(got.attempts[0].end_time, kStart + absl::Seconds(1));
  EXPECT_EQ(got.attempts[1].outcome, call::TransferOutcome::kUnknown);
  EXPECT_EQ(got.attempts[1].end_time, now);

  EXPECT_FALSE(Get("c1").transferred);
  EXPECT_EQ(Get("c1").transfer_reason, "price");
  EXPECT_EQ(Lead().call_status, "called");
  const auto events = CallEvents("c1", 2);
  ASSERT_EQ(events.size(), 3);
  EXPECT_EQ(std::get<call::TransferChanged>(events[0].event.body).transfer.state, call::TransferState::kFailed);
  EXPECT_TRUE(std::holds_alternative<call::CallEnded>(events[2].event.body));
  EXPECT_EQ(Get("c1").event_head, 5);
}

TEST_P(CallStoreContract, AGhostWhoseCallerTalkedToAHumanWasTransferred) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2});
  write.transfer.emplace();
  write.transfer->transfer_id = "t1";
  write.transfer->state = call::TransferState::kConnected;
  write.transfer->outcome = call::TransferOutcome::kBridged;
  write.transferred = true;
  ApplyOk(write);
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, kStart + absl::Seconds(70), false).ok());
  const call::Transfer got = store().ListTransfers("c1")->at(0);
  EXPECT_EQ(got.state, call::TransferState::kCompleted);
  EXPECT_EQ(got.outcome, call::TransferOutcome::kBridged);
  EXPECT_EQ(got.end_time, kStart + absl::Seconds(70));
  EXPECT_TRUE(Get("c1").transferred);
}

TEST_P(CallStoreContract, AGhostsFinishedTransferIsLeftAlone) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2});
  write.transfer.emplace();
  write.transfer->transfer_id = "t1";
  write.transfer->state = call::TransferState::kFailed;
  write.transfer->outcome = call::TransferOutcome::kBusy;
  write.transfer->end_time = kStart + absl::Seconds(9);
  ApplyOk(write);
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, kStart + absl::Seconds(70), false).ok());
  EXPECT_EQ(store().ListTransfers("c1")->at(0).outcome, call::TransferOutcome::kBusy);
  EXPECT_EQ(store().ListTransfers("c1")->at(0).end_time, kStart + absl::Seconds(9));
  EXPECT_EQ(Get("c1").event_head, 4);
}

TEST_P(CallStoreContract, AGhostThatSaidSomethingIsToBeSummedUp) {
  Create("silent");
  Create("spoke");
  CallWrite write = MakeWrite("spoke");
  write.transcript_items = {MakeItem("i1", 1)};
  ApplyOk(write);
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, kStart + absl::Seconds(70), true).ok());
  const auto jobs = Jobs();
  ASSERT_EQ(jobs.size(), 1);
  EXPECT_EQ(jobs[0].call_id, "spoke");
  EXPECT_EQ(jobs[0].due, kStart + absl::Seconds(70));
}

TEST_P(CallStoreContract, GhostsAreNotSummedUpUnlessAsked) {
  Create("c1");
  CallWrite write = MakeWrite("c1");
  write.transcript_items = {MakeItem("i1", 1)};
  ApplyOk(write);
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, kStart, false).ok());
  EXPECT_THAT(Jobs(), IsEmpty());
}

TEST_P(CallStoreContract, AGhostIsNotOverBeforeItBegan) {
  CallRecord call = MakeCall("c1");
  call.answer_time = kStart + absl::Seconds(5);
  Create(call);
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, kStart - absl::Hours(1), false).ok());
  EXPECT_EQ(Get("c1").end_time, kStart + absl::Seconds(5));
  EXPECT_EQ(Get("c1").duration_seconds, 0);
}

TEST_P(CallStoreContract, WritesOfAGhostsOldOwnerDoNotReopenIt) {
  Create("c1");
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, kStart, false).ok());
  CallWrite write = MakeWrite("c1", {2});
  write.state = call::State::kAnswered;
  EXPECT_EQ(Apply(write).code(), absl::StatusCode::kFailedPrecondition) << "sequence 2 is the StateChanged of the end";
  EXPECT_TRUE(call::IsFinal(Get("c1").state));
}

TEST_P(CallStoreContract, ClosingAnEmptyStore) {
  EXPECT_THAT(*store().CloseOpenCalls(MakeEnd().termination, kStart, false), IsEmpty());
}

}  // namespace callbridge::store
