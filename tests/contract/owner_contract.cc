#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/error.h"
#include "tests/contract/store_under_test.h"

// Promises about who may write to a call. Part of the contract of stores.
namespace callbridge::store {
namespace {

CallRecord OwnedCall(const std::string& call_id, const Owner& owner = {"n1", 1}) {
  CallRecord call = MakeCall(call_id);
  call.owner = owner;
  return call;
}

CallWrite OwnedWrite(const std::string& call_id, const Owner& owner, std::vector<int64_t> sequences = {}) {
  CallWrite write = MakeWrite(call_id, std::move(sequences));
  write.owner = owner;
  return write;
}

// A write that changes everything that a write can.
CallWrite WholeWrite(const std::string& call_id, const Owner& owner) {
  CallWrite write = OwnedWrite(call_id, owner, {2});
  write.state = call::State::kInProgress;
  write.answer_time = kStart;
  write.carrier_call_id = "uuid";
  write.carrier_request_id = "request";
  write.model_session_id = "session";
  write.transcript_items = {MakeItem("i1", 1)};
  write.transfer.emplace();
  write.transfer->transfer_id = "t1";
  write.transferred = true;
  write.end = MakeEnd();
  write.summary = "summed up";
  write.result = MakeResult();
  write.summary_due = true;
  write.answered_by_machine = true;
  write.settlement.emplace();
  write.settlement->cost = "1";
  write.settlement->time = kStart;
  return write;
}

}  // namespace

TEST_P(CallStoreContract, ACallKeepsItsOwner) {
  EXPECT_EQ(Create(OwnedCall("c1")).owner, (Owner{"n1", 1}));
  Create(OwnedCall("c2", {}));
  EXPECT_EQ(Get("c1").owner, (Owner{"n1", 1}));
  EXPECT_EQ(Get("c2").owner, Owner());
  const auto listed = store().ListCalls({}, absl::nullopt, 10);
  ASSERT_EQ(listed->size(), 2);
  EXPECT_EQ(listed->at(0).owner, Owner()) << "c2";
  EXPECT_EQ(listed->at(1).owner, (Owner{"n1", 1})) << "c1";
  Reopen();
  EXPECT_EQ(Get("c1").owner, (Owner{"n1", 1}));
}

TEST_P(CallStoreContract, ARepeatedCreationDoesNotChangeTheOwner) {
  Create(OwnedCall("c1"));
  const auto again = store().CreateCall(OwnedCall("c1", {"n2", 1}), CreatedEvents("c1"), absl::nullopt);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->existed);
  EXPECT_EQ(again->call.owner, (Owner{"n1", 1}));
}

TEST_P(CallStoreContract, TheOwnerWrites) {
  Create(OwnedCall("c1"));
  ApplyOk(OwnedWrite("c1", {"n1", 1}, {2, 3}));
  EXPECT_EQ(Get("c1").event_head, 3);
  ApplyOk(OwnedWrite("c1", {"n1", 1}, {2, 3}));
  EXPECT_EQ(Get("c1").event_head, 3) << "a repeat";
  ApplyOk(OwnedWrite("c1", {"n1", 1}, {3, 4}));
  EXPECT_EQ(Get("c1").event_head, 4) << "a repeat in part";
}

TEST_P(CallStoreContract, WhoeverIsNotTheOwnerWritesNothing) {
  const struct {
    const char* name;
    Owner has;
    Owner writes;
  } kCases[] = {{"another node", {"n1", 1}, {"n2", 1}},
                {"an ownership that is over", {"n1", 2}, {"n1", 1}},
                {"one that is not yet", {"n1", 1}, {"n1", 2}},
                {"a node, and there is no owner", {}, {"n1", 1}},
                {"no owner, and there is one", {"n1", 1}, {}}};
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.name);
    const std::string id = test.name;
    Create(OwnedCall(id, test.has));
    std::vector<int64_t> positions = {7};
    const absl::Status status = store().Apply(WholeWrite(id, test.writes), &positions);
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
    EXPECT_EQ(base::GetErrorInfo(status).reason, "OWNER_CHANGED");
    EXPECT_EQ(base::GetErrorInfo(status).metadata.at("call"), id);
    const CallRecord got = Get(id);
    EXPECT_EQ(got.event_head, 1);
    EXPECT_EQ(got.state, call::State::kRinging);
    EXPECT_EQ(got.answer_time, absl::InfinitePast());
    EXPECT_EQ(got.carrier_call_id + got.carrier_request_id + got.model_session_id + got.summary + got.transcript, "");
    EXPECT_FALSE(got.transferred);
    EXPECT_FALSE(got.termination.has_value());
    EXPECT_FALSE(got.answered_by_machine);
    EXPECT_EQ(got.settlement.cost, "");
    EXPECT_EQ(got.result.disposition, "");
    EXPECT_EQ(got.owner, test.has);
    EXPECT_THAT(*store().GetTranscript(id), IsEmpty());
    EXPECT_THAT(*store().ListTransfers(id), IsEmpty());
    EXPECT_EQ(CallEvents(id).size(), 1);
  }
  EXPECT_THAT(Jobs(), IsEmpty());
  EXPECT_FALSE(Lead().transferred_to_human);
  EXPECT_EQ(Lead().result_call_id, "");
}

