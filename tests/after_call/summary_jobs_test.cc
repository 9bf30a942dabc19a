#include "src/after_call/summary_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "src/base/executor.h"
#include "src/base/log.h"
#include "src/store/sqlite/sqlite_store.h"
#include "tests/fakes/fake_web_client.h"
#include "tests/net/peers.h"

namespace callbridge::after_call {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::json;

constexpr char kKey[] = "sk-very-secret";

// What the text model answers when all is well.
std::string Good(const std::string& fields = "") {
  const std::string text = absl::StrCat(
      R"({"summary":"They talked.","disposition":"callback","interest":"low","follow_up_time":"2026-11-23T09:00:00Z")",
      fields, "}");
  const Json body = {{"status", "completed"},
                     {"output", {{{"type", "message"}, {"content", {{{"type", "output_text"}, {"text", text}}}}}}}};
  return body.dump();
}

constexpr char kTooFewTokens[] =
    R"({"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]})";

// A process, as far as summaries concern it, over a database that outlives it. Time stands still unless the test moves
// it, and the recorder writes when the test says so.
class Process {
 public:
  Process(const std::string& path, base::ManualClock& clock, web::WebClient& web, const session::Settings& settings)
      : store_(*store::SqliteStore::Open(path)), clock_(clock) {
    recorder_ = std::make_unique<session::CallRecorder>(*store_, executor_);
    SummaryJobs::Options options;
    options.clock = &clock;
    options.random = [] { return 0.5; };
    options.is_live = [this](const std::string& call_id) { return live_.count(call_id) > 0; };
    jobs_ = std::make_unique<SummaryJobs>(*store_, *recorder_, web, settings, options);
  }

  SummaryJobs& jobs() { return *jobs_; }
  store::CallStore& store() { return *store_; }
  std::set<std::string>& live() { return live_; }
  session::CallRecorder& recorder() { return *recorder_; }

  // What the recorder was given reaches the database.
  void WriteAll() { executor_.RunAll(); }
  int RunAndWrite() {
    const int count = jobs_->RunDue();
    WriteAll();
    return count;
  }

  std::vector<store::SummaryJob> AllJobs() { return *store_->ListSummaryJobs(absl::InfiniteFuture(), 100); }
  store::CallRecord Call(const std::string& call_id) { return *store_->GetCall(call_id); }
  std::vector<call::Event> EventsOf(const std::string& call_id) {
    const auto all = store_->ReadCallEvents(call_id, 0, 1000);
    std::vector<call::Event> events;
    for (const events::StoredEvent& stored : *all) events.push_back(stored.event);
    return events;
  }
  // Why there is no summary; empty: nobody gave up.
  std::string Failure(const std::string& call_id) {
    for (const call::Event& event : EventsOf(call_id)) {
      if (const auto* failed = std::get_if<call::SummaryFailed>(&event.body)) return failed->reason;
    }
    return "";
  }
  int CountReady(const std::string& call_id) {
    int count = 0;
    for (const call::Event& event : EventsOf(call_id)) count += std::holds_alternative<call::SummaryReady>(event.body);
    return count;
  }

 private:
  std::unique_ptr<store::CallStore> store_;
  base::ManualClock& clock_;
  base::ManualExecutor executor_;
  std::unique_ptr<session::CallRecorder> recorder_;
  std::set<std::string> live_;
  std::unique_ptr<SummaryJobs> jobs_;
};

class SummaryJobsTest : public ::testing::Test {
 protected:
  SummaryJobsTest() {
    base::SetLogEnabled(false);
    const char* const folder = std::getenv("TEST_TMPDIR");
    path_ = absl::StrCat(folder, "/", ::testing::UnitTest::GetInstance()->current_test_info()->name(), ".db");
    settings_.text_model_url = "https://api.example.com/v1";
    settings_.model_api_key = kKey;
    settings_.agents["a"].after_call.max_attempts = 3;
    Restart();
  }

  // The process dies, and another takes its place.
  void Restart() {
    process_.reset();
    process_ = std::make_unique<Process>(path_, clock_, web_, settings_);
  }

