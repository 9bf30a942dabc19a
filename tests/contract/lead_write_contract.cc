#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/error.h"
#include "tests/contract/made_records.h"
#include "tests/contract/store_under_test.h"

// Promises about leads that clients write. Part of the contract of stores.
namespace callbridge::store {

// --- Create

TEST_P(CallStoreContract, ALeadKeepsWhatItIsMadeWith) {
  LeadRecord lead = MakeLead("l1");
  lead.suppressed = true;
  lead.suppressed_reason = "asked us to stop";
  const auto made = store().CreateLead(lead);
  ASSERT_TRUE(made.ok()) << made.status();
  for (const LeadRecord& got : {*made, *store().GetLead("l1"), Lead()}) {
    EXPECT_EQ(got.lead_id, "l1");
    EXPECT_EQ(got.phone, "+15550001111");
    EXPECT_EQ(got.name, "Ada");
    EXPECT_EQ(got.metadata, lead.metadata);
    EXPECT_TRUE(got.suppressed);
    EXPECT_EQ(got.suppressed_reason, "asked us to stop");
    EXPECT_EQ(got.suppressed_time, kStart);
    EXPECT_EQ(got.create_time, kStart);
    EXPECT_EQ(got.update_time, kStart);
    EXPECT_EQ(got.call_status, "new");
    EXPECT_EQ(got.last_call_id, "");
    EXPECT_EQ(got.status_call_id, "");
    EXPECT_FALSE(got.transferred_to_human);
    EXPECT_EQ(got.revision, 1);
  }
}

TEST_P(CallStoreContract, ALeadThatIsNotSuppressedHasNoReason) {
  LeadRecord lead = MakeLead("l1");
  lead.suppressed_reason = "not in force";
  ASSERT_TRUE(store().CreateLead(lead).ok());
  EXPECT_FALSE(Lead().suppressed);
  EXPECT_EQ(Lead().suppressed_reason, "");
  EXPECT_EQ(Lead().suppressed_time, absl::InfinitePast());
}

TEST_P(CallStoreContract, TheSameLeadAgainIsTheSameLead) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  LeadRecord later = MakeLead("l1");
  later.create_time = kStart + absl::Hours(1);
  const auto again = store().CreateLead(later);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->create_time, kStart) << "a repeat, whenever it comes";
  EXPECT_EQ(again->revision, 1);
}

TEST_P(CallStoreContract, ARepeatedCreateShowsTheLeadAsItIsNow) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  LeadUpdate update;
  update.lead_id = "l1";
  update.name = "Ada Lovelace";
  ASSERT_TRUE(store().UpdateLead(update, kStart).ok());
  const auto again = store().CreateLead(MakeLead("l1"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->name, "Ada Lovelace");
}

TEST_P(CallStoreContract, ALeadIdOfAnotherContentIsRefused) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  LeadRecord name = MakeLead("l1");
  name.name = "Bob";
  LeadRecord phone = MakeLead("l1", "+15552223333");
  LeadRecord metadata = MakeLead("l1");
  metadata.metadata["crm"] = "18";
  LeadRecord suppressed = MakeLead("l1");
  suppressed.suppressed = true;
  for (const LeadRecord& other : {name, phone, metadata, suppressed}) {
    const absl::Status status = store().CreateLead(other).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
    EXPECT_EQ(ReasonOf(status), "LEAD_ID_REUSED");
  }
  EXPECT_EQ(Lead().name, "Ada");
  EXPECT_EQ(store().FindLead("+15552223333").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, APhoneThatHasALeadIsRefusedWithItsName) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  const absl::Status status = store().CreateLead(MakeLead("l2")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(status), "LEAD_EXISTS");
  EXPECT_EQ(base::GetErrorInfo(status).metadata.at("lead"), "l1");
  EXPECT_EQ(store().GetLead("l2").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, ALeadThatACallMadeIsNotMadeAgain) {
  Create("c1");
  const std::string id = Lead().lead_id;
  EXPECT_EQ(ReasonOf(store().CreateLead(MakeLead("l1")).status()), "LEAD_EXISTS");
  EXPECT_EQ(ReasonOf(store().CreateLead(MakeLead(id)).status()), "LEAD_ID_REUSED");
}

