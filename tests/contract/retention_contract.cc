#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/error.h"
#include "tests/contract/made_records.h"
#include "tests/contract/store_under_test.h"

// Promises about what is kept how long. Part of the contract of stores.
namespace callbridge::store {
namespace {

// Behind every end that MakeEnd() makes.
const absl::Time kLater = kStart + absl::Hours(1);

Retention KeepEventsFrom(absl::Time time) {
  Retention keep;
  keep.events = time;
  return keep;
}
Retention KeepTranscriptsFrom(absl::Time time) {
  Retention keep;
  keep.transcripts = time;
  return keep;
}
Retention KeepCallsFrom(absl::Time time) {
  Retention keep;
  keep.calls = time;
  return keep;
}
std::string OldestIn(const absl::Status& status) {
  const auto info = base::GetErrorInfo(status);
  return info.reason == "EVENTS_PURGED" && info.metadata.count("oldest") > 0 ? info.metadata.at("oldest") : "";
}

}  // namespace

TEST_P(CallStoreContract, NothingIsPurgedUnlessAsked) {
  Create("c1");
  ApplyOk(FullWrite("c1"));
  const auto purged = store().Purge({}, 10);
  ASSERT_TRUE(purged.ok()) << purged.status();
  EXPECT_EQ(purged->events + purged->transcripts + purged->calls, 0);
  EXPECT_FALSE(purged->more);
  EXPECT_EQ(AllEvents().size(), 3);
  EXPECT_EQ(*store().OldestPosition(), 0);
}

TEST_P(CallStoreContract, EventsOfFinishedCallsArePurged) {
  Create("c1");
  ApplyOk(MakeWrite("c1", {2, 3}));
  End("c1");
  const int64_t head = *store().HeadPosition();
  const auto purged = store().Purge(KeepEventsFrom(kLater), 10);
  ASSERT_TRUE(purged.ok()) << purged.status();
  EXPECT_EQ(purged->events, 3);
  EXPECT_EQ(*store().OldestPosition(), head);
  EXPECT_EQ(*store().HeadPosition(), head) << "positions are never used again";
  const CallRecord got = Get("c1");
  EXPECT_EQ(got.event_head, 3);
  EXPECT_EQ(got.event_floor, 3);
  EXPECT_EQ(got.transcript, MakeEnd().transcript) << "the call itself stays";
  EXPECT_EQ(store().Purge(KeepEventsFrom(kLater), 10)->events, 0);
}

TEST_P(CallStoreContract, WhatEndedLaterIsKept) {
  Create("c1");
  End("c1");
  EXPECT_EQ(store().Purge(KeepEventsFrom(MakeEnd().end_time), 10)->events, 0) << "exclusive";
  EXPECT_EQ(store().Purge(KeepEventsFrom(MakeEnd().end_time + absl::Microseconds(1)), 10)->events, 1);
}

TEST_P(CallStoreContract, CallsThatAreNotOverLoseNothing) {
  Create("c1");
  CallWrite write = MakeWrite("c1");
  write.transcript_items = {MakeItem("i1", 1)};
  ApplyOk(write);
  Retention all;
  all.events = all.transcripts = all.calls = absl::InfiniteFuture();
  const auto purged = store().Purge(all, 10);
  ASSERT_TRUE(purged.ok());
  EXPECT_EQ(purged->events + purged->transcripts + purged->calls, 0);
  EXPECT_EQ(AllEvents().size(), 1);
}

TEST_P(CallStoreContract, CallsThatWaitForTheirSummaryLoseNothing) {
  Create("c1");
  ApplyOk(Due("c1", {2}));
  Retention all;
  all.events = all.transcripts = all.calls = kLater;
  EXPECT_EQ(store().Purge(all, 10)->calls, 0);
  EXPECT_THAT(JobIds(), ElementsAre("c1"));
  EXPECT_EQ(CallEvents("c1").size(), 2);
  ApplyOk(Settled("c1", {3}));
  EXPECT_EQ(store().Purge(all, 10)->calls, 1);
}

TEST_P(CallStoreContract, ReadingPurgedEventsOfACallSaysWhereToBegin) {
  Create("c1");
  ApplyOk(MakeWrite("c1", {2, 3}));
  End("c1");
  ASSERT_TRUE(store().Purge(KeepEventsFrom(kLater), 10).ok());
  for (const int64_t after : {-1, 0, 2}) {
    const absl::Status status = store().ReadCallEvents("c1", after, 10).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange) << after;
    EXPECT_EQ(OldestIn(status), "3");
  }
  EXPECT_THAT(CallEvents("c1", 3), IsEmpty());
}

TEST_P(CallStoreContract, ReadingThePurgedLogSaysWhereToBegin) {
  Create("c1");
  End("c1");
  Create("c2", "+15552223333");
  const auto all = AllEvents();
  ASSERT_TRUE(store().Purge(KeepEventsFrom(kLater), 10).ok());
  for (const int64_t after : {int64_t{-1}, int64_t{0}, all[0].position - 1}) {
    const absl::Status status = store().ReadEvents(after, 10).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
    EXPECT_EQ(OldestIn(status), absl::StrCat(all[0].position));
  }
  const auto rest = AllEvents(all[0].position);
  ASSERT_EQ(rest.size(), 1);
  EXPECT_EQ(rest[0].position, all[1].position);
}

TEST_P(CallStoreContract, AnOlderCallIsReadAsItselfThoughTheLogBeginsLater) {
  Create("alive", "+15552223333");
  Create("c1");
  End("c1");
  ASSERT_TRUE(store().Purge(KeepEventsFrom(kLater), 10).ok());
  EXPECT_EQ(CallEvents("alive").size(), 1);
  EXPECT_THAT(AllEvents(*store().OldestPosition()), IsEmpty());
}