  // The last write of a call that is over.
  store::CallWrite EndOf(const std::string& call_id, const std::string& said) {
    store::CallWrite write;
    write.call_id = call_id;
    write.events = {{call_id, 2, clock_.Now(), call::CallEnded()}};
    if (!said.empty()) {
      call::TranscriptItem item;
      item.item_id = "item_1";
      item.position = 1;
      item.status = call::ItemStatus::kComplete;
      item.text_generated = item.text_heard = said;
      write.transcript_items = {item};
    }
    write.state = call::State::kCompleted;
    write.end = store::CallWrite::End{{}, clock_.Now(), 12, "Caller: " + said};
    write.summary_due = true;
    return write;
  }
  void AddCall(const std::string& call_id, const std::string& agent = "a") {
    store::CallRecord record;
    record.call_id = call_id;
    record.agent = agent;
    record.create_time = clock_.Now();
    ASSERT_TRUE(process_->store().CreateCall(record, {{call_id, 1, clock_.Now(), call::CallCreated()}}, {}).ok());
  }
  void AddFinishedCall(const std::string& call_id, const std::string& said = "hello", const std::string& agent = "a") {
    AddCall(call_id, agent);
    ASSERT_TRUE(process_->store().Apply(EndOf(call_id, said), nullptr).ok());
  }

  std::string path_;
  base::ManualClock clock_;
  web::FakeWebClient web_;
  session::Settings settings_;
  std::unique_ptr<Process> process_;
};

TEST_F(SummaryJobsTest, SumsUpACallThatIsOver) {
  AddFinishedCall("c1", "I want a boat");
  web_.Queue(200, Good());
  EXPECT_EQ(process_->RunAndWrite(), 1);
  ASSERT_THAT(web_.requests(), SizeIs(1));
  const web::WebRequest request = web_.requests()[0];
  EXPECT_EQ(request.url, "https://api.example.com/v1/responses");
  EXPECT_EQ(request.headers[1], std::make_pair(std::string("Authorization"), absl::StrCat("Bearer ", kKey)));
  EXPECT_THAT(request.body, HasSubstr("I want a boat"));
  const store::CallRecord call = process_->Call("c1");
  EXPECT_EQ(call.summary, "They talked.");
  EXPECT_EQ(call.result.disposition, "callback");
  EXPECT_EQ(call.result.interest, "low");
  EXPECT_EQ(call.result.follow_up_time, "2026-11-23T09:00:00Z");
  const std::vector<call::Event> events = process_->EventsOf("c1");
  ASSERT_THAT(events, SizeIs(3));
  const auto* ready = std::get_if<call::SummaryReady>(&events[2].body);
  ASSERT_NE(ready, nullptr);
  EXPECT_EQ(ready->summary, "They talked.");
  EXPECT_EQ(ready->result.disposition, "callback");
  EXPECT_THAT(process_->AllJobs(), IsEmpty());
  EXPECT_EQ(process_->RunAndWrite(), 0);
  EXPECT_THAT(web_.requests(), SizeIs(1));
}

TEST_F(SummaryJobsTest, NothingIsAskedTwiceWhileTheWriteIsUnderWay) {
  AddFinishedCall("c1");
  web_.Queue(200, Good());
  EXPECT_EQ(process_->jobs().RunDue(), 1);
  EXPECT_EQ(process_->jobs().RunDue(), 0);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(process_->jobs().RunDue(), 0);
  process_->WriteAll();
  EXPECT_THAT(process_->AllJobs(), IsEmpty());
  EXPECT_THAT(web_.requests(), SizeIs(1));
}

// ---- On several nodes ----

// One of several nodes on one store.
class Node {
 public:
  Node(store::CallStore& store, base::ManualClock& clock, web::WebClient& web, const session::Settings& settings)
      : recorder_(store, executor_), jobs_(store, recorder_, web, settings, OptionsFor(clock)) {}
  SummaryJobs& jobs() { return jobs_; }
  int RunAndWrite() {
    const int count = jobs_.RunDue();
    executor_.RunAll();
    return count;
  }