TEST_P(CallStoreContract, CallsFindALeadThatAClientMade) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  EXPECT_EQ(Create("c1").lead_id, "l1");
  EXPECT_EQ(Lead().last_call_id, "c1");
  EXPECT_EQ(Lead().name, "Ada");
}

TEST_P(CallStoreContract, BadLeadsAreRefused) {
  LeadRecord nameless = MakeLead("");
  LeadRecord timeless = MakeLead("l1");
  timeless.create_time = absl::InfiniteFuture();
  for (const LeadRecord& bad : {nameless, timeless, MakeLead("l1", ""), MakeLead("l1", "555"), MakeLead("l1", "Ada"),
                                MakeLead("l1", "+1 555 000")}) {
    EXPECT_EQ(store().CreateLead(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad.phone;
  }
  EXPECT_EQ(base::GetErrorInfo(store().CreateLead(MakeLead("l1", "555")).status()).field, "phone");
  EXPECT_THAT(*store().ListLeads({}, absl::nullopt, 10), IsEmpty());
}

TEST_P(CallStoreContract, ConcurrentCreatesOfOneNumberMakeOneLead) {
  constexpr int kThreads = 4;
  std::atomic<int> made{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto lead = store().CreateLead(MakeLead(absl::StrCat("l", t)));
      ++(lead.ok() ? made : refused);
      if (!lead.ok()) {
        EXPECT_EQ(ReasonOf(lead.status()), "LEAD_EXISTS") << lead.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(refused, kThreads - 1);
}

// --- Update

TEST_P(CallStoreContract, AnUpdateChangesWhatItNames) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  LeadUpdate update;
  update.lead_id = "l1";
  update.name = "Bob";
  auto lead = store().UpdateLead(update, kStart + absl::Seconds(1));
  ASSERT_TRUE(lead.ok()) << lead.status();
  EXPECT_EQ(lead->name, "Bob");
  EXPECT_EQ(lead->metadata.at("crm"), "17");
  EXPECT_EQ(lead->update_time, kStart + absl::Seconds(1));
  EXPECT_GT(lead->revision, 1);
  LeadUpdate metadata;
  metadata.lead_id = "l1";
  metadata.metadata = std::map<std::string, std::string>{{"other", "1"}};
  lead = store().UpdateLead(metadata, kStart + absl::Seconds(2));
  ASSERT_TRUE(lead.ok());
  EXPECT_EQ(lead->name, "Bob");
  EXPECT_EQ(lead->metadata, *metadata.metadata) << "in place of all that was there";
  EXPECT_EQ(Lead().revision, lead->revision) << "what is returned is what is stored";
}

TEST_P(CallStoreContract, AnUpdateOfNobody) {
  LeadUpdate update;
  update.lead_id = "nobody";
  const absl::Status status = store().UpdateLead(update, kStart).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "LEAD_NOT_FOUND");
  update.lead_id = "";
  EXPECT_EQ(store().UpdateLead(update, kStart).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(CallStoreContract, AnUpdateToWhatIsThereChangesNothing) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  LeadUpdate update;
  update.lead_id = "l1";
  update.name = "Ada";
  update.suppressed = false;
  const auto lead = store().UpdateLead(update, kStart + absl::Hours(1));
  ASSERT_TRUE(lead.ok());
  EXPECT_EQ(lead->revision, 1);
  EXPECT_EQ(lead->update_time, kStart);
}

TEST_P(CallStoreContract, AnUpdateOfAStaleRevisionIsAborted) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  LeadUpdate first;
  first.lead_id = "l1";
  first.name = "first";
  first.revision = 1;
  const auto lead = store().UpdateLead(first, kStart);
  ASSERT_TRUE(lead.ok());
  LeadUpdate second = first;
  second.name = "second";
  const absl::Status status = store().UpdateLead(second, kStart).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(status), "LEAD_CHANGED");
  EXPECT_EQ(base::GetErrorInfo(status).metadata.at("revision"), absl::StrCat(lead->revision));
  EXPECT_EQ(Lead().name, "first");
  second.revision = lead->revision;
  EXPECT_EQ(store().UpdateLead(second, kStart)->name, "second");
}

TEST_P(CallStoreContract, WithoutRevisionTheLastUpdateWins) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  for (const char* name : {"one", "two", "three"}) {
    LeadUpdate update;
    update.lead_id = "l1";
    update.name = name;
    ASSERT_TRUE(store().UpdateLead(update, kStart).ok());
    EXPECT_EQ(Lead().name, name);
  }
}

