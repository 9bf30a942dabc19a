#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/store_under_test.h"

// Promises about leads. Part of the contract of stores.
namespace callbridge::store {

TEST_P(CallStoreContract, AnInboundCallMakesALeadOfItsCaller) {
  const CallRecord call = Create("c1");
  const LeadRecord lead = Lead("+15550001111");
  EXPECT_EQ(call.lead_id, lead.lead_id);
  EXPECT_EQ(lead.call_status, "new");
  EXPECT_FALSE(lead.transferred_to_human);
  EXPECT_EQ(lead.last_call_id, "c1");
  EXPECT_EQ(lead.create_time, kStart);
  EXPECT_EQ(lead.name, "");
}

TEST_P(CallStoreContract, AnOutboundCallMakesALeadOfWhomItCalls) {
  CallRecord call = MakeCall("c1");
  call.direction = call::Direction::kOutbound;
  const std::string lead_id = Create(call).lead_id;
  EXPECT_EQ(lead_id, Lead("+15559990000").lead_id);
  EXPECT_EQ(store().FindLead("+15550001111").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, ACallWithoutNumberHasNoLead) {
  EXPECT_EQ(Create("c1", "anonymous").lead_id, "");
  EXPECT_EQ(Get("c1").lead_id, "");
  Transfer("c1", true);
  End("c1");
  EXPECT_TRUE(Get("c1").transferred);
}

TEST_P(CallStoreContract, OneLeadPerNumber) {
  const CallRecord first = Create("c1");
  CallRecord later = MakeCall("c2");
  later.create_time = kStart + absl::Hours(1);
  const CallRecord second = Create(later);
  EXPECT_EQ(first.lead_id, second.lead_id);
  EXPECT_EQ(Lead().last_call_id, "c2");
  EXPECT_EQ(Lead().create_time, kStart);
  EXPECT_EQ(Lead().update_time, kStart + absl::Hours(1));
}

TEST_P(CallStoreContract, GetLeadFindsById) {
  Create("c1");
  auto lead = store().GetLead(Lead().lead_id);
  ASSERT_TRUE(lead.ok());
  EXPECT_EQ(lead->phone, "+15550001111");
}

TEST_P(CallStoreContract, LeadsThatAreNotThere) {
  EXPECT_EQ(store().GetLead("nobody").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().GetLead("").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().FindLead("+15550001111").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, AnEndMakesTheLeadCalled) {
  Create("c1");
  End("c1");
  EXPECT_EQ(Lead().call_status, "called");
  EXPECT_FALSE(Lead().transferred_to_human);
  EXPECT_EQ(Lead().update_time, kStart + absl::Seconds(90));
}

TEST_P(CallStoreContract, ATransferMarksCallAndLead) {
  Create("c1");
  Transfer("c1", true, "wants to \"talk\"");
  EXPECT_TRUE(Get("c1").transferred);
  EXPECT_EQ(Get("c1").transfer_reason, "wants to \"talk\"");
  EXPECT_EQ(Lead().call_status, "transferred");
  EXPECT_TRUE(Lead().transferred_to_human);
}

TEST_P(CallStoreContract, AnEndAfterATransferKeepsTransferred) {
  Create("c1");
  Transfer("c1", true);
  End("c1");
  EXPECT_EQ(Lead().call_status, "transferred");
  EXPECT_TRUE(Lead().transferred_to_human);
  EXPECT_TRUE(Get("c1").transferred);
}

TEST_P(CallStoreContract, TransferAndEndInOneWriteKeepTransferred) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2});
  write.transferred = true;
  write.end = MakeEnd();
  ApplyOk(write);
  EXPECT_EQ(Lead().call_status, "transferred");
}

TEST_P(CallStoreContract, ATransferIsTakenBack) {
  Create("c1");
  Transfer("c1", true);
  Transfer("c1", false, "no answer");
  EXPECT_FALSE(Get("c1").transferred);
  EXPECT_EQ(Get("c1").transfer_reason, "no answer");
  EXPECT_EQ(Lead().call_status, "called");
  EXPECT_FALSE(Lead().transferred_to_human);
  End("c1");
  EXPECT_EQ(Lead().call_status, "called");
}

TEST_P(CallStoreContract, TakingBackOneCallKeepsTheTransferOfAnother) {
  Create("c1");
  Transfer("c1", true);
  End("c1");
  Create("c2");
  Transfer("c2", true);
  Transfer("c2", false);
  EXPECT_TRUE(Lead().transferred_to_human);
}

TEST_P(CallStoreContract, ALaterCallWithoutTransferIsCalled) {
  Create("c1");
  Transfer("c1", true);
  End("c1");
  Create("c2");
  End("c2");
  EXPECT_EQ(Lead().call_status, "called");
  EXPECT_TRUE(Lead().transferred_to_human);
}

TEST_P(CallStoreContract, AnOlderCallThatEndsLateDoesNotHideATransfer) {
  Create("c1");
  Create("c2");
  Transfer("c2", true);
  End("c1");
  EXPECT_EQ(Lead().call_status, "transferred");
}

TEST_P(CallStoreContract, TransfersOfOneLeadDoNotTouchAnother) {
  Create("c1");
  Create("c2", "+15552223333");
  Transfer("c1", true);
  EXPECT_EQ(Lead("+15552223333").call_status, "new");
}

}  // namespace callbridge::store