 private:
  static SummaryJobs::Options OptionsFor(base::ManualClock& clock) {
    SummaryJobs::Options options;
    options.clock = &clock;
    options.random = [] { return 0.5; };
    options.claim_time = absl::Minutes(5);
    return options;
  }
  base::ManualExecutor executor_;
  session::CallRecorder recorder_;
  SummaryJobs jobs_;
};

TEST_F(SummaryJobsTest, AJobIsDoneByOneNodeAndByTheNextIfThatDies) {
  AddFinishedCall("c1");
  Node one(process_->store(), clock_, web_, settings_);
  Node other(process_->store(), clock_, web_, settings_);
  clock_.Advance(absl::Minutes(1));
  web_.Queue(200, Good());
  EXPECT_EQ(one.jobs().RunDue(), 1);  // And dies before its recorder writes.
  EXPECT_EQ(other.RunAndWrite(), 0);
  clock_.Advance(absl::Minutes(5) - absl::Seconds(1));
  EXPECT_EQ(other.RunAndWrite(), 0);
  EXPECT_THAT(web_.requests(), SizeIs(1));
  clock_.Advance(absl::Seconds(16));  // It looks like a new job, which is somebody's for a moment.
  EXPECT_EQ(other.RunAndWrite(), 1);
  EXPECT_EQ(process_->CountReady("c1"), 1);
  EXPECT_THAT(process_->AllJobs(), IsEmpty());
}

TEST_F(SummaryJobsTest, ANewJobIsTheNodesThatHadTheCall) {
  AddFinishedCall("c1");
  Node one(process_->store(), clock_, web_, settings_);
  Node other(process_->store(), clock_, web_, settings_);
  one.jobs().OnCallFinished("c1", 3);
  web_.Queue(200, Good());
  EXPECT_EQ(other.RunAndWrite(), 0);
  EXPECT_EQ(one.RunAndWrite(), 1) << "at once";
  AddFinishedCall("c2");
  clock_.Advance(absl::Seconds(14));
  EXPECT_EQ(other.RunAndWrite(), 0);
  clock_.Advance(absl::Seconds(1));
  web_.Queue(200, Good());
  EXPECT_EQ(other.RunAndWrite(), 1) << "nobody else wants it";
  EXPECT_EQ(process_->CountReady("c2"), 1);
}

TEST_F(SummaryJobsTest, AnotherNodeMayTryAgainWhenItIsTime) {
  AddFinishedCall("c1");
  Node one(process_->store(), clock_, web_, settings_);
  Node other(process_->store(), clock_, web_, settings_);
  clock_.Advance(absl::Minutes(1));
  web_.Queue(503, "");
  web_.Queue(200, Good());
  EXPECT_EQ(one.RunAndWrite(), 1);
  ASSERT_THAT(process_->AllJobs(), SizeIs(1));
  EXPECT_EQ(process_->AllJobs()[0].attempts, 1);
  EXPECT_EQ(other.RunAndWrite(), 0);
  clock_.Advance(process_->AllJobs()[0].due - clock_.Now());
  EXPECT_EQ(other.RunAndWrite(), 1);
  EXPECT_EQ(process_->CountReady("c1"), 1);
}

TEST_F(SummaryJobsTest, ANodeThatEndsGivesItsJobBack) {
  AddFinishedCall("c1");
  Node one(process_->store(), clock_, web_, settings_);
  Node other(process_->store(), clock_, web_, settings_);
  clock_.Advance(absl::Minutes(1));
  web_.Queue(absl::CancelledError("stopping"));
  web_.Queue(200, Good());
  EXPECT_EQ(one.RunAndWrite(), 1);
  EXPECT_EQ(process_->CountReady("c1"), 0);
  EXPECT_EQ(other.RunAndWrite(), 1) << "at once";
  EXPECT_EQ(process_->CountReady("c1"), 1);
}

// ---- While the call is live, and just after ----

