#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/store_under_test.h"

// Promises about what is made of a call when it is over: its result, and the jobs that make it. Part of
// the contract of stores.
namespace callbridge::store {

// --- Jobs

TEST_P(CallStoreContract, AJobIsMadeWithTheEnd) {
  Create("c1");
  EXPECT_THAT(Jobs(), IsEmpty());
  ApplyOk(Due("c1", {2}));
  const auto jobs = Jobs();
  ASSERT_EQ(jobs.size(), 1);
  EXPECT_EQ(jobs[0].call_id, "c1");
  EXPECT_EQ(jobs[0].attempts, 0);
  EXPECT_EQ(jobs[0].due, MakeEnd().end_time);
  EXPECT_EQ(jobs[0].last_error, "");
}

TEST_P(CallStoreContract, AWriteThatIsRefusedMakesNoJob) {
  Create("c1");
  EXPECT_FALSE(Apply(Due("c1", {3})).ok());
  EXPECT_THAT(Jobs(), IsEmpty());
}

TEST_P(CallStoreContract, WhatWasSavedIsKeptByRepeats) {
  Create("c1");
  ApplyOk(Due("c1", {2}));
  const SummaryJob saved{"c1", 3, kStart + absl::Hours(1), "HTTP 503"};
  ASSERT_TRUE(store().SaveSummaryJob(saved).ok());
  ApplyOk(Due("c1", {2}));
  CallWrite again = MakeWrite("c1");
  again.summary_due = true;
  ApplyOk(again);
  const auto jobs = Jobs();
  ASSERT_EQ(jobs.size(), 1);
  EXPECT_EQ(jobs[0].attempts, 3);
  EXPECT_EQ(jobs[0].due, kStart + absl::Hours(1));
  EXPECT_EQ(jobs[0].last_error, "HTTP 503");
}

TEST_P(CallStoreContract, ASettledSummaryHasNoJobAnyMore) {
  Create("c1");
  ApplyOk(Due("c1", {2}));
  ApplyOk(Settled("c1", {3}));
  EXPECT_THAT(Jobs(), IsEmpty());
  CallWrite again = MakeWrite("c1", {4});
  again.summary_due = true;
  ApplyOk(again);
  EXPECT_THAT(Jobs(), IsEmpty()) << "settled once and for all";
}

TEST_P(CallStoreContract, ASummaryThatCameBeforeTheEndMakesNoJob) {
  Create("c1");
  ApplyOk(Settled("c1", {2}));
  ApplyOk(Due("c1", {3}));
  EXPECT_THAT(Jobs(), IsEmpty());
}

TEST_P(CallStoreContract, SettlingWinsInOneWrite) {
  Create("c1");
  CallWrite write = Due("c1", {2});
  write.summary_settled = true;
  ApplyOk(write);
  EXPECT_THAT(Jobs(), IsEmpty());
}

TEST_P(CallStoreContract, SettlingOneCallLeavesTheOthers) {
  Create("c1");
  Create("c2");
  ApplyOk(Due("c1", {2}));
  ApplyOk(Due("c2", {2}));
  ApplyOk(Settled("c1", {3}));
  EXPECT_THAT(JobIds(), ElementsAre("c2"));
}

TEST_P(CallStoreContract, JobsAreListedOldestDueFirst) {
  for (int i = 0; i < 4; ++i) {
    const std::string id = absl::StrCat("c", i);
    Create(id);
    ApplyOk(Due(id, {2}));
    ASSERT_TRUE(store().SaveSummaryJob({id, 1, kStart + absl::Seconds((i * 3) % 4), ""}).ok());
  }
  EXPECT_THAT(JobIds(), ElementsAre("c0", "c3", "c2", "c1"));
  EXPECT_THAT(JobIds(kStart + absl::Seconds(1)), ElementsAre("c0", "c3")) << "`due_by` is inclusive";
  EXPECT_THAT(JobIds(kStart - absl::Microseconds(1)), IsEmpty());
  EXPECT_THAT(JobIds(absl::InfiniteFuture(), 2), ElementsAre("c0", "c3"));
}

TEST_P(CallStoreContract, SavingAJobThatIsNotThere) {
  Create("c1");
  const SummaryJob job{"c1", 1, kStart, "late"};
  for (const char* when : {"never made", "settled"}) {
    SCOPED_TRACE(when);
    EXPECT_EQ(store().SaveSummaryJob(job).code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(Jobs(), IsEmpty());
    ApplyOk(Due("c1", {2}));
    ApplyOk(Settled("c1", {3}));
  }
}

TEST_P(CallStoreContract, BadJobsAndLimitsAreRefused) {
  Create("c1");
  ApplyOk(Due("c1", {2}));
  const SummaryJob bad[] = {{"", 1, kStart, ""}, {"c1", -1, kStart, ""}, {"c1", 1, absl::InfiniteFuture(), ""}};
  for (const SummaryJob& job : bad) {
    EXPECT_EQ(store().SaveSummaryJob(job).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(store().ListSummaryJobs(kStart, 0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Jobs().at(0).attempts, 0);
}

TEST_P(CallStoreContract, JobsSurviveReopening) {
  Create("c1");
  Create("c2");
  ApplyOk(Due("c1", {2}));
  ApplyOk(Due("c2", {2}));
  ApplyOk(Settled("c2", {3}));
  ASSERT_TRUE(store().SaveSummaryJob({"c1", 2, kStart, "HTTP 500"}).ok());
  Reopen();
  const auto jobs = Jobs();
  ASSERT_EQ(jobs.size(), 1);
  EXPECT_EQ(jobs[0].call_id, "c1");
  EXPECT_EQ(jobs[0].attempts, 2);
  EXPECT_EQ(jobs[0].last_error, "HTTP 500");
  CallWrite again = MakeWrite("c2");
  again.summary_due = true;
  ApplyOk(again);
  EXPECT_THAT(JobIds(), ElementsAre("c1"));
}

// --- Results

TEST_P(CallStoreContract, AResultIsOnTheCallAndOnItsLead) {
  Create("c1");
  EXPECT_EQ(Lead().result_call_id, "");
  CallWrite write = MakeWrite("c1", {2});
  write.result = MakeResult();
  ApplyOk(write);
  const call::CallResult got = Get("c1").result;
  EXPECT_EQ(got.disposition, "interested");
  EXPECT_EQ(got.interest, "high");
  EXPECT_EQ(got.follow_up_time, "2026-11-23T15:00:00+01:00");
  EXPECT_EQ(got.fields_json, R"({"rooms":3})");
  const LeadRecord lead = Lead();
  EXPECT_EQ(lead.result.disposition, "interested");
  EXPECT_EQ(lead.result.interest, "high");
  EXPECT_EQ(lead.result.follow_up_time, "2026-11-23T15:00:00+01:00");
  EXPECT_EQ(lead.result.fields_json, "") << "stays with the call";
  EXPECT_EQ(lead.result_call_id, "c1");
  EXPECT_EQ(lead.update_time, kStart + absl::Seconds(2));
}

TEST_P(CallStoreContract, ARepeatedWriteDoesNotApplyAnotherResult) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2});
  write.result = MakeResult("first");
  ApplyOk(write);
  write.result = MakeResult("second");
  ApplyOk(write);
  EXPECT_EQ(Get("c1").result.disposition, "first");
  EXPECT_EQ(Lead().result.disposition, "first");
}

TEST_P(CallStoreContract, ALaterResultOfTheSameCallReplacesTheFirst) {
  Create("c1");
  SetResult("c1", "callback");
  SetResult("c1", "interested");
  EXPECT_EQ(Get("c1").result.disposition, "interested");
  EXPECT_EQ(Lead().result.disposition, "interested");
}

TEST_P(CallStoreContract, TheNewestCallHasTheSayOverItsLead) {
  CallRecord newer = MakeCall("c1");
  newer.create_time = kStart + absl::Hours(1);
  Create(newer);
  Create("c2");
  SetResult("c1", "newer");
  SetResult("c2", "older, made late");
  EXPECT_EQ(Get("c2").result.disposition, "older, made late");
  EXPECT_EQ(Lead().result.disposition, "newer");
  EXPECT_EQ(Lead().result_call_id, "c1");
}

TEST_P(CallStoreContract, TheNextCallReplacesTheLeadsResult) {
  Create("c1");
  CallRecord newer = MakeCall("c2");
  newer.create_time = kStart + absl::Hours(1);
  Create(newer);
  SetResult("c1", "first");
  SetResult("c2", "second");
  EXPECT_EQ(Lead().result.disposition, "second");
  EXPECT_EQ(Lead().result_call_id, "c2");
}

TEST_P(CallStoreContract, AResultWithoutLead) {
  Create("c1", "anonymous");
  SetResult("c1", "other");
  EXPECT_EQ(Get("c1").result.disposition, "other");
}

// --- Machines

TEST_P(CallStoreContract, AMachineIsOnTheCall) {
  Create("c1");
  EXPECT_FALSE(Get("c1").answered_by_machine);
  CallWrite write = MakeWrite("c1", {2});
  write.answered_by_machine = true;
  ApplyOk(write);
  ApplyOk(MakeWrite("c1", {3}));
  EXPECT_TRUE(Get("c1").answered_by_machine);
}

}  // namespace callbridge::store