TEST_P(CallStoreContract, OfConcurrentUpdatesOfOneRevisionOneWins) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  constexpr int kThreads = 4;
  std::atomic<int> won{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      LeadUpdate update;
      update.lead_id = "l1";
      update.name = absl::StrCat("name ", t);
      update.revision = 1;
      const auto lead = store().UpdateLead(update, kStart);
      if (lead.ok())
        ++won;
      else
        EXPECT_EQ(ReasonOf(lead.status()), "LEAD_CHANGED") << lead.status();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
}

TEST_P(CallStoreContract, SuppressionComesAndGoes) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  LeadUpdate update;
  update.lead_id = "l1";
  update.suppressed = true;
  update.suppressed_reason = "asked";
  ASSERT_TRUE(store().UpdateLead(update, kStart + absl::Seconds(1)).ok());
  update.suppressed_reason = "asked twice";
  ASSERT_TRUE(store().UpdateLead(update, kStart + absl::Seconds(2)).ok());
  EXPECT_TRUE(Lead().suppressed);
  EXPECT_EQ(Lead().suppressed_reason, "asked twice");
  EXPECT_EQ(Lead().suppressed_time, kStart + absl::Seconds(1)) << "since when, not when last said";
  update.suppressed = false;
  ASSERT_TRUE(store().UpdateLead(update, kStart + absl::Seconds(3)).ok());
  EXPECT_FALSE(Lead().suppressed);
  EXPECT_EQ(Lead().suppressed_reason, "");
  EXPECT_EQ(Lead().suppressed_time, absl::InfinitePast());
}

TEST_P(CallStoreContract, TextsOfLeadsAreCleaned) {
  LeadRecord lead = MakeLead("l1");
  lead.name = "it's \"quoted\" 你好\xFF";
  lead.metadata = {{"k\xFF", "v\xFF"}};
  ASSERT_TRUE(store().CreateLead(lead).ok());
  EXPECT_TRUE(store().CreateLead(lead).ok()) << "still the same content";
  EXPECT_EQ(Lead().name, "it's \"quoted\" 你好\xEF\xBF\xBD");
  EXPECT_EQ(Lead().metadata.at("k\xEF\xBF\xBD"), "v\xEF\xBF\xBD");
  LeadUpdate same;
  same.lead_id = "l1";
  same.name = lead.name;
  same.metadata = lead.metadata;
  EXPECT_EQ(store().UpdateLead(same, kStart + absl::Hours(1))->revision, 1) << "as it is kept";
}

TEST_P(CallStoreContract, LeadsSurviveReopening) {
  ASSERT_TRUE(store().CreateLead(MakeLead("l1")).ok());
  LeadUpdate update;
  update.lead_id = "l1";
  update.suppressed = true;
  update.suppressed_reason = "asked";
  const auto before = store().UpdateLead(update, kStart);
  Reopen();
  EXPECT_EQ(Lead().revision, before->revision);
  EXPECT_TRUE(Lead().suppressed);
  EXPECT_TRUE(store().CreateLead(MakeLead("l1")).ok());
}

// --- List