TEST_F(SummaryJobsTest, ALiveCallIsLeftAlone) {
  process_->live() = {"c1"};
  AddFinishedCall("c1");
  AddFinishedCall("c2");
  web_.Queue(200, Good());
  EXPECT_EQ(process_->RunAndWrite(), 1);
  EXPECT_EQ(process_->Call("c1").summary, "");
  EXPECT_EQ(process_->Call("c2").summary, "They talked.");
  process_->jobs().OnCallFinished("c1", 3);
  EXPECT_EQ(process_->RunAndWrite(), 1) << "whether or not it still counts as live";
  EXPECT_EQ(process_->Call("c1").summary, "They talked.");
}

TEST_F(SummaryJobsTest, WaitsForTheCallsLastWords) {
  AddFinishedCall("c1", "hello");
  process_->jobs().OnCallFinished("c1", 5);
  web_.Queue(200, Good());
  EXPECT_EQ(process_->RunAndWrite(), 0) << "events 3 and 4 are still under way";
  store::CallWrite late;
  late.call_id = "c1";
  late.events = {{"c1", 3, clock_.Now(), call::DtmfReceived{"1"}}, {"c1", 4, clock_.Now(), call::DtmfReceived{"2"}}};
  process_->recorder().Write(late);
  EXPECT_EQ(process_->jobs().RunDue(), 0);
  process_->WriteAll();
  EXPECT_EQ(process_->RunAndWrite(), 1);
  const std::vector<call::Event> events = process_->EventsOf("c1");
  ASSERT_THAT(events, SizeIs(5));
  EXPECT_TRUE(std::holds_alternative<call::SummaryReady>(events[4].body));
}

TEST_F(SummaryJobsTest, DoesNotWaitForEverForEventsThatWereLost) {
  AddFinishedCall("c1");
  process_->jobs().OnCallFinished("c1", 9);
  web_.Queue(200, Good());
  EXPECT_EQ(process_->RunAndWrite(), 0);
  clock_.Advance(absl::Seconds(59));
  EXPECT_EQ(process_->RunAndWrite(), 0);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(process_->RunAndWrite(), 1);
  EXPECT_EQ(process_->CountReady("c1"), 1);
}

TEST_F(SummaryJobsTest, AJobThatCannotRunHidesNoOther) {
  for (int i = 0; i < 150; ++i) {
    AddFinishedCall(absl::StrCat("waits-", i));
    process_->jobs().OnCallFinished(absl::StrCat("waits-", i), 9);
  }
  clock_.Advance(absl::Seconds(1));
  AddFinishedCall("c1");
  web_.Queue(200, Good());
  EXPECT_EQ(process_->RunAndWrite(), 1);
  EXPECT_EQ(process_->CountReady("c1"), 1);
}

// ---- Failures ----

TEST_F(SummaryJobsTest, TriesAgainWithGrowingPauses) {
  AddFinishedCall("c1");
  web_.Queue(503, "");
  web_.Queue(absl::DeadlineExceededError("api.example.com: too slow"));
  web_.Queue(200, Good());
  EXPECT_EQ(process_->RunAndWrite(), 1);
  ASSERT_THAT(process_->AllJobs(), SizeIs(1));
  EXPECT_EQ(process_->AllJobs()[0].attempts, 1);
  EXPECT_EQ(process_->AllJobs()[0].due, clock_.Now() + absl::Seconds(30));
  EXPECT_THAT(process_->AllJobs()[0].last_error, HasSubstr("HTTP 503"));
  clock_.Advance(absl::Seconds(29));
  EXPECT_EQ(process_->RunAndWrite(), 0);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(process_->RunAndWrite(), 1);
  EXPECT_EQ(process_->AllJobs()[0].due, clock_.Now() + absl::Minutes(1));
  EXPECT_THAT(process_->AllJobs()[0].last_error, HasSubstr("too slow"));
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(process_->RunAndWrite(), 1);
  EXPECT_EQ(process_->CountReady("c1"), 1);
  EXPECT_EQ(process_->Failure("c1"), "");
}

