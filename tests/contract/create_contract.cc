#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/error.h"
#include "tests/contract/store_under_test.h"

// Promises about making a call. Part of the contract of stores.
namespace callbridge::store {

TEST_P(CallStoreContract, CreateKeepsEveryField) {
  CallRecord call = MakeCall("c1");
  call.direction = call::Direction::kOutbound;
  call.state = call::State::kDialing;
  call.carrier_call_id = "carrier";
  call.carrier_request_id = "request";
  call.model_session_id = "session";
  call.answer_time = kStart + absl::Seconds(3);
  call.metadata = {{"crm", "17"}, {"", "empty key"}, {"quote\"", "it's"}};
  call.labels = {{"campaign", "spring"}, {"", "empty key"}, {"quote\"", "it's"}};
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
  EXPECT_EQ(got.labels, call.labels);
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

TEST_P(CallStoreContract, ARequestIsFoundByWhoMadeIt) {
  const RequestKey key{"crm", "r1", "f"};
  const auto none = store().FindRequest(key);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_FALSE(none->has_value());
  ASSERT_TRUE(store().CreateCall(MakeCall("c1"), CreatedEvents("c1"), key).ok());
  const auto found = store().FindRequest(key);
  ASSERT_TRUE(found.ok() && found->has_value()) << found.status();
  EXPECT_EQ((*found)->call_id, "c1");
  const auto others = store().FindRequest({"", "r1", "f"});
  ASSERT_TRUE(others.ok()) << others.status();
  EXPECT_FALSE(others->has_value());
  EXPECT_EQ(base::GetErrorInfo(store().FindRequest({"crm", "r1", "g"}).status()).reason, "REQUEST_ID_REUSED");
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

}  // namespace callbridge::store