TEST_P(CallStoreContract, LeadsAreListedNewestFirst) {
  for (int i = 0; i < 4; ++i) {
    LeadRecord lead = MakeLead(absl::StrCat("l", i), absl::StrCat("+1555000111", i));
    lead.create_time = kStart + absl::Seconds((i * 3) % 4);
    ASSERT_TRUE(store().CreateLead(lead).ok());
  }
  EXPECT_THAT(LeadIds({}), ElementsAre("l1", "l2", "l3", "l0"));
  EXPECT_THAT(LeadIds({}, 2), ElementsAre("l1", "l2"));
  EXPECT_EQ(store().ListLeads({}, absl::nullopt, 0).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(CallStoreContract, PagesOfLeadsHaveNoGapAndNoRepeat) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(store().CreateLead(MakeLead(absl::StrCat("l", i), absl::StrCat("+1555000111", i))).ok());
  }
  std::vector<std::string> seen;
  absl::optional<LeadPageKey> after;
  for (int page = 0; page < 9; ++page) {
    const auto leads = store().ListLeads({}, after, 2);
    ASSERT_TRUE(leads.ok());
    if (leads->empty()) break;
    for (const LeadRecord& lead : *leads) seen.push_back(lead.lead_id);
    after = LeadPageKey{leads->back().create_time, leads->back().lead_id};
  }
  EXPECT_THAT(seen, ElementsAre("l4", "l3", "l2", "l1", "l0")) << "equal times are in the order of the ids";
}

TEST_P(CallStoreContract, LeadsAreFiltered) {
  ASSERT_TRUE(store().CreateLead(MakeLead("fresh", "+15550001110")).ok());
  LeadRecord suppressed = MakeLead("suppressed", "+15550001112");
  suppressed.suppressed = true;
  ASSERT_TRUE(store().CreateLead(suppressed).ok());
  ASSERT_TRUE(store().CreateLead(MakeLead("called", "+15550001113")).ok());
  Create("c1", "+15550001113");
  End("c1");
  LeadFilter filter;
  filter.call_status = "called";
  EXPECT_THAT(LeadIds(filter), ElementsAre("called"));
  filter = {};
  filter.suppressed = true;
  EXPECT_THAT(LeadIds(filter), ElementsAre("suppressed"));
  filter.suppressed = false;
  EXPECT_THAT(LeadIds(filter), ElementsAre("fresh", "called"));
  filter = {};
  filter.updated_after = kStart + absl::Seconds(90);
  EXPECT_THAT(LeadIds(filter), ElementsAre("called")) << "inclusive: it ended then";
  filter.updated_after = kStart + absl::Seconds(91);
  EXPECT_THAT(LeadIds(filter), IsEmpty());
}

// --- What calls do to their lead

TEST_P(CallStoreContract, EachChangeByACallRaisesTheRevision) {
  Create("c1");
  int64_t last = Lead().revision;
  const auto expect_raised = [&](const char* what) {
    EXPECT_GT(Lead().revision, last) << what;
    last = Lead().revision;
  };
  Transfer("c1", true);
  expect_raised("a transfer");
  Transfer("c1", false);
  expect_raised("taken back");
  SetResult("c1", "interested");
  expect_raised("a result");
  End("c1");
  expect_raised("the end");
  CallRecord later = MakeCall("c2");
  later.create_time = kStart + absl::Hours(1);
  Create(later);
  expect_raised("the next call");
}

TEST_P(CallStoreContract, RepeatsOfAWriteDoNotTouchTheLead) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2});
  write.transferred = true;
  write.transfer_reason = "price";
  write.result = MakeResult();
  write.end = MakeEnd();
  ApplyOk(write);
  const LeadRecord before = Lead();
  ApplyOk(write);
  CallWrite without_events = write;
  without_events.events.clear();
  ApplyOk(without_events);
  ASSERT_TRUE(store().CreateCall(MakeCall("c1"), CreatedEvents("c1"), absl::nullopt).ok());
  EXPECT_EQ(Lead().revision, before.revision);
  EXPECT_EQ(Lead().update_time, before.update_time);
  EXPECT_EQ(Lead().call_status, "transferred");
}