TEST_F(SummaryJobsTest, ComesNoEarlierThanAskedTo) {
  AddFinishedCall("c1");
  web_.Queue(429, "", {{"Retry-After", "300"}});
  process_->RunAndWrite();
  EXPECT_EQ(process_->AllJobs()[0].due, clock_.Now() + absl::Minutes(5));
  clock_.Advance(absl::Minutes(5));
  web_.Clear();
  web_.Queue(429, "", {{"Retry-After", "1"}});
  process_->RunAndWrite();
  EXPECT_EQ(process_->AllJobs()[0].due, clock_.Now() + absl::Minutes(1)) << "nor earlier than it would by itself";
}

TEST_F(SummaryJobsTest, GivesUpAfterTheAgentsAttempts) {
  AddFinishedCall("c1");
  web_.Queue(500, R"({"error":{"code":"overloaded"}})");
  for (int i = 0; i < 5; ++i) {
    process_->RunAndWrite();
    clock_.Advance(absl::Hours(2));
  }
  EXPECT_THAT(web_.requests(), SizeIs(3));
  EXPECT_EQ(process_->Failure("c1"), "the text model answered HTTP 500 overloaded (3 attempts)");
  EXPECT_THAT(process_->AllJobs(), IsEmpty());
  EXPECT_EQ(process_->Call("c1").summary, "");
}

TEST_F(SummaryJobsTest, GivesUpAtOnceWhereARepeatCannotHelp) {
  const struct {
    const char* name;
    int status;
    const char* body;
    const char* reason;
  } rows[] = {
      {"request", 400, R"({"error":{"code":"invalid_json_schema","message":"Invalid schema"}})", "Invalid schema"},
      {"key", 401, R"({"error":{"code":"invalid_api_key"}})", "HTTP 401 invalid_api_key"},
      {"right", 403, "{}", "HTTP 403"},
      {"model", 404, R"({"error":{"code":"model_not_found"}})", "model_not_found"},
  };
  for (const auto& row : rows) {
    AddFinishedCall(row.name);
    web_.Clear();
    web_.Queue(row.status, row.body);
    process_->RunAndWrite();
    EXPECT_THAT(process_->Failure(row.name), HasSubstr(row.reason)) << row.name;
  }
  EXPECT_THAT(web_.requests(), SizeIs(4));
  EXPECT_THAT(process_->AllJobs(), IsEmpty());
}

TEST_F(SummaryJobsTest, TheKeyIsInNoRecord) {
  AddFinishedCall("c1");
  web_.Queue(400, absl::StrCat(R"({"error":{"message":"bad header Bearer )", kKey, R"("}})"));
  process_->RunAndWrite();
  EXPECT_EQ(process_->Failure("c1"), "the text model answered HTTP 400: bad header Bearer [key]");
}

TEST_F(SummaryJobsTest, AnAnswerThatWasCutOffIsAskedForOnceMoreWithMoreRoom) {
  AddFinishedCall("c1");
  web_.Queue(200, kTooFewTokens);
  web_.Queue(200, Good());
  process_->RunAndWrite();
  EXPECT_EQ(process_->CountReady("c1"), 1);
  ASSERT_THAT(web_.requests(), SizeIs(2));
  EXPECT_EQ(Json::parse(web_.requests()[0].body)["max_output_tokens"], openai::kSummaryTokens);
  EXPECT_EQ(Json::parse(web_.requests()[1].body)["max_output_tokens"], openai::kMoreSummaryTokens);
  // Once.
  AddFinishedCall("c2");
  web_.Clear();
  web_.Queue(200, kTooFewTokens);
  process_->RunAndWrite();
  EXPECT_THAT(web_.requests(), SizeIs(4));
  EXPECT_EQ(process_->AllJobs()[0].attempts, 1);
}

TEST_F(SummaryJobsTest, FieldsMustFitTheAgentsSchema) {
  settings_.agents["a"].after_call.fields_schema_json =
      R"({"type":"object","properties":{"zip":{"type":"string","minLength":5}},"required":["zip"]})";
  AddFinishedCall("c1");
  web_.Queue(200, Good(R"(,"fields":{"zip":"1"})"));
  web_.Queue(200, Good(R"(,"fields":{"zip":"12345"})"));
  process_->RunAndWrite();
  EXPECT_THAT(process_->AllJobs()[0].last_error, HasSubstr("zip: must be a string of at least 5 characters"));
  clock_.Advance(absl::Seconds(30));
  process_->RunAndWrite();
  EXPECT_EQ(process_->Call("c1").result.fields_json, R"({"zip":"12345"})");
}

