// What may keep StartCall from dialling, and that EvaluateStart says the same beforehand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "src/base/error.h"
#include "src/net/manual_loop.h"
#include "src/session/switchboard.h"
#include "tests/fakes/fake_ws_connection.h"
#include "tests/fakes/memory_call_store.h"

namespace callbridge::session {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kNumber[] = "+14155550122";

class FakeCarrier final : public carrier::CarrierApi {
 public:
  absl::StatusOr<std::string> Place(const Dial& dial) override {
    placed.push_back(dial.to);
    return std::string("request");
  }
  absl::Status HangUp(absl::string_view) override { return absl::OkStatus(); }
  absl::Status Transfer(absl::string_view, absl::string_view) override { return absl::OkStatus(); }

  std::vector<std::string> placed;
};

class DiallingTest : public ::testing::Test {
 protected:
  DiallingTest() {
    settings_.public_url = "https://bridge.example.com";
    settings_.model_url = "wss://model/v1/realtime";
    settings_.agents["desk"].caller_id = "+14155550100";
    settings_.agents["mute"];
    settings_.default_agent = "desk";
    settings_.allowed_prefixes = {"+1415555"};
    tools_.loop = &loop_;
    tools_.connector = &model_;
  }
  ~DiallingTest() override {
    Settle();
    board_.reset();
    executor_.RunAll();
  }

  // With the settings as they are now.
  void Open() {
    Switchboard::Deps deps;
    deps.loops = {&tools_};
    deps.recorder = &recorder_;
    deps.carrier = &carrier_;
    deps.carrier_executor = &carrier_executor_;
    deps.find_call = [this](const std::string& id, auto done) { done(store_.GetCall(id)); };
    deps.find_lead = [this](const std::string& phone, auto done) { done(store_.FindLead(phone)); };
    deps.list_calls = [this](const store::CallFilter& filter, int limit, auto done) {
      done(store_.ListCalls(filter, absl::nullopt, limit));
    };
    deps.find_request = [this](const store::RequestKey& key, auto done) { done(store_.FindRequest(key)); };
    board_ = std::make_unique<Switchboard>(settings_, std::move(deps));
  }

  void Settle() {
    for (int i = 0; i < 10; ++i) loop_.Run(), carrier_executor_.RunAll(), executor_.RunAll();
  }

  static CallControl::StartRequest To(const std::string& number, const std::string& request_id = "",
                                      const std::string& fingerprint = "f") {
    CallControl::StartRequest request;
    request.to = number;
    if (!request_id.empty()) request.key = store::RequestKey{"crm", request_id, fingerprint};
    return request;
  }
  absl::StatusOr<store::CallRecord> Start(const CallControl::StartRequest& request) {
    absl::StatusOr<store::CallRecord> answer = absl::UnknownError("never answered");
    board_->StartCall(request, [&](auto result) { answer = std::move(result); });
    Settle();
    return answer;
  }
  std::vector<std::string> Evaluate(const CallControl::StartRequest& request) {
    std::vector<std::string> reasons = {"never answered"};
    board_->EvaluateStart(request, [&](const absl::StatusOr<std::vector<absl::Status>>& problems) {
      reasons.clear();
      if (!problems.ok()) reasons.push_back("cannot say: " + base::GetErrorInfo(problems.status()).reason);
      for (const absl::Status& problem : problems.ok() ? *problems : std::vector<absl::Status>())
        reasons.push_back(base::GetErrorInfo(problem).reason);
    });
    Settle();
    return reasons;
  }
  void Suppress(const std::string& number) {
    store::LeadRecord lead;
    lead.lead_id = "77777777-2222-4333-8444-555555555555";
    lead.phone = number;
    lead.create_time = loop_.clock().Now();
    lead.suppressed = true;
    ASSERT_TRUE(store_.CreateLead(lead).ok());
  }
  static std::string ReasonOf(const absl::Status& status) { return base::GetErrorInfo(status).reason; }

