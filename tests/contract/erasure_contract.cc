#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/error.h"
#include "tests/contract/made_records.h"
#include "tests/contract/store_under_test.h"

// Promises about people who are erased, and about who read what they said. Part of the contract of stores.
namespace callbridge::store {

TEST_P(CallStoreContract, ErasureTakesThePersonFromEverything) {
  CallRecord call = MakeCall("c1", kErased);
  call.metadata = {{"crm", "secret"}};
  call.labels = {{"name", "secret"}};
  Create(call);
  ApplyOk(FullWrite("c1"));
  const std::string lead_id = Lead().lead_id;
  const auto before = AllEvents();
  const auto erasure = store().EraseNumber(kErased, "Grace", kStart + absl::Hours(2));
  ASSERT_TRUE(erasure.ok()) << erasure.status();

  const CallRecord got = Get("c1");
  EXPECT_EQ(got.from, "");
  EXPECT_EQ(got.to, "+15559990000") << "ours";
  EXPECT_EQ(got.lead_id, "");
  EXPECT_EQ(got.transcript, "");
  EXPECT_EQ(got.summary, "");
  EXPECT_EQ(got.result.disposition, "");
  EXPECT_EQ(got.result.fields_json, "");
  EXPECT_EQ(got.transfer_reason, "");
  EXPECT_EQ(got.termination->evidence, "");
  EXPECT_THAT(got.metadata, IsEmpty());
  EXPECT_THAT(got.labels, IsEmpty());
  EXPECT_EQ(got.erase_time, kStart + absl::Hours(2));
  EXPECT_EQ(got.state, call::State::kCompleted);
  EXPECT_EQ(got.duration_seconds, 60);
  EXPECT_TRUE(got.transferred);
  ExpectEqual(got.settlement, MakeSettlement());

  EXPECT_THAT(*store().GetTranscript("c1"), IsEmpty());
  EXPECT_THAT(Jobs(), IsEmpty());
  const auto transfers = store().ListTransfers("c1");
  ASSERT_EQ(transfers->size(), 1);
  EXPECT_EQ((*transfers)[0].number + (*transfers)[0].reason + (*transfers)[0].detail, "");
  EXPECT_THAT((*transfers)[0].attempts, IsEmpty());
  EXPECT_EQ((*transfers)[0].outcome, call::TransferOutcome::kBusy);
  EXPECT_EQ(store().FindLead(kErased).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().GetLead(lead_id).status().code(), absl::StatusCode::kNotFound);
  CallFilter by_number;
  by_number.number = kErased;
  EXPECT_THAT(Ids(by_number), IsEmpty());

  const auto after = AllEvents();
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].position, before[i].position);
    EXPECT_EQ(after[i].event.sequence, before[i].event.sequence);
    EXPECT_EQ(after[i].event.time, before[i].event.time);
    EXPECT_EQ(after[i].event.body.index(), before[i].event.body.index()) << "the type stays";
    EXPECT_TRUE(after[i].erased);
    EXPECT_FALSE(before[i].erased);
  }
  EXPECT_EQ(std::get<call::CallCreated>(after[0].event.body).from, "");
  EXPECT_EQ(std::get<call::TranscriptItemFinal>(after[1].event.body).item.text_heard, "");
  EXPECT_EQ(std::get<call::DtmfReceived>(after[2].event.body).digit, "");
  EXPECT_TRUE(CallEvents("c1", 2)[0].erased) << "in the call's own events as well";
}

TEST_P(CallStoreContract, AnErasureIsNoted) {
  Create("c1");
  ApplyOk(FullWrite("c1"));
  Create("c2");
  End("c2");
  const auto erasure = store().EraseNumber(kErased, "Grace \xFF", kStart + absl::Hours(2));
  ASSERT_TRUE(erasure.ok()) << erasure.status();
  EXPECT_EQ(erasure->counts.leads, 1);
  EXPECT_EQ(erasure->counts.calls, 2);
  EXPECT_EQ(erasure->counts.transcript_items, 2);
  EXPECT_EQ(erasure->counts.transfers, 1);
  EXPECT_EQ(erasure->counts.events, 4);
  EXPECT_EQ(erasure->counts.summary_jobs, 1);
  Reopen();
  const auto noted = store().ListErasures(10);
  ASSERT_TRUE(noted.ok());
  ASSERT_EQ(noted->size(), 1);
  EXPECT_EQ((*noted)[0].erasure_id, erasure->erasure_id);
  EXPECT_EQ((*noted)[0].by, "Grace \xEF\xBF\xBD");
  EXPECT_EQ((*noted)[0].time, kStart + absl::Hours(2));
  EXPECT_EQ((*noted)[0].number_hash, erasure->number_hash);
  EXPECT_EQ((*noted)[0].counts.calls, 2);
  EXPECT_EQ((*noted)[0].counts.events, 4);
}