TEST_F(SummaryJobsTest, WithoutWordsNobodyIsAsked) {
  AddFinishedCall("c1", "");
  process_->RunAndWrite();
  EXPECT_EQ(process_->Failure("c1"), "nothing was said");
  EXPECT_THAT(process_->AllJobs(), IsEmpty());
  EXPECT_THAT(web_.requests(), IsEmpty());
}

TEST_F(SummaryJobsTest, AnAgentWhoWantsNoneGetsNone) {
  settings_.agents["off"].after_call.summary = session::AfterCall::Summary::kOff;
  settings_.agents["session"].after_call.summary = session::AfterCall::Summary::kSession;
  AddFinishedCall("c1", "hello", "off");
  AddFinishedCall("c2", "hello", "session");
  process_->RunAndWrite();
  EXPECT_THAT(process_->AllJobs(), IsEmpty());
  EXPECT_THAT(process_->EventsOf("c1"), SizeIs(2)) << "nothing failed";
  EXPECT_THAT(process_->Failure("c2"), HasSubstr("session that was to sum up is gone"));
  EXPECT_THAT(web_.requests(), IsEmpty());
}

TEST_F(SummaryJobsTest, AnAgentThatIsGoneIsSummedUpAsUsual) {
  AddFinishedCall("c1", "hello", "former");
  web_.Queue(200, Good());
  process_->RunAndWrite();
  EXPECT_EQ(process_->CountReady("c1"), 1);
}

// ---- Restarts ----

TEST_F(SummaryJobsTest, AttemptsAreCountedAcrossRestarts) {
  AddFinishedCall("c1");
  web_.Queue(503, "");
  process_->RunAndWrite();
  Restart();
  EXPECT_EQ(process_->RunAndWrite(), 0) << "its pause is not over";
  clock_.Advance(absl::Seconds(30));
  process_->RunAndWrite();
  Restart();
  clock_.Advance(absl::Minutes(1));
  process_->RunAndWrite();
  EXPECT_THAT(process_->Failure("c1"), HasSubstr("(3 attempts)"));
  Restart();
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(process_->RunAndWrite(), 0);
  EXPECT_THAT(web_.requests(), SizeIs(3));
}

TEST_F(SummaryJobsTest, AKillBeforeTheWriteCostsARequestAndNoSecondEvent) {
  AddFinishedCall("c1");
  web_.Queue(200, Good());
  EXPECT_EQ(process_->jobs().RunDue(), 1);
  Restart();  // What the recorder had is lost.
  EXPECT_EQ(process_->Call("c1").summary, "");
  EXPECT_EQ(process_->RunAndWrite(), 1);
  EXPECT_THAT(web_.requests(), SizeIs(2));
  EXPECT_EQ(process_->CountReady("c1"), 1);
  EXPECT_EQ(process_->Call("c1").summary, "They talked.");
}

TEST_F(SummaryJobsTest, ASummaryThatIsThereStays) {
  AddFinishedCall("c1");
  store::CallWrite write;
  write.call_id = "c1";
  write.summary = "by the session";
  ASSERT_TRUE(process_->store().Apply(write, nullptr).ok());
  EXPECT_EQ(process_->RunAndWrite(), 1);
  EXPECT_THAT(web_.requests(), IsEmpty());
  EXPECT_THAT(process_->AllJobs(), IsEmpty());
  EXPECT_EQ(process_->Call("c1").summary, "by the session");
  EXPECT_EQ(process_->CountReady("c1"), 0);
}

