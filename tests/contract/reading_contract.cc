#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/error.h"
#include "tests/contract/store_under_test.h"

// Promises about what comes back. Part of the contract of stores.
namespace callbridge::store {

// --- Reading calls

TEST_P(CallStoreContract, CallsThatAreNotThere) {
  EXPECT_EQ(store().GetCall("nobody").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().GetCall("").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().GetTranscript("nobody").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().ListTransfers("nobody").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().ReadCallEvents("nobody", 0, 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().GetCall("' OR 1 = 1 --").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, ListIsNewestFirst) {
  for (int i = 0; i < 5; ++i) {
    CallRecord call = MakeCall(absl::StrCat("c", i));
    call.create_time = kStart + absl::Microseconds((i * 3) % 5);
    Create(call);
  }
  EXPECT_THAT(Ids({}), ElementsAre("c3", "c1", "c4", "c2", "c0"));
  EXPECT_THAT(Ids({}, 2), ElementsAre("c3", "c1"));
}

TEST_P(CallStoreContract, PagesOfEqualTimesHaveNoGapAndNoRepeat) {
  for (int i = 0; i < 7; ++i) Create(absl::StrCat("c", i));
  std::vector<std::string> seen;
  absl::optional<CallPageKey> after;
  for (int page = 0; page < 10; ++page) {
    auto calls = store().ListCalls({}, after, 2);
    ASSERT_TRUE(calls.ok());
    if (calls->empty()) break;
    for (const CallRecord& call : *calls) seen.push_back(call.call_id);
    after = CallPageKey{calls->back().create_time, calls->back().call_id};
    // A newer call between the pages does not shift them.
    CallRecord newer = MakeCall(absl::StrCat("new", page));
    newer.create_time = kStart + absl::Hours(1);
    Create(newer);
  }
  EXPECT_THAT(seen, ElementsAre("c6", "c5", "c4", "c3", "c2", "c1", "c0"));
}

TEST_P(CallStoreContract, FilterByState) {
  Create("c1");
  Create("c2");
  Create("c3");
  End("c2");
  CallWrite write = MakeWrite("c3");
  write.state = call::State::kInProgress;
  ApplyOk(write);
  CallFilter filter;
  filter.states = {call::State::kCompleted};
  EXPECT_THAT(Ids(filter), ElementsAre("c2"));
  filter.states = {call::State::kRinging, call::State::kInProgress};
  EXPECT_THAT(Ids(filter), ElementsAre("c3", "c1"));
}

TEST_P(CallStoreContract, FilterByDirectionNumberAndLead) {
  Create("c1");
  CallRecord out = MakeCall("c2");
  out.direction = call::Direction::kOutbound;
  Create(out);
  Create("c3", "+15552223333");
  CallFilter outbound;
  outbound.direction = call::Direction::kOutbound;
  EXPECT_THAT(Ids(outbound), ElementsAre("c2"));
  CallFilter from;
  from.number = "+15552223333";
  EXPECT_THAT(Ids(from), ElementsAre("c3"));
  CallFilter to;
  to.number = "+15559990000";
  EXPECT_THAT(Ids(to), ElementsAre("c3", "c2", "c1"));
  CallFilter lead;
  lead.lead_id = Lead("+15552223333").lead_id;
  EXPECT_THAT(Ids(lead), ElementsAre("c3"));
  lead.direction = call::Direction::kOutbound;
  EXPECT_THAT(Ids(lead), IsEmpty());
}

TEST_P(CallStoreContract, FilterByLabelsThatAreAllThere) {
  const std::vector<std::map<std::string, std::string>> labels = {
      {}, {{"campaign", "spring"}}, {{"campaign", "spring"}, {"region", "it's"}}, {{"region", "spring"}}};
  for (size_t i = 0; i < labels.size(); ++i) {
    CallRecord call = MakeCall(absl::StrCat("c", i));
    call.labels = labels[i];
    Create(call);
  }
  CallFilter filter;
  filter.labels = {{"campaign", "spring"}};
  EXPECT_THAT(Ids(filter), ElementsAre("c2", "c1"));
  filter.labels = {{"campaign", "spring"}, {"region", "it's"}};
  EXPECT_THAT(Ids(filter), ElementsAre("c2"));
  filter.labels = {{"campaign", "spr"}};
  EXPECT_THAT(Ids(filter), IsEmpty());
  filter.labels = {{"campaign", "spring"}};
  filter.direction = call::Direction::kOutbound;
  EXPECT_THAT(Ids(filter), IsEmpty()) << "with the rest of the filter";
}

TEST_P(CallStoreContract, FilterByHowCallsEnded) {
  for (const char* const id : {"c1", "c2", "c3"}) Create(id);
  End("c2");
  CallWrite write = MakeWrite("c3");
  write.result.emplace();
  write.result->disposition = "callback";
  ApplyOk(write);
  CallFilter filter;
  filter.end_reasons = {Get("c2").termination->reason};
  EXPECT_THAT(Ids(filter), ElementsAre("c2"));
  filter.end_reasons = {call::EndReason::kBusy};
  EXPECT_THAT(Ids(filter), IsEmpty());
  filter = {};
  filter.dispositions = {"interested", "callback"};
  EXPECT_THAT(Ids(filter), ElementsAre("c3"));
}

TEST_P(CallStoreContract, UpdateCallWritesWhatIsTheClientsOwn) {
  CallRecord call = MakeCall("c1");
  call.metadata = {{"crm", "17"}, {"old", "1"}};
  call.labels = {{"campaign", "spring"}};
  Create(call);
  CallUpdate update;
  update.call_id = "c1";
  update.metadata = std::map<std::string, std::string>{{"crm", "18"}};
  auto changed = store().UpdateCall(update);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->metadata, *update.metadata) << "in place of all that was there";
  EXPECT_EQ(changed->labels, call.labels) << "not asked for";
  EXPECT_EQ(Get("c1").metadata, *update.metadata);
  End("c1");
  update.metadata = absl::nullopt;
  update.labels.emplace();
  changed = store().UpdateCall(update);
  ASSERT_TRUE(changed.ok()) << "of a call that is over, too: " << changed.status();
  EXPECT_THAT(changed->labels, IsEmpty());
  EXPECT_EQ(changed->state, call::State::kCompleted);
}

TEST_P(CallStoreContract, UpdateCallRefusesCallsThatAreNotThere) {
  CallUpdate update;
  update.call_id = "nobody";
  EXPECT_EQ(store().UpdateCall(update).status().code(), absl::StatusCode::kNotFound);
  Create("c1");
  End("c1");
  ASSERT_TRUE(store().EraseNumber("+15550001111", "test", kStart + absl::Hours(1)).ok());
  update.call_id = "c1";
  update.labels = std::map<std::string, std::string>{{"name", "Ada"}};
  const absl::Status erased = store().UpdateCall(update).status();
  EXPECT_EQ(erased.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(base::GetErrorInfo(erased).reason, "CALL_ERASED");
  EXPECT_THAT(Get("c1").labels, IsEmpty());
}

TEST_P(CallStoreContract, FilterByTimeIncludesItsBeginAndNotItsEnd) {
  for (int i = 0; i < 4; ++i) {
    CallRecord call = MakeCall(absl::StrCat("c", i));
    call.create_time = kStart + absl::Seconds(i);
    Create(call);
  }
  CallFilter filter;
  filter.created_after = kStart + absl::Seconds(1);
  filter.created_before = kStart + absl::Seconds(3);
  EXPECT_THAT(Ids(filter), ElementsAre("c2", "c1"));
  filter.created_before = absl::InfinitePast();
  EXPECT_THAT(Ids(filter), IsEmpty());
  filter.created_after = absl::InfiniteFuture();
  filter.created_before = absl::InfiniteFuture();
  EXPECT_THAT(Ids(filter), IsEmpty());
}

TEST_P(CallStoreContract, LimitsBelowOneAreRefused) {
  Create("c1");
  for (const int limit : {0, -1}) {
    EXPECT_EQ(store().ListCalls({}, absl::nullopt, limit).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store().ReadEvents(0, limit).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(store().ReadCallEvents("c1", 0, limit).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

// --- Transcript and transfers

TEST_P(CallStoreContract, TranscriptItemsKeepEveryField) {
  Create("c1");
  call::TranscriptItem item = MakeItem("i1", 4, "Good mor");
  item.role = call::Role::kAssistant;
  item.status = call::ItemStatus::kCut;
  item.text_generated = "Good morning";
  item.generated_ms = 1500;
  item.heard_ms = 700;
  item.basis = call::HeardBasis::kEstimated;
  item.start_time = kStart + absl::Microseconds(1);
  CallWrite write = MakeWrite("c1");
  write.transcript_items = {item};
  ApplyOk(write);
  const auto items = store().GetTranscript("c1");
  ASSERT_TRUE(items.ok());
  ASSERT_EQ(items->size(), 1);
  const call::TranscriptItem& got = (*items)[0];
  EXPECT_EQ(got.item_id, "i1");
  EXPECT_EQ(got.position, 4);
  EXPECT_EQ(got.role, call::Role::kAssistant);
  EXPECT_EQ(got.status, call::ItemStatus::kCut);
  EXPECT_EQ(got.text_generated, "Good morning");
  EXPECT_EQ(got.text_heard, "Good mor");
  EXPECT_EQ(got.generated_ms, 1500);
  EXPECT_EQ(got.heard_ms, 700);
  EXPECT_EQ(got.basis, call::HeardBasis::kEstimated);
  EXPECT_EQ(got.start_time, kStart + absl::Microseconds(1));
}

TEST_P(CallStoreContract, TranscriptIsInTheOrderOfTheConversation) {
  Create("c1");
  CallWrite write = MakeWrite("c1");
  write.transcript_items = {MakeItem("late", 3), MakeItem("first", 1), MakeItem("second", 2)};
  ApplyOk(write);
  write.transcript_items = {MakeItem("first", 9, "moved")};
  ApplyOk(write);
  const auto items = store().GetTranscript("c1");
  ASSERT_TRUE(items.ok());
  ASSERT_EQ(items->size(), 3);
  EXPECT_EQ((*items)[0].item_id, "second");
  EXPECT_EQ((*items)[1].item_id, "late");
  EXPECT_EQ((*items)[2].item_id, "first");
  EXPECT_EQ((*items)[2].text_heard, "moved");
}

TEST_P(CallStoreContract, EqualPositionsKeepTheOrderOfFirstWriting) {
  Create("c1");
  CallWrite write = MakeWrite("c1");
  write.transcript_items = {MakeItem("z", 1), MakeItem("a", 1)};
  ApplyOk(write);
  write.transcript_items = {MakeItem("z", 1, "again")};
  ApplyOk(write);
  const auto items = store().GetTranscript("c1");
  ASSERT_EQ(items->size(), 2);
  EXPECT_EQ((*items)[0].item_id, "z");
}

TEST_P(CallStoreContract, CallsShareItemIds) {
  Create("c1");
  Create("c2");
  for (const char* id : {"c1", "c2"}) {
    CallWrite write = MakeWrite(id);
    write.transcript_items = {MakeItem("i1", 1, id)};
    ApplyOk(write);
  }
  EXPECT_EQ((*store().GetTranscript("c1"))[0].text_heard, "c1");
  EXPECT_EQ((*store().GetTranscript("c2"))[0].text_heard, "c2");
}

TEST_P(CallStoreContract, TransfersAreReplacedByIdAndInTheOrderOfRequest) {
  Create("c1");
  call::Transfer transfer;
  transfer.transfer_id = "t2";
  transfer.destination = "sales";
  transfer.number = "sip:sales@example.com";
  transfer.reason = "price";
  transfer.requested_by = call::Party::kApi;
  transfer.request_time = kStart + absl::Seconds(20);
  CallWrite write = MakeWrite("c1");
  write.transfer = transfer;
  ApplyOk(write);
  write.transfer->transfer_id = "t1";
  write.transfer->request_time = kStart + absl::Seconds(10);
  ApplyOk(write);
  write.transfer = transfer;
  write.transfer->state = call::TransferState::kCompleted;
  write.transfer->outcome = call::TransferOutcome::kBridged;
  write.transfer->detail = "DialStatus completed";
  write.transfer->connect_time = kStart + absl::Seconds(30);
  write.transfer->end_time = kStart + absl::Seconds(40);
  write.transfer->attempts = {
      {"+1", call::TransferOutcome::kNoAnswer, "DialStatus \"no-answer\"", kStart, kStart + absl::Seconds(1)},
      {"+2", call::TransferOutcome::kPending, "", kStart + absl::Seconds(2)}};
  ApplyOk(write);
  const auto transfers = store().ListTransfers("c1");
  ASSERT_TRUE(transfers.ok());
  ASSERT_EQ(transfers->size(), 2);
  EXPECT_EQ((*transfers)[0].transfer_id, "t1");
  EXPECT_EQ((*transfers)[0].connect_time, absl::InfinitePast());
  const call::Transfer& got = (*transfers)[1];
  EXPECT_EQ(got.transfer_id, "t2");
  EXPECT_EQ(got.destination, "sales");
  EXPECT_EQ(got.number, "sip:sales@example.com");
  EXPECT_EQ(got.reason, "price");
  EXPECT_EQ(got.requested_by, call::Party::kApi);
  EXPECT_EQ(got.state, call::TransferState::kCompleted);
  EXPECT_EQ(got.outcome, call::TransferOutcome::kBridged);
  EXPECT_EQ(got.detail, "DialStatus completed");
  EXPECT_EQ(got.request_time, kStart + absl::Seconds(20));
  EXPECT_EQ(got.connect_time, kStart + absl::Seconds(30));
  EXPECT_EQ(got.end_time, kStart + absl::Seconds(40));
  EXPECT_THAT((*transfers)[0].attempts, IsEmpty());
  ASSERT_EQ(got.attempts.size(), 2);
  EXPECT_EQ(got.attempts[0].number, "+1");
  EXPECT_EQ(got.attempts[0].outcome, call::TransferOutcome::kNoAnswer);
  EXPECT_EQ(got.attempts[0].detail, "DialStatus \"no-answer\"");
  EXPECT_EQ(got.attempts[0].start_time, kStart);
  EXPECT_EQ(got.attempts[0].end_time, kStart + absl::Seconds(1));
  EXPECT_EQ(got.attempts[1].outcome, call::TransferOutcome::kPending);
  EXPECT_EQ(got.attempts[1].end_time, absl::InfinitePast());
}

TEST_P(CallStoreContract, ACallWithoutConversationHasEmptyLists) {
  Create("c1");
  EXPECT_THAT(*store().GetTranscript("c1"), IsEmpty());
  EXPECT_THAT(*store().ListTransfers("c1"), IsEmpty());
}

// --- Text

TEST_P(CallStoreContract, TextIsKeptAsItIs) {
  struct Row {
    const char* name;
    std::string text;
  };
  const Row rows[] = {{"empty", ""},
                      {"quotes", "it's \"quoted\"; DROP TABLE call_logs; --"},
                      {"unicode", "Grüße, 你好, 👋🏽, שלום"},
                      {"line breaks", "a\r\nb\n\tc"},
                      {"backslashes", "\\n \\u0041 \\"},
                      {"percent and braces", "%s {} ?1 :x $y"},
                      {"a megabyte", std::string(1 << 20, 'x')}};
  int number = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string id = absl::StrCat("c", ++number);
    CallRecord call = MakeCall(id, row.text);
    call.agent = row.text;
    call.metadata = {{"key", row.text}};
    Create(call);
    CallWrite write = MakeWrite(id);
    write.events = {MakeEvent(id, 2, call::SummaryReady{row.text, {}})};
    write.transcript_items = {MakeItem("i", 1, row.text)};
    write.end = MakeEnd();
    write.end->transcript = row.text;
    write.summary = row.text;
    ApplyOk(write);
    const CallRecord got = Get(id);
    EXPECT_EQ(got.from, row.text);
    EXPECT_EQ(got.agent, row.text);
    EXPECT_EQ(got.metadata.at("key"), row.text);
    EXPECT_EQ(got.transcript, row.text);
    EXPECT_EQ(got.summary, row.text);
    EXPECT_EQ((*store().GetTranscript(id))[0].text_heard, row.text);
    EXPECT_EQ(std::get<call::SummaryReady>(CallEvents(id, 1)[0].event.body).summary, row.text);
  }
}

TEST_P(CallStoreContract, WhatIsNotTextIsReplaced) {
  const std::string bad(
      "a\0b\xFF"
      "c",
      5);
  const std::string clean =
      "a\xEF\xBF\xBD"
      "b\xEF\xBF\xBD"
      "c";
  Create("c1");
  CallWrite write = MakeWrite("c1");
  write.events = {MakeEvent("c1", 2, call::SummaryReady{bad, {}})};
  write.summary = bad;
  write.transcript_items = {MakeItem("i", 1, bad)};
  ApplyOk(write);
  EXPECT_EQ(Get("c1").summary, clean);
  EXPECT_EQ((*store().GetTranscript("c1"))[0].text_heard, clean);
  EXPECT_EQ(std::get<call::SummaryReady>(CallEvents("c1", 1)[0].event.body).summary, clean);
}

}  // namespace callbridge::store