  Settings settings_;
  net::ManualLoop loop_;
  testing::FakeWsConnector model_{loop_};
  LoopTools tools_;
  store::MemoryCallStore store_;
  base::ManualExecutor executor_;
  base::ManualExecutor carrier_executor_;
  CallRecorder recorder_{store_, executor_};
  FakeCarrier carrier_;
  std::unique_ptr<Switchboard> board_;
};

TEST_F(DiallingTest, SoManyInAnyMinute) {
  settings_.dial_limits.calls_per_minute = 2;
  Open();
  EXPECT_TRUE(Start(To("+14155550121")).ok());
  loop_.Advance(absl::Seconds(20));
  EXPECT_TRUE(Start(To("+14155550122")).ok());
  const absl::Status refused = Start(To("+14155550123")).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "DIAL_RATE_LIMIT");
  EXPECT_EQ(base::GetRetryDelay(refused), absl::Seconds(40));
  EXPECT_THAT(Evaluate(To("+14155550123")), ElementsAre("DIAL_RATE_LIMIT"));
  EXPECT_THAT(carrier_.placed, SizeIs(2));
  loop_.Advance(absl::Seconds(40));
  EXPECT_THAT(Evaluate(To("+14155550123")), IsEmpty());
  EXPECT_THAT(Evaluate(To("+14155550123")), IsEmpty()) << "asking counts nothing";
  EXPECT_TRUE(Start(To("+14155550123")).ok());
}

TEST_F(DiallingTest, WhatDialledNobodyDoesNotCount) {
  settings_.dial_limits.calls_per_minute = 1;
  Open();
  Suppress("+14155550121");
  EXPECT_EQ(ReasonOf(Start(To("+14155550121")).status()), "LEAD_SUPPRESSED");
  EXPECT_TRUE(Start(To(kNumber)).ok());
}

TEST_F(DiallingTest, SoOftenOneNumberADay) {
  settings_.dial_limits.calls_per_number_per_day = 2;
  Open();
  EXPECT_TRUE(Start(To(kNumber)).ok());
  loop_.Advance(absl::Hours(1));
  EXPECT_TRUE(Start(To(kNumber)).ok());
  const absl::Status refused = Start(To(kNumber)).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "NUMBER_LIMIT");
  EXPECT_EQ(base::GetErrorInfo(refused).field, "to");
  EXPECT_EQ(base::GetRetryDelay(refused), absl::Hours(23));
  EXPECT_THAT(Evaluate(To(kNumber)), ElementsAre("NUMBER_LIMIT"));
  EXPECT_TRUE(Start(To("+14155550123")).ok()) << "another's";
  EXPECT_THAT(carrier_.placed, SizeIs(3));
  loop_.Advance(absl::Hours(23));
  EXPECT_TRUE(Start(To(kNumber)).ok());
}

// Both ask before either is recorded.
TEST_F(DiallingTest, TwoAtOnceAreCountedBoth) {
  settings_.dial_limits.calls_per_number_per_day = 1;
  Open();
  std::vector<std::string> answers;
  for (int i = 0; i < 2; ++i) {
    board_->StartCall(To(kNumber), [&](const auto& answer) { answers.push_back(ReasonOf(answer.status())); });
  }
  Settle();
  EXPECT_THAT(answers, ElementsAre("", "NUMBER_LIMIT"));
  EXPECT_THAT(carrier_.placed, SizeIs(1));
}