TEST_P(CallStoreContract, TheNoteOfAnErasureIsNoPhoneBook) {
  const auto one = store().EraseNumber(kErased, "Grace", kStart);
  const auto again = store().EraseNumber(kErased, "Grace", kStart);
  ASSERT_TRUE(one.ok() && again.ok());
  EXPECT_EQ(one->number_hash, again->number_hash) << "a known number is recognized";
  EXPECT_LE(one->number_hash.size(), 4) << "and shared with thousands";
  EXPECT_FALSE(absl::StrContains(kErased, one->number_hash));
}

TEST_P(CallStoreContract, ErasingNobodyLeavesANote) {
  Create("c1", "+15552223333");
  const auto erasure = store().EraseNumber(kErased, "Grace", kStart);
  ASSERT_TRUE(erasure.ok());
  EXPECT_EQ(erasure->counts.calls, 0);
  EXPECT_EQ(store().ListErasures(10)->size(), 1);
  EXPECT_EQ(Get("c1").from, "+15552223333");
}

TEST_P(CallStoreContract, ErasuresAreListedNewestFirst) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(store().EraseNumber(kErased, std::to_string(i), kStart + absl::Seconds((i * 2) % 3)).ok());
  }
  const auto noted = store().ListErasures(2);
  ASSERT_EQ(noted->size(), 2);
  EXPECT_EQ((*noted)[0].by, "1");
  EXPECT_EQ((*noted)[1].by, "2");
  EXPECT_EQ(store().ListErasures(0).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(CallStoreContract, ErasureLeavesOthersAlone) {
  Create("c1", kErased);
  End("c1");
  Create("c2", "+15552223333");
  ApplyOk(FullWrite("c2"));
  ASSERT_TRUE(store().EraseNumber(kErased, "Grace", kStart).ok());
  EXPECT_EQ(Get("c2").from, "+15552223333");
  EXPECT_EQ(Get("c2").summary, "secret summary");
  EXPECT_EQ(store().GetTranscript("c2")->size(), 2);
  EXPECT_EQ(store().ListTransfers("c2")->at(0).reason, "secret reason");
  EXPECT_THAT(JobIds(), ElementsAre("c2"));
  EXPECT_FALSE(CallEvents("c2")[0].erased);
  EXPECT_TRUE(store().FindLead("+15552223333").ok());
}

TEST_P(CallStoreContract, ErasingOneOfOurNumbersTouchesNobodysCalls) {
  Create("c1", kErased);
  End("c1");
  ASSERT_TRUE(store().EraseNumber("+15559990000", "Grace", kStart).ok());
  EXPECT_EQ(Get("c1").from, kErased);
  EXPECT_EQ(Get("c1").to, "+15559990000");
}

TEST_P(CallStoreContract, APersonWhomWeCalledIsErasedToo) {
  Create(MakeOutbound("c1", kErased));
  End("c1");
  ASSERT_TRUE(store().EraseNumber(kErased, "Grace", kStart).ok());
  EXPECT_EQ(Get("c1").to, "");
  EXPECT_EQ(Get("c1").from, "+15559990000");
}

TEST_P(CallStoreContract, CallsThatAreNotOverRefuseTheErasure) {
  Create("done");
  End("done");
  Create("c2");
  const absl::Status status = store().EraseNumber(kErased, "Grace", kStart).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "CALLS_NOT_OVER");
  EXPECT_EQ(base::GetErrorInfo(status).metadata.at("calls"), "c2");
  EXPECT_TRUE(absl::StrContains(status.message(), "c2")) << status;
  EXPECT_EQ(Get("done").from, kErased) << "all or nothing";
  EXPECT_THAT(*store().ListErasures(1), IsEmpty());
  End("c2");
  EXPECT_TRUE(store().EraseNumber(kErased, "Grace", kStart).ok());
}

