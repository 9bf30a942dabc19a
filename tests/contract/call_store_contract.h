#ifndef CALLBRIDGE_TESTS_CONTRACT_CALL_STORE_CONTRACT_H_
#define CALLBRIDGE_TESTS_CONTRACT_CALL_STORE_CONTRACT_H_

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/store/call_store.h"

// Every promise of src/store/call_store.h as tests, for every store. A store's test includes this file and
// instantiates:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, CallStoreContract, testing::Values(StoreFactory{...}));
namespace callbridge::store {

// Makes one database and opens it again and again.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  // Closes what was open before.
  virtual CallStore& Open() = 0;
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;  // A new, empty database.
};
inline void PrintTo(const StoreFactory& factory, std::ostream* out) { *out << factory.name; }

inline const absl::Time kStart = absl::FromUnixMicros(1'700'000'000'123'456);

inline call::Event MakeEvent(const std::string& call_id, int64_t sequence,
                             call::EventBody body = call::DtmfReceived{"5"}) {
  return {call_id, sequence, kStart + absl::Seconds(sequence), std::move(body)};
}

inline CallRecord MakeCall(const std::string& call_id, const std::string& from = "+15550001111") {
  CallRecord call;
  call.call_id = call_id;
  call.direction = call::Direction::kInbound;
  call.from = from;
  call.to = "+15559990000";
  call.agent = "front_desk";
  call.state = call::State::kRinging;
  call.create_time = kStart;
  return call;
}

inline std::vector<call::Event> CreatedEvents(const std::string& call_id) {
  call::CallCreated created;
  created.from = "+15550001111";
  created.to = "+15559990000";
  created.agent = "front_desk";
  return {MakeEvent(call_id, 1, created)};
}

inline CallWrite MakeWrite(const std::string& call_id, std::vector<int64_t> sequences = {}) {
  CallWrite write;
  write.call_id = call_id;
  for (const int64_t sequence : sequences) write.events.push_back(MakeEvent(call_id, sequence));
  return write;
}

inline CallWrite::End MakeEnd(call::EndReason reason = call::EndReason::kNormalHangup, bool failed = false) {
  CallWrite::End end;
  end.termination = {reason, call::Party::kCaller, call::Layer::kSignalling, "hangup cause 4000", true, failed};
  end.end_time = kStart + absl::Seconds(90);
  end.duration_seconds = 60;
  end.transcript = "Caller: hello\nAssistant: hi";
  return end;
}

inline call::TranscriptItem MakeItem(const std::string& item_id, int64_t position, const std::string& text = "hello") {
  call::TranscriptItem item;
  item.item_id = item_id;
  item.position = position;
  item.text_generated = text;
  item.text_heard = text;
  return item;
}

class CallStoreContract : public testing::TestWithParam<StoreFactory> {
 protected:
  CallStoreContract() : under_test_(GetParam().make()) { store_ = &under_test_->Open(); }

  CallStore& store() { return *store_; }
  void Reopen() { store_ = &under_test_->Open(); }

  // A call that exists, with its first event.
  CallRecord Create(const std::string& call_id, const std::string& from = "+15550001111") {
    return Create(MakeCall(call_id, from));
  }
  CallRecord Create(const CallRecord& call) {
    auto created = store().CreateCall(call, CreatedEvents(call.call_id), absl::nullopt);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.ok() ? created->call : CallRecord();
  }
  absl::Status Apply(const CallWrite& write) { return store().Apply(write, nullptr); }
  void ApplyOk(const CallWrite& write) {
    const absl::Status status = Apply(write);
    ASSERT_TRUE(status.ok()) << status;
  }
  void End(const std::string& call_id) {
    CallWrite write = MakeWrite(call_id);
    write.end = MakeEnd();
    ApplyOk(write);
  }
  void Transfer(const std::string& call_id, bool transferred, const std::string& reason = "wants a human") {
    CallWrite write = MakeWrite(call_id);
    write.transferred = transferred;
    write.transfer_reason = reason;
    ApplyOk(write);
  }
  CallRecord Get(const std::string& call_id) {
    auto call = store().GetCall(call_id);
    EXPECT_TRUE(call.ok()) << call.status();
    return call.ok() ? *call : CallRecord();
  }
  LeadRecord Lead(const std::string& phone = "+15550001111") {
    auto lead = store().FindLead(phone);
    EXPECT_TRUE(lead.ok()) << lead.status();
    return lead.ok() ? *lead : LeadRecord();
  }
  std::vector<events::StoredEvent> CallEvents(const std::string& call_id, int64_t after = 0, int limit = 1000) {
    auto events = store().ReadCallEvents(call_id, after, limit);
    EXPECT_TRUE(events.ok()) << events.status();
    return events.ok() ? *events : std::vector<events::StoredEvent>();
  }
  std::vector<events::StoredEvent> AllEvents(int64_t after = 0, int limit = 10000) {
    auto events = store().ReadEvents(after, limit);
    EXPECT_TRUE(events.ok()) << events.status();
    return events.ok() ? *events : std::vector<events::StoredEvent>();
  }
  std::vector<std::string> Ids(const CallFilter& filter, int limit = 100,
                               absl::optional<CallPageKey> after = absl::nullopt) {
    auto calls = store().ListCalls(filter, after, limit);
    EXPECT_TRUE(calls.ok()) << calls.status();
    std::vector<std::string> ids;
    for (const CallRecord& call : calls.ok() ? *calls : std::vector<CallRecord>()) ids.push_back(call.call_id);
    return ids;
  }
  static std::vector<int64_t> Sequences(const std::vector<events::StoredEvent>& events) {
    std::vector<int64_t> sequences;
    for (const events::StoredEvent& stored : events) sequences.push_back(stored.event.sequence);
    return sequences;
  }

 private:
  std::unique_ptr<StoreUnderTest> under_test_;
  CallStore* store_ = nullptr;
};

using testing::ElementsAre;
using testing::IsEmpty;

// --- CreateCall

TEST_P(CallStoreContract, CreateKeepsEveryField) {
  CallRecord call = MakeCall("c1");
  call.direction = call::Direction::kOutbound;
  call.state = call::State::kDialing;
  call.carrier_call_id = "carrier";
  call.carrier_request_id = "request";
  call.model_session_id = "session";
  call.answer_time = kStart + absl::Seconds(3);
  call.metadata = {{"crm", "17"}, {"", "empty key"}, {"quote\"", "it's"}};
  Create(call);
  const CallRecord got = Get("c1");
  EXPECT_EQ(got.direction, call::Direction::kOutbound);
  EXPECT_EQ(got.from, "+15550001111");
  EXPECT_EQ(got.to, "+15559990000");
  EXPECT_EQ(got.agent, "front_desk");
  EXPECT_EQ(got.state, call::State::kDialing);
  EXPECT_EQ(got.carrier_call_id, "carrier");
  EXPECT_EQ(got.carrier_request_id, "request");
  EXPECT_EQ(got.model_session_id, "session");
  EXPECT_EQ(got.create_time, kStart);
  EXPECT_EQ(got.answer_time, kStart + absl::Seconds(3));
  EXPECT_EQ(got.metadata, call.metadata);
  EXPECT_EQ(got.event_head, 1);
}

TEST_P(CallStoreContract, ANewCallHasNoEnd) {
  Create("c1");
  const CallRecord got = Get("c1");
  EXPECT_FALSE(got.termination.has_value());
  EXPECT_EQ(got.answer_time, absl::InfinitePast());
  EXPECT_EQ(got.end_time, absl::InfinitePast());
  EXPECT_EQ(got.duration_seconds, 0);
  EXPECT_FALSE(got.transferred);
  EXPECT_EQ(got.transcript, "");
  EXPECT_EQ(got.summary, "");
}

TEST_P(CallStoreContract, CreateReturnsWhatItStored) {
  auto created = store().CreateCall(MakeCall("c1"), CreatedEvents("c1"), absl::nullopt);
  ASSERT_TRUE(created.ok());
  EXPECT_FALSE(created->existed);
  EXPECT_EQ(created->call.event_head, 1);
  EXPECT_EQ(created->call.lead_id, Lead().lead_id);
  ASSERT_EQ(created->events.size(), 1);
  EXPECT_EQ(created->events[0].position, AllEvents()[0].position);
}

TEST_P(CallStoreContract, CreatedEventNamesTheLead) {
  Create("c1");
  const auto events = CallEvents("c1");
  ASSERT_EQ(events.size(), 1);
  EXPECT_EQ(std::get<call::CallCreated>(events[0].event.body).lead_id, Lead().lead_id);
}

TEST_P(CallStoreContract, CreateWithoutEventsStartsAtOne) {
  ASSERT_TRUE(store().CreateCall(MakeCall("c1"), {}, absl::nullopt).ok());
  EXPECT_EQ(Get("c1").event_head, 0);
  ApplyOk(MakeWrite("c1", {1}));
  EXPECT_EQ(Get("c1").event_head, 1);
}

TEST_P(CallStoreContract, CreateOfAKnownCallChangesNothing) {
  Create("c1");
  CallRecord other = MakeCall("c1", "+15557778888");
  other.agent = "another";
  auto created = store().CreateCall(other, CreatedEvents("c1"), absl::nullopt);
  ASSERT_TRUE(created.ok());
  EXPECT_TRUE(created->existed);
  EXPECT_EQ(created->call.agent, "front_desk");
  EXPECT_THAT(created->events, IsEmpty());
  EXPECT_EQ(AllEvents().size(), 1);
  EXPECT_EQ(store().FindLead("+15557778888").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, CreateRefusesBadValues) {
  const auto code = [this](const CallRecord& call, std::vector<call::Event> events) {
    return store().CreateCall(call, events, absl::nullopt).status().code();
  };
  CallRecord timeless = MakeCall("c1");
  timeless.create_time = absl::InfinitePast();
  EXPECT_EQ(code(MakeCall(""), {}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(timeless, {}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(MakeCall("c1"), {MakeEvent("c1", 2)}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(MakeCall("c1"), {MakeEvent("c2", 1)}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(MakeCall("c1"), {MakeEvent("c1", 1), MakeEvent("c1", 3)}), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Ids({}), IsEmpty());
}

TEST_P(CallStoreContract, TheSameRequestMakesOneCall) {
  const RequestKey key{"crm", "r1", "f"};
  ASSERT_TRUE(store().CreateCall(MakeCall("c1"), CreatedEvents("c1"), key).ok());
  auto again = store().CreateCall(MakeCall("c2"), CreatedEvents("c2"), key);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->existed);
  EXPECT_EQ(again->call.call_id, "c1");
  EXPECT_EQ(store().GetCall("c2").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, ARequestOfAnotherContentIsRefused) {
  ASSERT_TRUE(store().CreateCall(MakeCall("c1"), {}, RequestKey{"crm", "r1", "f"}).ok());
  auto other = store().CreateCall(MakeCall("c2"), {}, RequestKey{"crm", "r1", "g"});
  EXPECT_EQ(other.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(base::GetErrorInfo(other.status()).reason, "REQUEST_ID_REUSED");
  EXPECT_EQ(store().GetCall("c2").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(CallStoreContract, RequestsOfOthersDoNotMeet) {
  ASSERT_TRUE(store().CreateCall(MakeCall("c1"), {}, RequestKey{"", "r1", "f"}).ok());
  auto other = store().CreateCall(MakeCall("c2"), {}, RequestKey{"crm", "r1", "g"});
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(other->existed);
}

TEST_P(CallStoreContract, ConcurrentDuplicatesMakeOneCall) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const RequestKey key{"crm", absl::StrCat("r", round), "f"};
    std::vector<std::string> ids(kThreads);
    std::atomic<int> made{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const std::string id = absl::StrCat("c", round, "-", t);
        auto created = store().CreateCall(MakeCall(id), CreatedEvents(id), key);
        if (!created.ok()) return;
        ids[t] = created->call.call_id;
        if (!created->existed) ++made;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(made, 1);
    EXPECT_THAT(ids, testing::Each(ids[0]));
    EXPECT_NE(ids[0], "");
  }
  EXPECT_EQ(Ids({}).size(), kRounds);
}

// --- Leads

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

// --- Apply: events

TEST_P(CallStoreContract, ApplyToAnUnknownCall) {
  EXPECT_EQ(Apply(MakeWrite("nobody", {1})).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Apply(MakeWrite("nobody")).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(AllEvents(), IsEmpty());
}

TEST_P(CallStoreContract, EventsComeBackAsTheyWere) {
  Create("c1");
  call::BargeIn barge_in{"item", 120, 900, call::HeardBasis::kAcknowledged};
  CallWrite write = MakeWrite("c1");
  write.events = {MakeEvent("c1", 2, barge_in)};
  ApplyOk(write);
  const auto events = CallEvents("c1", 1);
  ASSERT_EQ(events.size(), 1);
  EXPECT_EQ(events[0].event.call_id, "c1");
  EXPECT_EQ(events[0].event.sequence, 2);
  EXPECT_EQ(events[0].event.time, kStart + absl::Seconds(2));
  const auto& got = std::get<call::BargeIn>(events[0].event.body);
  EXPECT_EQ(got.item_id, "item");
  EXPECT_EQ(got.heard_ms, 120);
  EXPECT_EQ(got.received_ms, 900);
  EXPECT_EQ(got.basis, call::HeardBasis::kAcknowledged);
}

TEST_P(CallStoreContract, AGapIsRefusedAndWritesNothing) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {3});
  write.summary = "must not be there";
  EXPECT_EQ(Apply(write).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Get("c1").event_head, 1);
  EXPECT_EQ(Get("c1").summary, "");
  EXPECT_EQ(AllEvents().size(), 1);
}

TEST_P(CallStoreContract, ARepeatChangesNothing) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2, 3});
  write.summary = "first";
  ApplyOk(write);
  write.summary = "second";
  ApplyOk(write);
  EXPECT_EQ(Get("c1").summary, "first");
  EXPECT_THAT(Sequences(CallEvents("c1")), ElementsAre(1, 2, 3));
}

TEST_P(CallStoreContract, ARepeatWithMoreAddsTheRest) {
  Create("c1");
  ApplyOk(MakeWrite("c1", {2, 3}));
  CallWrite write = MakeWrite("c1", {2, 3, 4});
  write.summary = "new";
  ApplyOk(write);
  EXPECT_THAT(Sequences(CallEvents("c1")), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(Get("c1").summary, "new");
}

TEST_P(CallStoreContract, ARepeatOfAnotherTypeIsRefused) {
  Create("c1");
  ApplyOk(MakeWrite("c1", {2}));
  CallWrite write = MakeWrite("c1");
  write.events = {MakeEvent("c1", 2, call::StreamLost{"1006"})};
  EXPECT_EQ(Apply(write).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(CallStoreContract, PositionsAreThoseOfTheLog) {
  Create("c1");
  std::vector<int64_t> positions = {99};
  ASSERT_TRUE(store().Apply(MakeWrite("c1", {2, 3}), &positions).ok());
  const auto events = CallEvents("c1", 1);
  ASSERT_EQ(events.size(), 2);
  EXPECT_THAT(positions, ElementsAre(events[0].position, events[1].position));
  std::vector<int64_t> again;
  ASSERT_TRUE(store().Apply(MakeWrite("c1", {2, 3}), &again).ok());
  EXPECT_EQ(again, positions);
}

TEST_P(CallStoreContract, AWriteWithoutEventsHasNoPositions) {
  Create("c1");
  std::vector<int64_t> positions = {99};
  ASSERT_TRUE(store().Apply(MakeWrite("c1"), &positions).ok());
  EXPECT_THAT(positions, IsEmpty());
}

TEST_P(CallStoreContract, ApplyRefusesBadValues) {
  Create("c1");
  CallWrite nameless_item = MakeWrite("c1");
  nameless_item.transcript_items = {MakeItem("", 1)};
  CallWrite nameless_transfer = MakeWrite("c1");
  nameless_transfer.transfer.emplace();
  CallWrite endless = MakeWrite("c1");
  endless.end = MakeEnd();
  endless.end->end_time = absl::InfiniteFuture();
  CallWrite timeless = MakeWrite("c1", {2});
  timeless.events[0].time = absl::InfinitePast();
  CallWrite foreign = MakeWrite("c1");
  foreign.events = {MakeEvent("c2", 2)};
  for (const CallWrite& write : {MakeWrite(""), MakeWrite("c1", {0}), MakeWrite("c1", {2, 4}), MakeWrite("c1", {3, 2}),
                                 nameless_item, nameless_transfer, endless, timeless, foreign}) {
    EXPECT_EQ(Apply(write).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(Get("c1").event_head, 1);
}

// --- Apply: fields

TEST_P(CallStoreContract, ApplySetsTheFieldsThatAreGiven) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {2});
  write.state = call::State::kAnswered;
  write.answer_time = kStart + absl::Seconds(5);
  write.carrier_call_id = "uuid";
  write.carrier_request_id = "request";
  write.model_session_id = "session";
  ApplyOk(write);
  ApplyOk(MakeWrite("c1", {3}));
  const CallRecord got = Get("c1");
  EXPECT_EQ(got.state, call::State::kAnswered);
  EXPECT_EQ(got.answer_time, kStart + absl::Seconds(5));
  EXPECT_EQ(got.carrier_call_id, "uuid");
  EXPECT_EQ(got.carrier_request_id, "request");
  EXPECT_EQ(got.model_session_id, "session");
  EXPECT_EQ(got.event_head, 3);
}

TEST_P(CallStoreContract, AnEndSetsAllOfIt) {
  Create("c1");
  End("c1");
  const CallRecord got = Get("c1");
  EXPECT_EQ(got.state, call::State::kCompleted);
  EXPECT_EQ(got.end_time, kStart + absl::Seconds(90));
  EXPECT_EQ(got.duration_seconds, 60);
  EXPECT_EQ(got.transcript, "Caller: hello\nAssistant: hi");
  ASSERT_TRUE(got.termination.has_value());
  EXPECT_EQ(got.termination->reason, call::EndReason::kNormalHangup);
  EXPECT_EQ(got.termination->initiator, call::Party::kCaller);
  EXPECT_EQ(got.termination->layer, call::Layer::kSignalling);
  EXPECT_EQ(got.termination->evidence, "hangup cause 4000");
  EXPECT_TRUE(got.termination->retryable);
  EXPECT_FALSE(got.termination->failed);
}

TEST_P(CallStoreContract, AFailedEndMakesAFailedCall) {
  Create("c1");
  CallWrite write = MakeWrite("c1");
  write.state = call::State::kCompleted;
  write.end = MakeEnd(call::EndReason::kBusy, /*failed=*/true);
  ApplyOk(write);
  EXPECT_EQ(Get("c1").state, call::State::kFailed);
  EXPECT_TRUE(Get("c1").termination->failed);
}

TEST_P(CallStoreContract, TheFirstEndWins) {
  Create("c1");
  End("c1");
  CallWrite second = MakeWrite("c1", {2});
  second.end = MakeEnd(call::EndReason::kInternalError, /*failed=*/true);
  second.end->transcript = "other";
  second.end->duration_seconds = 1;
  ApplyOk(second);
  const CallRecord got = Get("c1");
  EXPECT_EQ(got.termination->reason, call::EndReason::kNormalHangup);
  EXPECT_EQ(got.state, call::State::kCompleted);
  EXPECT_EQ(got.transcript, "Caller: hello\nAssistant: hi");
  EXPECT_EQ(got.duration_seconds, 60);
  EXPECT_EQ(got.event_head, 2) << "its events are kept";
}

TEST_P(CallStoreContract, AnEndedCallIsNotOpenedAgain) {
  Create("c1");
  End("c1");
  CallWrite write = MakeWrite("c1");
  write.state = call::State::kInProgress;
  ApplyOk(write);
  EXPECT_EQ(Get("c1").state, call::State::kCompleted);
}

TEST_P(CallStoreContract, ALaterTranscriptReplacesTheFirst) {
  Create("c1");
  End("c1");
  CallWrite write = MakeWrite("c1");
  write.transcript = "better";
  ApplyOk(write);
  EXPECT_EQ(Get("c1").transcript, "better");
}

TEST_P(CallStoreContract, ATranscriptBesideTheEndIsTheBetterOne) {
  Create("c1");
  CallWrite write = MakeWrite("c1");
  write.end = MakeEnd();
  write.transcript = "better";
  ApplyOk(write);
  EXPECT_EQ(Get("c1").transcript, "better");
}

TEST_P(CallStoreContract, ASummaryComesAfterTheEnd) {
  Create("c1");
  End("c1");
  CallWrite write = MakeWrite("c1");
  write.summary = "They greeted each other.";
  ApplyOk(write);
  EXPECT_EQ(Get("c1").summary, "They greeted each other.");
  EXPECT_EQ(Get("c1").transcript, "Caller: hello\nAssistant: hi");
}

TEST_P(CallStoreContract, AFailedWriteLeavesNothingBehind) {
  Create("c1");
  CallWrite write = MakeWrite("c1", {5});
  write.transcript_items = {MakeItem("i1", 1)};
  write.transferred = true;
  write.end = MakeEnd();
  EXPECT_FALSE(Apply(write).ok());
  EXPECT_THAT(*store().GetTranscript("c1"), IsEmpty());
  EXPECT_EQ(Lead().call_status, "new");
  EXPECT_FALSE(Get("c1").termination.has_value());
}

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
}

TEST_P(CallStoreContract, ACallWithoutConversationHasEmptyLists) {
  Create("c1");
  EXPECT_THAT(*store().GetTranscript("c1"), IsEmpty());
  EXPECT_THAT(*store().ListTransfers("c1"), IsEmpty());
}

// --- The log

TEST_P(CallStoreContract, AnEmptyLog) {
  EXPECT_EQ(*store().HeadPosition(), 0);
  EXPECT_THAT(AllEvents(), IsEmpty());
}

TEST_P(CallStoreContract, ReadCallEventsPages) {
  Create("c1");
  ApplyOk(MakeWrite("c1", {2, 3, 4}));
  EXPECT_THAT(Sequences(CallEvents("c1", 0, 3)), ElementsAre(1, 2, 3));
  EXPECT_THAT(Sequences(CallEvents("c1", 3, 3)), ElementsAre(4));
  EXPECT_THAT(CallEvents("c1", 4), IsEmpty());
  EXPECT_THAT(CallEvents("c1", 1000), IsEmpty());
  EXPECT_THAT(Sequences(CallEvents("c1", -5, 1)), ElementsAre(1));
}

TEST_P(CallStoreContract, ReadEventsIsTheLogOfAllCalls) {
  Create("c1");
  Create("c2");
  ApplyOk(MakeWrite("c1", {2}));
  const auto all = AllEvents();
  ASSERT_EQ(all.size(), 3);
  EXPECT_EQ(all[0].event.call_id, "c1");
  EXPECT_EQ(all[1].event.call_id, "c2");
  EXPECT_EQ(all[2].event.call_id, "c1");
  EXPECT_LT(all[0].position, all[1].position);
  EXPECT_LT(all[1].position, all[2].position);
  EXPECT_GE(all[0].position, 1);
  EXPECT_EQ(*store().HeadPosition(), all[2].position);
  EXPECT_EQ(AllEvents(all[0].position).size(), 2);
  EXPECT_EQ(AllEvents(all[0].position, 1)[0].position, all[1].position);
  EXPECT_THAT(AllEvents(all[2].position), IsEmpty());
}

TEST_P(CallStoreContract, RefusedWritesDoNotShowInTheLog) {
  Create("c1");
  const int64_t head = *store().HeadPosition();
  EXPECT_FALSE(Apply(MakeWrite("c1", {7})).ok());
  EXPECT_EQ(*store().HeadPosition(), head);
}

// A tailing reader sees each event of concurrent writers exactly once and in order.
TEST_P(CallStoreContract, ATailMissesNothingOfConcurrentWriters) {
  constexpr int kWriters = 3;
  constexpr int kWrites = 40;
  for (int w = 0; w < kWriters; ++w) Create(absl::StrCat("c", w));
  std::atomic<int> running{kWriters};
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const std::string id = absl::StrCat("c", w);
      for (int i = 0; i < kWrites; ++i) EXPECT_TRUE(Apply(MakeWrite(id, {2 * i + 2, 2 * i + 3})).ok());
      --running;
    });
  }
  std::vector<events::StoredEvent> seen;
  for (bool last = false; !last;) {
    last = running == 0;  // One more read after the last write.
    for (size_t before = 0; before != seen.size() + 1;) {
      before = seen.size() + 1;
      auto more = store().ReadEvents(seen.empty() ? 0 : seen.back().position, 7);
      ASSERT_TRUE(more.ok());
      seen.insert(seen.end(), more->begin(), more->end());
    }
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_EQ(seen.size(), kWriters * (1 + 2 * kWrites));
  std::map<std::string, int64_t> heads;
  for (size_t i = 0; i < seen.size(); ++i) {
    EXPECT_LT(i == 0 ? 0 : seen[i - 1].position, seen[i].position);
    EXPECT_EQ(seen[i].event.sequence, ++heads[seen[i].event.call_id]);
  }
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
    write.events = {MakeEvent(id, 2, call::SummaryReady{row.text})};
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
  write.events = {MakeEvent("c1", 2, call::SummaryReady{bad})};
  write.summary = bad;
  write.transcript_items = {MakeItem("i", 1, bad)};
  ApplyOk(write);
  EXPECT_EQ(Get("c1").summary, clean);
  EXPECT_EQ((*store().GetTranscript("c1"))[0].text_heard, clean);
  EXPECT_EQ(std::get<call::SummaryReady>(CallEvents("c1", 1)[0].event.body).summary, clean);
}

// --- Ghosts

TEST_P(CallStoreContract, GhostsAreClosedOnce) {
  Create("ringing");
  Create("done");
  End("done");
  Create("talking");
  CallWrite write = MakeWrite("talking", {2});
  write.state = call::State::kInProgress;
  write.carrier_call_id = "uuid";
  write.answer_time = kStart + absl::Seconds(10);
  write.transcript_items = {MakeItem("i2", 2, "Hi\nthere"), MakeItem("i1", 1, "Hello"), MakeItem("unheard", 3, "")};
  write.transcript_items[0].role = call::Role::kAssistant;
  ApplyOk(write);
  const call::Termination lost{
      call::EndReason::kProcessLost, call::Party::kSystem, call::Layer::kProcess, "found at start", true, true};
  auto closed = store().CloseOpenCalls(lost, kStart + absl::Seconds(70));
  ASSERT_TRUE(closed.ok()) << closed.status();
  ASSERT_EQ(closed->size(), 2);
  const OpenCall& talking = (*closed)[0].call_id == "talking" ? (*closed)[0] : (*closed)[1];
  EXPECT_EQ(talking.carrier_call_id, "uuid");
  EXPECT_EQ(talking.state, call::State::kInProgress);

  const CallRecord got = Get("talking");
  EXPECT_EQ(got.state, call::State::kFailed);
  EXPECT_EQ(got.termination->reason, call::EndReason::kProcessLost);
  EXPECT_EQ(got.end_time, kStart + absl::Seconds(70));
  EXPECT_EQ(got.duration_seconds, 60);
  EXPECT_EQ(got.transcript, "Caller: Hello\nAssistant: Hi there");
  EXPECT_EQ(Get("ringing").duration_seconds, 0);
  EXPECT_EQ(Get("done").termination->reason, call::EndReason::kNormalHangup);

  const auto events = CallEvents("talking", 2);
  ASSERT_EQ(events.size(), 2);
  const auto& changed = std::get<call::StateChanged>(events[0].event.body);
  EXPECT_EQ(changed.from, call::State::kInProgress);
  EXPECT_EQ(changed.to, call::State::kFailed);
  const auto& ended = std::get<call::CallEnded>(events[1].event.body);
  EXPECT_EQ(ended.termination.reason, call::EndReason::kProcessLost);
  EXPECT_EQ(ended.duration_seconds, 60);
  EXPECT_EQ(events[1].event.time, kStart + absl::Seconds(70));
  EXPECT_EQ(got.event_head, 4);

  EXPECT_THAT(*store().CloseOpenCalls(lost, kStart + absl::Seconds(80)), IsEmpty());
  EXPECT_EQ(Get("talking").event_head, 4);
}

TEST_P(CallStoreContract, GhostsLeaveTheirLeadCalledOrTransferred) {
  Create("c1");
  Create("c2", "+15552223333");
  Transfer("c2", true);
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, kStart).ok());
  EXPECT_EQ(Lead("+15550001111").call_status, "called");
  EXPECT_EQ(Lead("+15552223333").call_status, "transferred");
}

TEST_P(CallStoreContract, AGhostIsNotOverBeforeItBegan) {
  CallRecord call = MakeCall("c1");
  call.answer_time = kStart + absl::Seconds(5);
  Create(call);
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, kStart - absl::Hours(1)).ok());
  EXPECT_EQ(Get("c1").end_time, kStart + absl::Seconds(5));
  EXPECT_EQ(Get("c1").duration_seconds, 0);
}