TEST_F(DiallingTest, NoLimitKeepsARepeatFromItsAnswer) {
  settings_.dial_limits.calls_per_minute = 1;
  settings_.dial_limits.calls_per_number_per_day = 1;
  Open();
  const auto first = Start(To(kNumber, "r1"));
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = Start(To(kNumber, "r1"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->call_id, first->call_id);
  EXPECT_EQ(ReasonOf(Start(To(kNumber, "r1", "other")).status()), "REQUEST_ID_REUSED");
  EXPECT_EQ(ReasonOf(Start(To(kNumber, "r2")).status()), "DIAL_RATE_LIMIT");
  loop_.Advance(absl::Minutes(1));
  EXPECT_EQ(Start(To(kNumber, "r1"))->call_id, first->call_id);
  EXPECT_EQ(ReasonOf(Start(To(kNumber, "r2")).status()), "NUMBER_LIMIT");
  EXPECT_TRUE(Start(To("+14155550123", "r3")).ok()) << "a repeat takes no place in the minute";
  board_->StopAccepting();
  EXPECT_EQ(Start(To(kNumber, "r1"))->call_id, first->call_id);
  EXPECT_EQ(ReasonOf(Start(To("+14155550124", "r4")).status()), "DRAINING");
  EXPECT_THAT(carrier_.placed, SizeIs(2));
}

TEST_F(DiallingTest, EqualRequestsAtOnceAreOne) {
  settings_.dial_limits.calls_per_minute = 1;
  Open();
  std::vector<std::string> answers;
  const auto start = [&](const CallControl::StartRequest& request) {
    board_->StartCall(request, [&](const auto& answer) {
      answers.push_back(answer.ok() ? answer->call_id : ReasonOf(answer.status()));
    });
  };
  start(To(kNumber, "r1"));
  start(To(kNumber, "r1"));
  start(To(kNumber, "r1", "other content"));
  start(To("+14155550123", "r2"));
  Settle();
  ASSERT_THAT(answers, SizeIs(4));
  EXPECT_EQ(answers[0], "DIAL_RATE_LIMIT") << "at once: nothing is known of it";
  EXPECT_EQ(answers[1], answers[2]);
  EXPECT_EQ(answers[3], "REQUEST_ID_REUSED");
  EXPECT_THAT(carrier_.placed, SizeIs(1));
  // One that failed for all fails for all, and may come again.
  answers.clear();
  loop_.Advance(absl::Minutes(1));
  Suppress("+14155550125");
  for (int i = 0; i < 2; ++i) start(To("+14155550125", "r3"));
  Settle();
  EXPECT_THAT(answers, ElementsAre("LEAD_SUPPRESSED", "LEAD_SUPPRESSED"));
  EXPECT_EQ(ReasonOf(Start(To("+14155550125", "r3")).status()), "LEAD_SUPPRESSED");
}

TEST_F(DiallingTest, EvaluationNamesAllReasonsAndStartTheFirst) {
  settings_.dial_limits.calls_per_number_per_day = 1;
  settings_.max_calls = 1;
  Open();
  EXPECT_THAT(Evaluate(To(kNumber)), IsEmpty());
  ASSERT_TRUE(Start(To(kNumber)).ok());
  Suppress("+14155550199");
  board_->StopAccepting();
  const struct {
    const char* name;
    std::string to;
    std::string agent;
    std::vector<std::string> reasons;
  } rows[] = {
      {"once more", kNumber, "", {"DRAINING", "CONCURRENCY_LIMIT", "NUMBER_LIMIT"}},
      {"suppressed", "+14155550199", "", {"DRAINING", "CONCURRENCY_LIMIT", "LEAD_SUPPRESSED"}},
      {"abroad", "+4930123456", "", {"DESTINATION_NOT_ALLOWED", "DRAINING", "CONCURRENCY_LIMIT"}},
      {"nobody's agent",
       "+4930123456",
       "x",
       {"UNKNOWN_AGENT", "DESTINATION_NOT_ALLOWED", "DRAINING", "CONCURRENCY_LIMIT"}},
      {"an agent without a number", kNumber, "mute", {"NO_CALLER_ID", "DRAINING", "CONCURRENCY_LIMIT", "NUMBER_LIMIT"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    CallControl::StartRequest request = To(row.to);
    request.agent = row.agent;
    EXPECT_EQ(Evaluate(request), row.reasons);
    EXPECT_EQ(ReasonOf(Start(request).status()), row.reasons.front());
  }
}

TEST_F(DiallingTest, WithoutTheDatabaseNobodyCanSay) {
  settings_.dial_limits.calls_per_number_per_day = 1;
  Open();
  for (const char* const gone : {"FindLead", "ListCalls"}) {
    store_.SetFault(
        [&](absl::string_view method) { return method == gone ? absl::UnavailableError("away") : absl::OkStatus(); });
    EXPECT_THAT(Evaluate(To(kNumber)), ElementsAre("cannot say: STORE_UNAVAILABLE")) << gone;
  }
}

}  // namespace
}  // namespace callbridge::session