TEST_P(CallStoreContract, BadErasuresAreRefused) {
  for (const char* number : {"", "555", "Ada", "+", "+1 555 000 1111"}) {
    EXPECT_EQ(store().EraseNumber(number, "Grace", kStart).status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(store().EraseNumber(kErased, "", kStart).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().EraseNumber(kErased, "Grace", absl::InfiniteFuture()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(CallStoreContract, WhatComesAfterAnErasureIsNotWrittenDown) {
  Create("c1");
  End("c1");
  ASSERT_TRUE(store().EraseNumber(kErased, "Grace", kStart).ok());
  CallWrite late = FullWrite("c1");
  late.transcript = "late secret";
  ApplyOk(late);
  const CallRecord got = Get("c1");
  EXPECT_EQ(got.transcript + got.summary + got.result.disposition + got.transfer_reason, "");
  EXPECT_THAT(*store().GetTranscript("c1"), IsEmpty());
  EXPECT_THAT(*store().ListTransfers("c1"), IsEmpty());
  EXPECT_THAT(Jobs(), IsEmpty());
  EXPECT_EQ(got.event_head, 3) << "its sequences go on";
  EXPECT_TRUE(CallEvents("c1", 1)[0].erased);
  EXPECT_EQ(std::get<call::TranscriptItemFinal>(CallEvents("c1", 1)[0].event.body).item.text_heard, "");
  ExpectEqual(got.settlement, MakeSettlement());
}

TEST_P(CallStoreContract, RepeatsOfWritesAreStillRecognizedAfterAnErasure) {
  Create("c1");
  ApplyOk(FullWrite("c1"));
  ASSERT_TRUE(store().EraseNumber(kErased, "Grace", kStart).ok());
  ApplyOk(FullWrite("c1"));
  EXPECT_EQ(Get("c1").event_head, 3);
  EXPECT_EQ(Get("c1").summary, "");
}

TEST_P(CallStoreContract, AnErasedRequestDialsNobodyAgain) {
  const RequestKey key{"crm", "r1", "f"};
  ASSERT_TRUE(store().CreateCall(MakeOutbound("c1", kErased), CreatedEvents("c1"), key).ok());
  End("c1");
  ASSERT_TRUE(store().EraseNumber(kErased, "Grace", kStart).ok());
  EXPECT_EQ(ReasonOf(store().CreateCall(MakeOutbound("c2", kErased), {}, key).status()), "REQUEST_ID_REUSED");
}

TEST_P(CallStoreContract, AnErasedPersonWhoCallsAgainIsANewLead) {
  Create("c1");
  End("c1");
  const std::string before = Lead().lead_id;
  ASSERT_TRUE(store().EraseNumber(kErased, "Grace", kStart).ok());
  Create("c2");
  EXPECT_NE(Lead().lead_id, before);
  EXPECT_EQ(Get("c1").lead_id, "");
}

// --- Who read what was said

TEST_P(CallStoreContract, ReadsOfATranscriptAreKeptInOrder) {
  Create("c1");
  Create("c2");
  ASSERT_TRUE(store().AddTranscriptRead({"c1", "crm", kStart + absl::Seconds(5)}).ok());
  ASSERT_TRUE(store().AddTranscriptRead({"c2", "other", kStart}).ok());
  ASSERT_TRUE(store().AddTranscriptRead({"c1", "", kStart}).ok());
  Reopen();
  const auto reads = store().ListTranscriptReads("c1", 10);
  ASSERT_TRUE(reads.ok());
  ASSERT_EQ(reads->size(), 2);
  EXPECT_EQ((*reads)[0].call_id, "c1");
  EXPECT_EQ((*reads)[0].principal, "crm");
  EXPECT_EQ((*reads)[0].time, kStart + absl::Seconds(5));
  EXPECT_EQ((*reads)[1].principal, "");
  EXPECT_EQ(store().ListTranscriptReads("c1", 1)->size(), 1);
}

TEST_P(CallStoreContract, ReadsOfCallsThatAreNotThere) {
  Create("c1");
  EXPECT_EQ(store().AddTranscriptRead({"nobody", "crm", kStart}).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().AddTranscriptRead({"", "crm", kStart}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().AddTranscriptRead({"c1", "crm", absl::InfinitePast()}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().ListTranscriptReads("nobody", 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().ListTranscriptReads("c1", 0).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace callbridge::store