TEST_P(CallStoreContract, APurgedCallGoesOnBehindItsHead) {
  Create("c1");
  ApplyOk(MakeWrite("c1", {2}));
  End("c1");
  ASSERT_TRUE(store().Purge(KeepEventsFrom(kLater), 10).ok());
  std::vector<int64_t> positions;
  ASSERT_TRUE(store().Apply(MakeWrite("c1", {2, 3}), &positions).ok());
  ASSERT_EQ(positions.size(), 2);
  EXPECT_EQ(positions[0], 0) << "nobody knows it any more";
  EXPECT_GT(positions[1], *store().OldestPosition());
  EXPECT_THAT(Sequences(CallEvents("c1", 2)), ElementsAre(3));
  std::vector<int64_t> again;
  ASSERT_TRUE(store().Apply(MakeWrite("c1", {1, 2, 3}), &again).ok());
  EXPECT_THAT(again, ElementsAre(0, 0, positions[1]));
  EXPECT_EQ(Apply(MakeWrite("c1", {5})).code(), absl::StatusCode::kFailedPrecondition) << "still no gap";
}

TEST_P(CallStoreContract, PurgesAreBoundedAndLongestOverFirst) {
  for (int i = 0; i < 5; ++i) {
    const std::string id = absl::StrCat("c", i);
    Create(id);
    CallWrite write = MakeWrite(id);
    write.end = MakeEnd();
    write.end->end_time = kStart + absl::Seconds((i * 3) % 5);
    ApplyOk(write);
  }
  auto purged = store().Purge(KeepCallsFrom(kLater), 2);
  ASSERT_TRUE(purged.ok());
  EXPECT_EQ(purged->calls, 2);
  EXPECT_TRUE(purged->more);
  EXPECT_THAT(Ids({}), ElementsAre("c4", "c3", "c1")) << "c0 and c2 ended first";
  EXPECT_TRUE(store().Purge(KeepCallsFrom(kLater), 2)->more);
  purged = store().Purge(KeepCallsFrom(kLater), 2);
  EXPECT_EQ(purged->calls, 1);
  EXPECT_FALSE(purged->more);
  EXPECT_EQ(store().Purge({}, 0).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(CallStoreContract, APurgeOfTranscriptsTakesWhatWasSaid) {
  Create("c1");
  CallWrite write = FullWrite("c1");
  write.summary_due = false;
  ApplyOk(write);
  ASSERT_TRUE(store().AddTranscriptRead({"c1", "crm", kStart}).ok());
  const auto purged = store().Purge(KeepTranscriptsFrom(kLater), 10);
  ASSERT_TRUE(purged.ok()) << purged.status();
  EXPECT_EQ(purged->transcripts, 1);
  EXPECT_EQ(Get("c1").transcript, "");
  EXPECT_EQ(Get("c1").summary, "secret summary") << "stays with the call";
  EXPECT_THAT(*store().GetTranscript("c1"), IsEmpty());
  EXPECT_THAT(*store().ListTranscriptReads("c1", 10), IsEmpty());
  const auto events = CallEvents("c1");
  ASSERT_EQ(events.size(), 3);
  EXPECT_FALSE(events[0].erased);
  EXPECT_TRUE(events[1].erased) << "it quotes what was said";
  EXPECT_EQ(std::get<call::TranscriptItemFinal>(events[1].event.body).item.text_heard, "");
  EXPECT_FALSE(events[2].erased);
  EXPECT_EQ(store().Purge(KeepTranscriptsFrom(kLater), 10)->transcripts, 0) << "once";
}

TEST_P(CallStoreContract, APurgeOfCallsTakesAllThatBelongsToThem) {
  const RequestKey key{"crm", "r1", "f"};
  ASSERT_TRUE(store().CreateCall(MakeCall("c1"), CreatedEvents("c1"), key).ok());
  CallWrite write = FullWrite("c1");
  write.summary_due = false;
  ApplyOk(write);
  ASSERT_TRUE(store().AddTranscriptRead({"c1", "crm", kStart}).ok());
  Create("alive", "+15552223333");
  const int64_t head = *store().HeadPosition();
  const auto purged = store().Purge(KeepCallsFrom(kLater), 10);
  ASSERT_TRUE(purged.ok()) << purged.status();
  EXPECT_EQ(purged->calls, 1);
  EXPECT_EQ(purged->events, 3);
  EXPECT_EQ(store().GetCall("c1").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().GetTranscript("c1").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Ids({}), ElementsAre("alive"));
  EXPECT_EQ(Lead().call_status, "transferred") << "the person stays";
  EXPECT_EQ(*store().HeadPosition(), head);
  EXPECT_EQ(AllEvents(*store().OldestPosition()).size(), 1);
  EXPECT_EQ(Apply(MakeWrite("c1", {4})).code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, AResultAfterItsPredecessorWasPurgedIsTaken) {
  Create("c1");
  SetResult("c1", "first");
  End("c1");
  ASSERT_TRUE(store().Purge(KeepCallsFrom(kLater), 10).ok());
  Create("c2");
  SetResult("c2", "second");
  EXPECT_EQ(Lead().result.disposition, "second");
}

TEST_P(CallStoreContract, WhereTheLogBeginsSurvivesReopening) {
  Create("c1");
  End("c1");
  ASSERT_TRUE(store().Purge(KeepCallsFrom(kLater), 10).ok());
  const int64_t oldest = *store().OldestPosition();
  EXPECT_GT(oldest, 0);
  Reopen();
  EXPECT_EQ(*store().OldestPosition(), oldest);
  EXPECT_EQ(*store().HeadPosition(), oldest);
  Create("c2");
  EXPECT_GT(AllEvents(oldest).at(0).position, oldest);
}

}  // namespace callbridge::store