TEST_F(SummaryJobsTest, ASummaryThatCameMeanwhileStays) {
  AddFinishedCall("c1");
  web_.Queue([this](const web::WebRequest&) -> absl::StatusOr<web::WebResponse> {
    store::CallWrite write;
    write.call_id = "c1";
    write.summary = "by somebody else";
    EXPECT_TRUE(process_->store().Apply(write, nullptr).ok());
    return web::WebResponse{200, {}, Good()};
  });
  process_->RunAndWrite();
  EXPECT_EQ(process_->Call("c1").summary, "by somebody else");
  EXPECT_EQ(process_->CountReady("c1"), 0);
  EXPECT_THAT(process_->AllJobs(), IsEmpty());
}

TEST_F(SummaryJobsTest, StoppingIsNoAttempt) {
  AddFinishedCall("c1");
  web_.Stop();
  process_->RunAndWrite();
  ASSERT_THAT(process_->AllJobs(), SizeIs(1));
  EXPECT_EQ(process_->AllJobs()[0].attempts, 0);
  EXPECT_EQ(process_->AllJobs()[0].last_error, "");
}

// ---- Threads ----

TEST_F(SummaryJobsTest, ThreadsDoAsManyAtOnceAsTheyMayAndStop) {
  for (int i = 0; i < 5; ++i) AddFinishedCall(absl::StrCat("c", i));
  base::Mutex mutex;
  int asking = 0;
  bool open = false;
  web_.Queue([&](const web::WebRequest&) -> absl::StatusOr<web::WebResponse> {
    {
      base::MutexLock lock(mutex);
      ++asking;
    }
    testing::Eventually([&] {
      base::MutexLock lock(mutex);
      return open || web_.stopped();
    });
    base::MutexLock lock(mutex);
    --asking;
    return open ? absl::StatusOr<web::WebResponse>(web::WebResponse{200, {}, Good()}) : absl::CancelledError("stopped");
  });
  process_->jobs().Start();
  EXPECT_TRUE(testing::Eventually([&] { return web_.requests().size() == 2; }));
  {
    base::MutexLock lock(mutex);
    EXPECT_EQ(asking, 2);
    open = true;
  }
  EXPECT_TRUE(testing::Eventually([&] { return web_.requests().size() == 5; }));
  {
    base::MutexLock lock(mutex);
    open = false;
  }
  web_.Stop();
  Restart();
  SUCCEED() << "the threads are joined";
}

TEST_F(SummaryJobsTest, APokeIsEnough) {
  process_->live() = {"c1"};
  AddCall("c1");
  web_.Queue(200, Good());
  process_->jobs().Start();
  ASSERT_TRUE(process_->store().Apply(EndOf("c1", "hello"), nullptr).ok());
  process_->jobs().OnCallFinished("c1", 3);
  EXPECT_TRUE(testing::Eventually([&] { return web_.requests().size() == 1; }));
}

// ---- The configuration ----

TEST(CheckAfterCallTest, NamesWhatIsWrong) {
  const struct {
    const char* name;
    void (*spoil)(session::AfterCall&);
    const char* complaint;
  } rows[] = {
      {"keyword", [](session::AfterCall& wishes) { wishes.fields_schema_json = R"({"type":"object","x":1})"; },
       "after_call.fields_schema_json: schema: unknown keyword 'x'"},
      {"an object of anything", [](session::AfterCall& wishes) { wishes.fields_schema_json = R"({"type":"object"})"; },
       "an object needs properties"},
      {"no JSON", [](session::AfterCall& wishes) { wishes.fields_schema_json = "{"; }, "not JSON"},
      {"twice",
       [](session::AfterCall& wishes) {
         wishes.dispositions = {"a", "a"};
       },
       "dispositions: 'a' is empty or"},
      {"empty", [](session::AfterCall& wishes) { wishes.dispositions = {""}; }, "dispositions: '' is empty or"},
  };
  for (const auto& row : rows) {
    session::Settings settings;
    EXPECT_TRUE(CheckAfterCall(settings).ok());
    row.spoil(settings.agents["a"].after_call);
    const absl::Status status = CheckAfterCall(settings);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << row.name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.complaint)) << row.name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("agent 'a'")) << row.name;
  }
}

}  // namespace
}  // namespace callbridge::after_call