TEST_P(CallStoreContract, AWriteWithoutEventsIsRefusedToo) {
  Create(OwnedCall("c1", {"n1", 2}));
  CallWrite write = OwnedWrite("c1", {"n1", 1});
  write.summary = "mine";
  EXPECT_EQ(Apply(write).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Get("c1").summary, "");
}

TEST_P(CallStoreContract, AFormerOwnerLearnsOfItFromARepeat) {
  Create(OwnedCall("c1", {"n1", 2}));
  ApplyOk(OwnedWrite("c1", {"n1", 2}, {2}));
  EXPECT_EQ(Apply(OwnedWrite("c1", {"n1", 1}, {2})).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Apply(OwnedWrite("c1", {"n1", 1}, {1, 2})).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Apply(OwnedWrite("c1", {"n1", 1}, {9})).code(), absl::StatusCode::kAborted) << "rather than of a gap";
  EXPECT_EQ(Get("c1").event_head, 2);
}

TEST_P(CallStoreContract, WhatSaysNothingOfAnOwnerIsWritten) {
  Create(OwnedCall("c1"));
  ApplyOk(MakeWrite("c1", {2}));
  CallWrite late = MakeWrite("c1");
  late.settlement.emplace();
  late.settlement->cost = "0.01";
  late.settlement->time = kStart;
  ApplyOk(late);
  EXPECT_EQ(Get("c1").settlement.cost, "0.01");
  EXPECT_EQ(Get("c1").event_head, 2);
  EXPECT_EQ(Get("c1").owner, (Owner{"n1", 1}));
}

TEST_P(CallStoreContract, AWriteOfAnOwnerToACallThatIsNotThere) {
  EXPECT_EQ(Apply(OwnedWrite("none", {"n1", 1}, {2})).code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, EpochsBeginAtOne) {
  for (const Owner& bad : {Owner{"n1", 0}, Owner{"n1", -1}, Owner{"", 1}}) {
    SCOPED_TRACE(bad.epoch);
    EXPECT_EQ(store().CreateCall(OwnedCall("bad", bad), {}, absl::nullopt).status().code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(Apply(OwnedWrite("bad", bad, {2})).code(), absl::StatusCode::kInvalidArgument);
  }
}

// --- Who does a summary's job

TEST_P(CallStoreContract, AJobIsClaimedOnce) {
  Create("c1");
  ApplyOk(Due("c1", {2}));
  const SummaryJob job = Jobs().at(0);
  const absl::Time until = kStart + absl::Hours(1);
  EXPECT_TRUE(*store().ClaimSummaryJob(job, until));
  EXPECT_FALSE(*store().ClaimSummaryJob(job, until)) << "as listed before somebody took it";
  EXPECT_FALSE(*store().ClaimSummaryJob(job, until + absl::Hours(1)));
  EXPECT_THAT(JobIds(until - absl::Microseconds(1)), IsEmpty());
  EXPECT_THAT(JobIds(until), ElementsAre("c1"));
  EXPECT_EQ(Jobs().at(0).attempts, 0);
}

TEST_P(CallStoreContract, AJobWhoseTakerDiedIsTakenByTheNext) {
  Create("c1");
  ApplyOk(Due("c1", {2}));
  const absl::Time until = kStart + absl::Hours(1);
  ASSERT_TRUE(*store().ClaimSummaryJob(Jobs().at(0), until));
  const SummaryJob later = Jobs(until).at(0);
  EXPECT_TRUE(*store().ClaimSummaryJob(later, until + absl::Hours(1)));
  EXPECT_FALSE(*store().ClaimSummaryJob(later, until + absl::Hours(1)));
}

TEST_P(CallStoreContract, AJobThatWasSavedOrSettledMeanwhileIsNotClaimed) {
  Create("c1");
  ApplyOk(Due("c1", {2}));
  const SummaryJob job = Jobs().at(0);
  SummaryJob tried = job;
  tried.attempts = 1;
  ASSERT_TRUE(store().SaveSummaryJob(tried).ok());
  EXPECT_FALSE(*store().ClaimSummaryJob(job, kStart + absl::Hours(1))) << "at the same time, but with an attempt more";
  ApplyOk(Settled("c1", {3}));
  EXPECT_FALSE(*store().ClaimSummaryJob(tried, kStart + absl::Hours(1)));
  EXPECT_FALSE(*store().ClaimSummaryJob({"none", 0, kStart, ""}, kStart));
  EXPECT_EQ(store().ClaimSummaryJob(tried, absl::InfiniteFuture()).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace callbridge::store
