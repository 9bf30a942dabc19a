#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/made_records.h"
#include "tests/contract/store_under_test.h"

// Promises about what the carrier says of a call, in time or late, and how its calls are found. Part of
// the contract of stores.
namespace callbridge::store {

TEST_P(CallStoreContract, ANewCallIsNotSettled) {
  Create("c1");
  ExpectEqual(Get("c1").settlement, Settlement());
}

TEST_P(CallStoreContract, ASettlementKeepsEveryField) {
  Create("c1");
  ApplyOk(Settling("c1", MakeSettlement()));
  ExpectEqual(Get("c1").settlement, MakeSettlement());
  Reopen();
  if (store().GetCall("c1").ok()) ExpectEqual(Get("c1").settlement, MakeSettlement());
}

TEST_P(CallStoreContract, AnEndedCallIsSettledAndStaysAsItEnded) {
  Create("c1");
  End("c1");
  ApplyOk(Settling("c1", MakeSettlement()));
  const CallRecord got = Get("c1");
  ExpectEqual(got.settlement, MakeSettlement());
  EXPECT_EQ(got.duration_seconds, 60) << "ours, from the answer";
  EXPECT_EQ(got.termination->evidence, "hangup cause 4000");
  EXPECT_EQ(got.event_head, 1);
}

TEST_P(CallStoreContract, ACallIsSettledInTheWriteOfItsEnd) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2});
  write.end = MakeEnd();
  write.settlement = MakeSettlement();
  ApplyOk(write);
  ExpectEqual(Get("c1").settlement, MakeSettlement());
}

TEST_P(CallStoreContract, ARepeatedSettlementChangesNothing) {
  Create("c1");
  ApplyOk(Settling("c1", MakeSettlement()));
  ApplyOk(Settling("c1", MakeSettlement(kStart + absl::Hours(1))));
  ExpectEqual(Get("c1").settlement, MakeSettlement());
}

TEST_P(CallStoreContract, ALaterSettlementAddsAndCorrects) {
  Create("c1");
  Settlement first;
  first.cause_code = 4000;
  first.cause = "Normal Hangup";
  first.duration_seconds = 80;
  first.time = kStart;
  ApplyOk(Settling("c1", first));
  Settlement second;
  second.duration_seconds = 83;
  second.cost = "0.00";
  second.time = kStart + absl::Seconds(5);
  ApplyOk(Settling("c1", second));
  Settlement want = first;
  want.duration_seconds = 83;
  want.cost = "0.00";
  want.time = kStart + absl::Seconds(5);
  ExpectEqual(Get("c1").settlement, want);
}

TEST_P(CallStoreContract, ZeroIsSomethingThatTheCarrierSays) {
  Create("c1");
  Settlement zero;
  zero.duration_seconds = 0;
  zero.billed_seconds = 0;
  zero.cause_code = 0;
  zero.time = kStart;
  ApplyOk(Settling("c1", zero));
  ExpectEqual(Get("c1").settlement, zero);
}

TEST_P(CallStoreContract, ASettlementWithoutTimeIsRefused) {
  Create("c1");
  EXPECT_EQ(Apply(Settling("c1", MakeSettlement(absl::InfinitePast()))).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Apply(Settling("nobody", MakeSettlement())).code(), absl::StatusCode::kNotFound);
  ExpectEqual(Get("c1").settlement, Settlement());
}

TEST_P(CallStoreContract, SettlingDoesNotTouchTheLead) {
  Create("c1");
  End("c1");
  const int64_t before = Lead().revision;
  ApplyOk(Settling("c1", MakeSettlement()));
  EXPECT_EQ(Lead().revision, before);
}

// --- Finding calls by the carrier's names

TEST_P(CallStoreContract, CallsAreFoundByTheCarriersIds) {
  CallRecord call = MakeCall("c1");
  call.carrier_call_id = "leg";
  Create(call);
  Create("c2", "+15552223333");
  CallWrite write = MakeWrite("c2");
  write.carrier_request_id = "request";
  ApplyOk(write);
  EXPECT_EQ(store().FindCall("leg", "")->call_id, "c1");
  EXPECT_EQ(store().FindCall("other", "request")->call_id, "c2");
  EXPECT_EQ(store().FindCall("leg", "request")->call_id, "c1") << "the leg's own id has the say";
}

TEST_P(CallStoreContract, CallsThatTheCarrierDoesNotName) {
  Create("c1");
  EXPECT_EQ(store().FindCall("", "").status().code(), absl::StatusCode::kNotFound) << "c1 has empty ids";
  EXPECT_EQ(store().FindCall("leg", "request").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, OfTwoCallsWithOneIdTheNewestIsFound) {
  for (int i = 0; i < 3; ++i) {
    CallRecord call = MakeCall("c" + std::to_string(i));
    call.carrier_call_id = "leg";
    call.create_time = kStart + absl::Seconds((i * 2) % 3);
    Create(call);
  }
  EXPECT_EQ(store().FindCall("leg", "")->call_id, "c1");
}

}  // namespace callbridge::store
