#include "tests/contract/node_table_contract.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/error.h"

namespace callbridge::store {

using testing::UnorderedElementsAre;

// --- Leases

TEST_P(NodeTableContract, ANodeIsListedAsItIs) {
  Register("n1");
  Advance(absl::Seconds(3));
  auto there = nodes().Renew("n1", NodeState::kDraining, 7, kLease);
  ASSERT_TRUE(there.ok()) << there.status();
  ASSERT_EQ(there->size(), 1);
  const NodeRecord& node = there->at(0);
  EXPECT_EQ(node.node_id, "n1");
  EXPECT_EQ(node.address, "n1.example:7000");
  EXPECT_EQ(node.media_address, "n1.example:8080");
  EXPECT_EQ(node.version, "1.2");
  EXPECT_EQ(node.state, NodeState::kDraining);
  EXPECT_EQ(node.live_calls, 7);
  EXPECT_EQ(node.max_calls, 100);
  EXPECT_TRUE(node.leased);
  EXPECT_GE(node.renew_time - node.start_time, absl::Seconds(3));
}

TEST_P(NodeTableContract, AllAreListedOldestFirst) {
  for (const char* id : {"n3", "n1", "n2"}) {
    Register(id);
    Advance(absl::Seconds(1));
  }
  EXPECT_THAT(Ids(Renew("n2")), ElementsAre("n3", "n1", "n2"));
}

TEST_P(NodeTableContract, ALeaseRunsOutUnlessItIsRenewed) {
  Register("n1");
  Register("n2");
  Advance(kLease - absl::Seconds(2));
  Renew("n2");
  Advance(absl::Seconds(4));
  for (const NodeRecord& node : Renew("n2")) EXPECT_EQ(node.leased, node.node_id == "n2") << node.node_id;
  for (const NodeRecord& node : Renew("n1")) EXPECT_TRUE(node.leased) << node.node_id;
}

TEST_P(NodeTableContract, WhoWasNeverThereIsNotRenewed) {
  Register("n1");
  const absl::Status status = nodes().Renew("n2", NodeState::kUp, 0, kLease).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(base::GetErrorInfo(status).reason, "NODE_NOT_FOUND");
  EXPECT_THAT(Ids(Renew("n1")), ElementsAre("n1"));
  EXPECT_TRUE(nodes().Leave("n2").ok());
}

TEST_P(NodeTableContract, WhoHasLeftIsGoneForGood) {
  Register("n1");
  Register("n2");
  ASSERT_TRUE(nodes().Leave("n1").ok());
  ASSERT_TRUE(nodes().Leave("n1").ok()) << "again";
  EXPECT_THAT(Ids(Renew("n2")), ElementsAre("n2"));
  EXPECT_EQ(nodes().Renew("n1", NodeState::kUp, 0, kLease).status().code(), absl::StatusCode::kNotFound)
      << "a renewal that was late";
  EXPECT_THAT(Ids(Renew("n2")), ElementsAre("n2"));
}

TEST_P(NodeTableContract, WhoComesToAnAddressReplacesWhoWasThere) {
  Register("n1");
  Register("n2");
  NodeRecord successor = MakeNode("n3");
  successor.address = MakeNode("n1").address;
  ASSERT_TRUE(nodes().Register(successor, kLease).ok());
  EXPECT_THAT(Ids(Renew("n3")), UnorderedElementsAre("n2", "n3"));
  EXPECT_EQ(nodes().Renew("n1", NodeState::kUp, 0, kLease).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(NodeTableContract, ANodeIsFoundAlsoWhenItIsGone) {
  Register("n1");
  Register("n2");
  Register("n3");
  auto found = nodes().FindNode("n1");
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->address, "n1.example:7000");
  EXPECT_EQ((*found)->media_address, "n1.example:8080");
  EXPECT_EQ((*found)->state, NodeState::kUp);
  EXPECT_TRUE((*found)->leased);
  EXPECT_FALSE(nodes().FindNode("nobody")->has_value());
  EXPECT_FALSE(nodes().FindNode("")->has_value());

  ASSERT_TRUE(nodes().Leave("n1").ok());
  EXPECT_EQ((*nodes().FindNode("n1"))->state, NodeState::kGone);
  Advance(kLease + absl::Seconds(5));
  EXPECT_EQ((*nodes().FindNode("n2"))->state, NodeState::kUp) << "nobody has found it dead";
  EXPECT_FALSE((*nodes().FindNode("n2"))->leased);
  Advance(kGrace);
  Renew("n3");
  Reap();
  EXPECT_EQ((*nodes().FindNode("n2"))->state, NodeState::kGone);
  EXPECT_EQ((*nodes().FindNode("n3"))->state, NodeState::kUp);
}

TEST_P(NodeTableContract, RegisteringAgainChangesNothing) {
  Register("n1");
  Register("n2");
  Advance(absl::Seconds(5));
  Register("n1");
  EXPECT_THAT(Ids(Renew("n2")), ElementsAre("n1", "n2"));
}

TEST_P(NodeTableContract, WhatMakesNoSenseIsRefused) {
  NodeRecord no_id = MakeNode("");
  NodeRecord no_address = MakeNode("n1");
  no_address.address.clear();
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(nodes().Register(no_id, kLease).code(), kInvalid);
  EXPECT_EQ(nodes().Register(no_address, kLease).code(), kInvalid);
  Register("n1");
  EXPECT_EQ(nodes().Renew("n1", NodeState::kGone, 0, kLease).status().code(), kInvalid);
  EXPECT_EQ(nodes().ClaimCarrierCall("", "n1").status().code(), kInvalid);
  EXPECT_EQ(nodes().ClaimCarrierCall("u1", "").status().code(), kInvalid);
  EXPECT_EQ(nodes().Reap(kGrace, NodeLost(), kStart, false, 0).status().code(), kInvalid);
  EXPECT_EQ(nodes().TakeHangUps(kLease, 0).status().code(), kInvalid);
}

// --- The dead

TEST_P(NodeTableContract, CallsOfTheLivingAreLeftAlone) {
  Register("n1");
  Create("c1", {"n1", 1});
  Advance(kLease + kGrace - absl::Seconds(5));
  EXPECT_THAT(ReapIds(), IsEmpty()) << "its lease is over, but not for long";
  EXPECT_FALSE(IsOver("c1"));
  EXPECT_TRUE(WriteAs("c1", {"n1", 1}, 2).ok());
  Renew("n1");
  Advance(kLease + kGrace - absl::Seconds(5));
  EXPECT_THAT(ReapIds(), IsEmpty());
  Renew("n1", NodeState::kDraining);
  Advance(absl::Seconds(20));
  EXPECT_THAT(ReapIds(), IsEmpty());
}

TEST_P(NodeTableContract, ADeadNodesCallIsClosedAsAGhost) {
  Register("n1");
  Register("n2");
  Create("c1", {"n1", 1}, "uuid");
  Create("c2", {"n2", 1});
  CallWrite write = MakeWrite("c1", {2});
  write.owner = Owner{"n1", 1};
  write.state = call::State::kInProgress;
  write.answer_time = kStart + absl::Seconds(10);
  write.transcript_items = {MakeItem("i1", 1, "Hello")};
  write.transfer.emplace();
  write.transfer->transfer_id = "t1";
  write.transfer->state = call::TransferState::kDialing;
  write.transferred = true;
  ASSERT_TRUE(calls().Apply(write, nullptr).ok());
  Advance(kLease + kGrace + absl::Seconds(5));
  EXPECT_THAT(Ids(Renew("n2")), UnorderedElementsAre("n1", "n2"));
  const NodeTable::Reaped reaped = Reap(100, /*summaries_due=*/true);
  EXPECT_FALSE(reaped.more);
  ASSERT_EQ(reaped.calls.size(), 1);
  EXPECT_EQ(reaped.calls[0].call_id, "c1");
  EXPECT_EQ(reaped.calls[0].carrier_call_id, "uuid");
  EXPECT_EQ(reaped.calls[0].state, call::State::kInProgress);
  EXPECT_EQ(reaped.calls[0].owner, (Owner{"n1", 1}));
  EXPECT_THAT(Ids(Renew("n2")), ElementsAre("n2"));

  const CallRecord got = Get("c1");
  EXPECT_EQ(got.state, call::State::kFailed);
  EXPECT_EQ(got.termination->reason, call::EndReason::kProcessLost);
  EXPECT_EQ(got.end_time, kStart + absl::Seconds(70));
  EXPECT_EQ(got.duration_seconds, 60);
  EXPECT_EQ(got.transcript, "Caller: Hello");
  EXPECT_FALSE(got.transferred);
  EXPECT_EQ(got.owner, (Owner{"n1", 2})) << "nobody's any more";
  EXPECT_EQ(calls().ListTransfers("c1")->at(0).state, call::TransferState::kFailed);
  const auto events = calls().ReadCallEvents("c1", 2, 10);
  ASSERT_EQ(events->size(), 3);
  EXPECT_TRUE(std::holds_alternative<call::TransferChanged>(events->at(0).event.body));
  EXPECT_TRUE(std::holds_alternative<call::StateChanged>(events->at(1).event.body));
  EXPECT_TRUE(std::holds_alternative<call::CallEnded>(events->at(2).event.body));
  EXPECT_EQ(calls().ListSummaryJobs(absl::InfiniteFuture(), 10)->size(), 1);
  EXPECT_FALSE(IsOver("c2"));

  EXPECT_THAT(ReapIds(), IsEmpty()) << "once";
  EXPECT_EQ(Get("c1").event_head, 5);
}

TEST_P(NodeTableContract, WhoLostACallWritesNothingMore) {
  Register("n1");
  Create("c1", {"n1", 1});
  Advance(kLease + kGrace + absl::Seconds(5));
  Renew("n1");
  EXPECT_TRUE(WriteAs("c1", {"n1", 1}, 2).ok()) << "it was never found dead";
  Advance(kLease + kGrace + absl::Seconds(5));
  EXPECT_THAT(ReapIds(), ElementsAre("c1"));
  const int64_t head = Get("c1").event_head;
  EXPECT_EQ(WriteAs("c1", {"n1", 1}, head + 1).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(WriteAs("c1", {"n1", 1}, 2).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Get("c1").event_head, head);
}

TEST_P(NodeTableContract, WhoWasFoundDeadIsBackWithItsNextRenewal) {
  Register("n1");
  Register("n2");
  Create("old", {"n1", 1});
  Advance(kLease + kGrace + absl::Seconds(5));
  Renew("n2");
  EXPECT_THAT(ReapIds(), ElementsAre("old"));
  EXPECT_THAT(Ids(Renew("n2")), ElementsAre("n2"));
  EXPECT_THAT(Ids(Renew("n1")), UnorderedElementsAre("n1", "n2"));
  Create("new", {"n1", 1});
  Advance(kLease);
  EXPECT_THAT(ReapIds(), IsEmpty());
  EXPECT_FALSE(IsOver("new"));
  EXPECT_TRUE(WriteAs("new", {"n1", 1}, 2).ok());
  EXPECT_EQ(WriteAs("old", {"n1", 1}, 2).code(), absl::StatusCode::kAborted);
}

TEST_P(NodeTableContract, CallsOfWhoHasLeftAreClosedAtOnce) {
  Register("n1");
  Register("n2");
  Create("c1", {"n1", 1});
  ASSERT_TRUE(nodes().Leave("n1").ok());
  EXPECT_THAT(ReapIds(), ElementsAre("c1"));
}

TEST_P(NodeTableContract, CallsOfWhoWasReplacedAreClosedAtOnce) {
  Register("n1");
  Create("c1", {"n1", 1});
  NodeRecord successor = MakeNode("n2");
  successor.address = MakeNode("n1").address;
  ASSERT_TRUE(nodes().Register(successor, kLease).ok());
  EXPECT_THAT(ReapIds(), ElementsAre("c1"));
}

TEST_P(NodeTableContract, WhoWasFoundDeadAndThenReplacedIsGoneForGood) {
  Register("n1");
  Advance(kLease + kGrace + absl::Seconds(5));
  EXPECT_THAT(ReapIds(), IsEmpty());
  NodeRecord successor = MakeNode("n2");
  successor.address = MakeNode("n1").address;
  ASSERT_TRUE(nodes().Register(successor, kLease).ok());
  Create("from the spool", {"n1", 1});
  EXPECT_THAT(ReapIds(), ElementsAre("from the spool"));
}

TEST_P(NodeTableContract, CallsOfNobodyAreClosedAfterAMoment) {
  Register("n1");
  Create("alone", {});
  Create("unknown", {"who", 1});
  EXPECT_THAT(ReapIds(), IsEmpty());
  Advance(NodeTable::kSettleTime + absl::Seconds(1));
  Renew("n1");
  EXPECT_THAT(ReapIds(), UnorderedElementsAre("alone", "unknown"));
  EXPECT_EQ(Get("alone").owner, (Owner{"", 1}));
}

// A node that was cut off has taken calls, and its spool comes before its renewal.
TEST_P(NodeTableContract, AReturningNodesNewCallsAreLeftAloneForAMoment) {
  Register("n1");
  Register("n2");
  Advance(kLease + kGrace + absl::Seconds(5));
  Renew("n2");
  EXPECT_THAT(ReapIds(), IsEmpty());
  Create("live", {"n1", 1});
  Create("lost", {"n1", 1});
  EXPECT_THAT(ReapIds(), IsEmpty());
  Renew("n1");
  Advance(NodeTable::kSettleTime - absl::Seconds(2));
  EXPECT_THAT(ReapIds(), IsEmpty());
  EXPECT_TRUE(WriteAs("live", {"n1", 1}, 2).ok());
  // And if it does not come after all:
  Advance(kLease + kGrace + absl::Seconds(5));
  EXPECT_THAT(ReapIds(), UnorderedElementsAre("live", "lost"));
}

TEST_P(NodeTableContract, ManyCallsAreClosedInParts) {
  Register("n1");
  for (int i = 0; i < 5; ++i) Create("c" + std::to_string(i), {"n1", 1}, "u" + std::to_string(i));
  ASSERT_TRUE(nodes().Leave("n1").ok());
  std::vector<std::string> all;
  std::vector<size_t> sizes;
  for (bool more = true; more && sizes.size() < 10;) {
    const NodeTable::Reaped reaped = Reap(2);
    more = reaped.more;
    sizes.push_back(reaped.calls.size());
    for (const OpenCall& call : reaped.calls) all.push_back(call.call_id);
  }
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
  EXPECT_THAT(all, UnorderedElementsAre("c0", "c1", "c2", "c3", "c4"));
  EXPECT_EQ(TakeHangUps().size(), 5);
}

// --- Hanging up

TEST_P(NodeTableContract, AHangUpIsDoneByOneAtATimeUntilItIsDone) {
  Register("n1");
  Create("c1", {"n1", 1}, "u1");
  Create("not known to the carrier", {"n1", 1});
  EXPECT_THAT(TakeHangUps(), IsEmpty());
  ASSERT_TRUE(nodes().Leave("n1").ok());
  EXPECT_EQ(Reap().calls.size(), 2);
  auto jobs = TakeHangUps();
  ASSERT_EQ(jobs.size(), 1);
  EXPECT_EQ(jobs[0].call_id, "c1");
  EXPECT_EQ(jobs[0].carrier_call_id, "u1");
  EXPECT_EQ(jobs[0].attempts, 1);
  EXPECT_THAT(TakeHangUps(), IsEmpty()) << "somebody is at it";
  Advance(absl::Seconds(61));
  jobs = TakeHangUps();
  ASSERT_EQ(jobs.size(), 1) << "whoever was at it died";
  EXPECT_EQ(jobs[0].attempts, 2);
  ASSERT_TRUE(nodes().FinishHangUp("c1").ok());
  ASSERT_TRUE(nodes().FinishHangUp("c1").ok()) << "again";
  Advance(absl::Minutes(5));
  EXPECT_THAT(TakeHangUps(), IsEmpty());
}

TEST_P(NodeTableContract, HangUpsAreTakenInParts) {
  Register("n1");
  for (int i = 0; i < 3; ++i) Create("c" + std::to_string(i), {"n1", 1}, "u" + std::to_string(i));
  ASSERT_TRUE(nodes().Leave("n1").ok());
  Reap();
  EXPECT_EQ(TakeHangUps(2).size(), 2);
  EXPECT_EQ(TakeHangUps(2).size(), 1);
  EXPECT_EQ(TakeHangUps(2).size(), 0);
}

// --- Whose call it is

TEST_P(NodeTableContract, TheFirstToClaimACallHasIt) {
  EXPECT_EQ(Find("u1"), "nobody");
  EXPECT_EQ(Claim("u1", "n1"), "n1");
  EXPECT_EQ(Claim("u1", "n2"), "n1");
  EXPECT_EQ(Claim("u1", "n1"), "n1");
  EXPECT_EQ(Find("u1"), "n1");
  EXPECT_EQ(Claim("u2", "n2"), "n2");
  EXPECT_EQ(Find("u2"), "n2");
}

TEST_P(NodeTableContract, ACallThatWasStoredIsItsOwners) {
  Create("c1", {"n1", 1}, "u1");
  Create("c2", {}, "u2");
  EXPECT_EQ(Find("u1"), "n1");
  EXPECT_EQ(Find("u2"), "nobody");
  EXPECT_EQ(Claim("u1", "n2"), "n1");
  EXPECT_EQ(Claim("u2", "n2"), "n2");
  EXPECT_EQ(Find(""), "nobody");
}

TEST_P(NodeTableContract, ClaimsAreForgottenAfterADay) {
  Claim("old", "n1");
  Advance(absl::Hours(24));
  Claim("new", "n1");
  Advance(absl::Hours(2));
  EXPECT_EQ(Find("old"), "n1") << "nobody has looked";
  Reap();
  EXPECT_EQ(Find("old"), "nobody");
  EXPECT_EQ(Find("new"), "n1");
}

}  // namespace callbridge::store