TEST_P(CallStoreContract, ARefusedWriteDoesNotTouchTheLead) {
  Create("c1");
  const int64_t before = Lead().revision;
  CallWrite write = MakeWrite("c1", {7});
  write.transferred = true;
  EXPECT_FALSE(Apply(write).ok());
  EXPECT_EQ(Lead().revision, before);
}

TEST_P(CallStoreContract, TheLeadNamesTheCallThatWroteItsStatus) {
  Create("c1");
  Create("c2");
  EXPECT_EQ(Lead().status_call_id, "");
  End("c2");
  EXPECT_EQ(Lead().status_call_id, "c2");
  Transfer("c1", true);
  EXPECT_EQ(Lead().status_call_id, "c1");
  EXPECT_EQ(Lead().call_status, "transferred");
  Transfer("c1", false);
  EXPECT_EQ(Lead().status_call_id, "c1") << "an older call's taking back says nothing of the newest";
  EXPECT_EQ(Lead().last_call_id, "c2");
}

TEST_P(CallStoreContract, ACallThatRunsMakesAReadRevisionStale) {
  Create("c1");
  const LeadRecord read = Lead();
  End("c1");
  LeadUpdate update;
  update.lead_id = read.lead_id;
  update.name = "Bob";
  update.revision = read.revision;
  EXPECT_EQ(ReasonOf(store().UpdateLead(update, kStart).status()), "LEAD_CHANGED");
}

// --- Suppressed leads

TEST_P(CallStoreContract, ASuppressedLeadIsNotDialled) {
  LeadRecord lead = MakeLead("l1");
  lead.suppressed = true;
  ASSERT_TRUE(store().CreateLead(lead).ok());
  const absl::Status status =
      store().CreateCall(MakeOutbound("c1"), CreatedEvents("c1"), RequestKey{"crm", "r1", "f"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "LEAD_SUPPRESSED");
  EXPECT_EQ(base::GetErrorInfo(status).metadata.at("lead"), "l1");
  EXPECT_EQ(store().GetCall("c1").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(AllEvents(), IsEmpty());
  EXPECT_EQ(Lead().revision, 1) << "nothing is written";
  LeadUpdate update;
  update.lead_id = "l1";
  update.suppressed = false;
  ASSERT_TRUE(store().UpdateLead(update, kStart).ok());
  const auto allowed = store().CreateCall(MakeOutbound("c1"), CreatedEvents("c1"), RequestKey{"crm", "r1", "f"});
  ASSERT_TRUE(allowed.ok()) << "the refused request left no key";
  EXPECT_FALSE(allowed->existed);
}

TEST_P(CallStoreContract, ASuppressedLeadMayCallUs) {
  LeadRecord lead = MakeLead("l1");
  lead.suppressed = true;
  ASSERT_TRUE(store().CreateLead(lead).ok());
  EXPECT_EQ(Create("c1").lead_id, "l1");
}

TEST_P(CallStoreContract, SuppressingALeadLeavesItsOtherNumbersAlone) {
  LeadRecord lead = MakeLead("l1");
  lead.suppressed = true;
  ASSERT_TRUE(store().CreateLead(lead).ok());
  EXPECT_TRUE(store().CreateCall(MakeOutbound("c1", "+15552223333"), {}, absl::nullopt).ok());
}

TEST_P(CallStoreContract, ARepeatOfARequestIsAnsweredThoughItsLeadIsSuppressedNow) {
  const RequestKey key{"crm", "r1", "f"};
  ASSERT_TRUE(store().CreateCall(MakeOutbound("c1"), CreatedEvents("c1"), key).ok());
  LeadUpdate update;
  update.lead_id = Lead().lead_id;
  update.suppressed = true;
  ASSERT_TRUE(store().UpdateLead(update, kStart).ok());
  const auto again = store().CreateCall(MakeOutbound("c2"), CreatedEvents("c2"), key);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->existed);
  EXPECT_EQ(again->call.call_id, "c1");
}

}  // namespace callbridge::store