TEST_P(CallStoreContract, WritesOfAGhostsOldOwnerDoNotReopenIt) {
  Create("c1");
  ASSERT_TRUE(store().CloseOpenCalls(MakeEnd().termination, kStart).ok());
  CallWrite write = MakeWrite("c1", {2});
  write.state = call::State::kAnswered;
  EXPECT_EQ(Apply(write).code(), absl::StatusCode::kFailedPrecondition) << "sequence 2 is the StateChanged of the end";
  EXPECT_TRUE(call::IsFinal(Get("c1").state));
}

TEST_P(CallStoreContract, ClosingAnEmptyStore) {
  EXPECT_THAT(*store().CloseOpenCalls(MakeEnd().termination, kStart), IsEmpty());
}

// --- Durability

TEST_P(CallStoreContract, EverythingIsThereAfterReopening) {
  const RequestKey key{"crm", "r1", "f"};
  ASSERT_TRUE(store().CreateCall(MakeCall("c1"), CreatedEvents("c1"), key).ok());
  CallWrite write = MakeWrite("c1", {2, 3});
  write.transcript_items = {MakeItem("i1", 1)};
  write.transferred = true;
  write.end = MakeEnd();
  ApplyOk(write);
  const auto before = AllEvents();
  Reopen();
  const auto after = AllEvents();
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].position, before[i].position);
  EXPECT_EQ(Get("c1").termination->reason, call::EndReason::kNormalHangup);
  EXPECT_EQ(store().GetTranscript("c1")->size(), 1);
  EXPECT_EQ(Lead().call_status, "transferred");
  EXPECT_TRUE(store().CreateCall(MakeCall("c2"), {}, key)->existed);
  std::vector<int64_t> positions;
  CallWrite next = MakeWrite("c1", {4});
  ASSERT_TRUE(store().Apply(next, &positions).ok());
  EXPECT_GT(positions.at(0), before.back().position);
}

}  // namespace callbridge::store

#endif  // CALLBRIDGE_TESTS_CONTRACT_CALL_STORE_CONTRACT_H_
