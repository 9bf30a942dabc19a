#ifndef CALLBRIDGE_TESTS_CONTRACT_MADE_RECORDS_H_
#define CALLBRIDGE_TESTS_CONTRACT_MADE_RECORDS_H_

#include <string>

#include "gtest/gtest.h"
#include "src/base/error.h"
#include "tests/contract/store_under_test.h"

// Records that more than one part of the contract is written with.
namespace callbridge::store {

inline LeadRecord MakeLead(const std::string& lead_id, const std::string& phone = "+15550001111") {
  LeadRecord lead;
  lead.lead_id = lead_id;
  lead.phone = phone;
  lead.name = "Ada";
  lead.metadata = {{"crm", "17"}};
  lead.create_time = kStart;
  return lead;
}

inline CallRecord MakeOutbound(const std::string& call_id, const std::string& to = "+15550001111") {
  CallRecord call = MakeCall(call_id, "+15559990000");
  call.direction = call::Direction::kOutbound;
  call.to = to;
  call.state = call::State::kDialing;
  return call;
}

inline std::string ReasonOf(const absl::Status& status) { return base::GetErrorInfo(status).reason; }

inline Settlement MakeSettlement(absl::Time time = kStart + absl::Seconds(100)) {
  Settlement settlement;
  settlement.duration_seconds = 83;
  settlement.billed_seconds = 120;
  settlement.cost = "0.01100";
  settlement.currency = "USD";
  settlement.cause_code = 4000;
  settlement.cause = "Normal Hangup";
  settlement.source = "Caller";
  settlement.time = time;
  return settlement;
}

inline void ExpectEqual(const Settlement& got, const Settlement& want) {
  EXPECT_EQ(got.duration_seconds, want.duration_seconds);
  EXPECT_EQ(got.billed_seconds, want.billed_seconds);
  EXPECT_EQ(got.cost, want.cost);
  EXPECT_EQ(got.currency, want.currency);
  EXPECT_EQ(got.cause_code, want.cause_code);
  EXPECT_EQ(got.cause, want.cause);
  EXPECT_EQ(got.source, want.source);
  EXPECT_EQ(got.time, want.time);
}

inline CallWrite Settling(const std::string& call_id, const Settlement& settlement) {
  CallWrite write = MakeWrite(call_id);
  write.settlement = settlement;
  return write;
}

inline constexpr char kErased[] = "+15550001111";

// A call with that person that is over, with something in every place that can hold words.
inline CallWrite FullWrite(const std::string& call_id) {
  CallWrite write = MakeWrite(call_id);
  call::TranscriptItemFinal said;
  said.item = MakeItem("i1", 1, "my secret");
  write.events = {MakeEvent(call_id, 2, said), MakeEvent(call_id, 3, call::DtmfReceived{"7"})};
  write.transcript_items = {said.item, MakeItem("i2", 2, "another secret")};
  write.transfer.emplace();
  write.transfer->transfer_id = "t1";
  write.transfer->number = "+15557770000";
  write.transfer->reason = "secret reason";
  write.transfer->detail = "secret detail";
  write.transfer->state = call::TransferState::kFailed;
  write.transfer->outcome = call::TransferOutcome::kBusy;
  write.transfer->attempts = {{"+15557770000", call::TransferOutcome::kBusy, "busy", kStart, kStart}};
  write.transferred = true;
  write.transfer_reason = "secret reason";
  write.end = MakeEnd();
  write.summary = "secret summary";
  write.result = MakeResult();
  write.summary_due = true;
  write.settlement = MakeSettlement();
  return write;
}

}  // namespace callbridge::store

#endif  // CALLBRIDGE_TESTS_CONTRACT_MADE_RECORDS_H_
