#include "src/tools/http_tool_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"
#include "tests/fakes/fake_web_client.h"
#include "tests/fakes/http_endpoint.h"
#include "tests/net/peers.h"

namespace callbridge::tools {
namespace {

using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What came of tool calls, by the order in which they ended.
class Results {
 public:
  struct Result {
    std::string key;
    bool ok = false;
    std::string output;
  };
  std::function<void(bool, std::string)> For(const std::string& key) {
    return [this, key](bool ok, std::string output) {
      base::MutexLock lock(mutex_);
      results_.push_back({key, ok, std::move(output)});
    };
  }
  std::vector<Result> all() {
    base::MutexLock lock(mutex_);
    return results_;
  }
  Result WaitFor(size_t count) {
    EXPECT_TRUE(Eventually([&] { return all().size() >= count; }));
    return all().size() < count ? Result() : all()[count - 1];
  }

 private:
  base::Mutex mutex_;
  std::vector<Result> results_ ABSL_GUARDED_BY(mutex_);
};

class HttpToolRunnerTest : public ::testing::Test {
 protected:
  HttpToolRunnerTest() { base::SetLogEnabled(false); }
  // The runner goes before what its threads use.
  ~HttpToolRunnerTest() override {
    web_->Stop();
    runner_.reset();
  }

  session::HttpTool& AddTool(const std::string& name) {
    session::HttpTool tool;
    tool.name = name;
    tool.url = endpoint_.url("/" + name);
    tool.parameters_json = R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})";
    tool.secret_header = "X-Key";
    tool.secret = "s3cret";
    settings_.agents["a"].tools.push_back(tool);
    return settings_.agents["a"].tools.back();
  }
  HttpToolRunner& Start(const HttpToolRunner::Options& options = {}) {
    runner_ = std::make_unique<HttpToolRunner>(settings_, *web_, options);
    return *runner_;
  }

  testing::HttpEndpoint endpoint_;
  std::unique_ptr<web::WebClient> web_ = web::MakeWebClient();
  session::Settings settings_;
  Results results_;
  std::unique_ptr<HttpToolRunner> runner_;
};

TEST_F(HttpToolRunnerTest, PostsTheArgumentsAndGivesTheAnswer) {
  AddTool("book");
  endpoint_.SetAnswer(200, R"({"free":true})");
  Start().Run("a", "call-1", "tc-1", "book", R"({"n":1})", results_.For("1"));
  const auto result = results_.WaitFor(1);
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(result.output, R"({"free":true})");
  ASSERT_THAT(endpoint_.requests(), SizeIs(1));
  const base::HttpRequest request = endpoint_.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/book");
  EXPECT_EQ(request.body, R"({"n":1})");
  EXPECT_EQ(request.Header("Content-Type"), "application/json");
  EXPECT_EQ(request.Header("Idempotency-Key"), "call-1/tc-1");
  EXPECT_EQ(request.Header("X-Callbridge-Call-Id"), "call-1");
  EXPECT_EQ(request.Header("X-Callbridge-Tool-Call-Id"), "tc-1");
  EXPECT_EQ(request.Header("X-Key"), "s3cret");
}

TEST_F(HttpToolRunnerTest, AToolCallIsMadeOnce) {
  AddTool("book");
  Start();
  runner_->Run("a", "call-1", "tc-1", "book", R"({"n":1})", results_.For("first"));
  results_.WaitFor(1);
  runner_->Run("a", "call-1", "tc-1", "book", R"({"n":1})", results_.For("again"));
  const auto again = results_.WaitFor(2);
  EXPECT_FALSE(again.ok);
  EXPECT_THAT(again.output, HasSubstr("not made twice"));
  // The id is the call's own.
  runner_->Run("a", "call-2", "tc-1", "book", R"({"n":1})", results_.For("another call"));
  EXPECT_TRUE(results_.WaitFor(3).ok);
  EXPECT_THAT(endpoint_.requests(), SizeIs(2));
}

TEST_F(HttpToolRunnerTest, WhatFailedIsNotRepeated) {
  AddTool("book");
  endpoint_.SetAnswer(503, "busy", {{"Retry-After", "0"}});
  Start();
  runner_->Run("a", "call-1", "tc-1", "book", R"({"n":1})", results_.For("1"));
  EXPECT_FALSE(results_.WaitFor(1).ok);
  runner_->Run("a", "call-1", "tc-1", "book", R"({"n":1})", results_.For("2"));
  EXPECT_FALSE(results_.WaitFor(2).ok);
  EXPECT_THAT(endpoint_.requests(), SizeIs(1));
}

TEST_F(HttpToolRunnerTest, WhatDoesNotFitIsNotSent) {
  AddTool("book");
  Start();
  runner_->Run("a", "call-1", "tc-1", "book", R"({"n":"one"})", results_.For("arguments"));
  EXPECT_THAT(results_.WaitFor(1).output, HasSubstr("n: must be an integer"));
  runner_->Run("a", "call-1", "tc-2", "steal", "{}", results_.For("tool"));
  EXPECT_THAT(results_.WaitFor(2).output, HasSubstr("no tool 'steal'"));
  runner_->Run("b", "call-1", "tc-3", "book", R"({"n":1})", results_.For("agent"));
  EXPECT_FALSE(results_.WaitFor(3).ok);
  EXPECT_THAT(endpoint_.requests(), IsEmpty());
  // Refused before it was made: the same id may come with better arguments.
  runner_->Run("a", "call-1", "tc-1", "book", R"({"n":1})", results_.For("better"));
  EXPECT_TRUE(results_.WaitFor(4).ok);
}

TEST_F(HttpToolRunnerTest, CheckSaysBeforehandWhatRunWouldRefuse) {
  AddTool("book");
  Start();
  EXPECT_TRUE(runner_->Check("a", "book", R"({"n":1})").ok());
  EXPECT_THAT(std::string(runner_->Check("a", "book", R"({"n":"one"})").message()), HasSubstr("n: must be an integer"));
  EXPECT_THAT(std::string(runner_->Check("a", "steal", "{}").message()), HasSubstr("no tool 'steal'"));
}

TEST_F(HttpToolRunnerTest, ArgumentsForAClientsToolAreLookedAtAndItIsNotRun) {
  AddTool("book");
  settings_.agents["a"].client_tools.push_back({"quote", "A price.", settings_.agents["a"].tools[0].parameters_json});
  Start();
  EXPECT_TRUE(runner_->Check("a", "quote", R"({"n":1})").ok());
  EXPECT_THAT(std::string(runner_->Check("a", "quote", "{}").message()), HasSubstr("n"));
  EXPECT_FALSE(runner_->Check("b", "quote", R"({"n":1})").ok()) << "another agent's";
  runner_->Run("a", "call-1", "tc-1", "quote", R"({"n":1})", results_.For("1"));
  EXPECT_FALSE(results_.WaitFor(1).ok);
  EXPECT_THAT(endpoint_.requests(), IsEmpty());
}

TEST_F(HttpToolRunnerTest, ATimeLimitIsTheTools) {
  AddTool("slow").timeout = absl::Milliseconds(150);
  endpoint_.Hold();
  Start().Run("a", "call-1", "tc-1", "slow", R"({"n":1})", results_.For("1"));
  const auto result = results_.WaitFor(1);
  EXPECT_FALSE(result.ok);
  EXPECT_THAT(result.output, HasSubstr("did not answer in time"));
  EXPECT_THAT(endpoint_.requests(), SizeIs(1));
}

TEST_F(HttpToolRunnerTest, NobodyListens) {
  int port = 0;
  {
    testing::RawListener listener;
    port = listener.port();
  }
  AddTool("gone").url = absl::StrCat("http://127.0.0.1:", port, "/");
  Start().Run("a", "call-1", "tc-1", "gone", R"({"n":1})", results_.For("1"));
  EXPECT_THAT(results_.WaitFor(1).output, HasSubstr("could not be reached"));
}

TEST_F(HttpToolRunnerTest, AnAnswerHasALimit) {
  AddTool("talk");
  HttpToolRunner::Options options;
  options.max_output_bytes = 1000;
  Start(options);
  endpoint_.SetAnswer(200, std::string(1000, 'x'));
  runner_->Run("a", "call-1", "tc-1", "talk", R"({"n":1})", results_.For("1"));
  EXPECT_EQ(results_.WaitFor(1).output, std::string(1000, 'x'));
  for (const size_t size : {1001, 2'000'000}) {
    endpoint_.SetAnswer(200, std::string(size, 'x'));
    runner_->Run("a", "call-1", absl::StrCat("tc", size), "talk", R"({"n":1})", results_.For("2"));
    EXPECT_TRUE(Eventually([&] { return results_.all().back().key == "2"; }));
    EXPECT_FALSE(results_.all().back().ok) << size;
    EXPECT_THAT(results_.all().back().output, HasSubstr("more than can be read"));
    results_.For("next")(true, "");
  }
}

TEST_F(HttpToolRunnerTest, OneCallsSlowToolsHoldUpNobodyElse) {
  AddTool("slow");
  AddTool("quick").url = "https://quick.example.com/";
  // Slow ones hang until the test lets them go.
  base::Mutex mutex;
  bool released = false;
  web::FakeWebClient web;
  web.Queue([&](const web::WebRequest& request) -> absl::StatusOr<web::WebResponse> {
    while (!absl::StartsWith(request.url, "https://quick")) {
      base::MutexLock lock(mutex);
      if (released) break;
    }
    return web::WebResponse{200, {}, "ok"};
  });
  HttpToolRunner::Options options;
  options.threads = 3;
  options.threads_per_call = 2;
  HttpToolRunner runner(settings_, web, options);
  for (int i = 0; i < 5; ++i) {
    runner.Run("a", "hog", absl::StrCat("tc-", i), "slow", R"({"n":1})", results_.For("slow"));
  }
  EXPECT_TRUE(Eventually([&] { return web.requests().size() == 2; }));
  runner.Run("a", "other", "tc-1", "quick", R"({"n":1})", results_.For("quick"));
  EXPECT_EQ(results_.WaitFor(1).key, "quick");
  EXPECT_THAT(web.requests(), SizeIs(3)) << "the first call has no more than its share";
  {
    base::MutexLock lock(mutex);
    released = true;
  }
  results_.WaitFor(6);
  EXPECT_THAT(web.requests(), SizeIs(6));
}

TEST_F(HttpToolRunnerTest, AFullQueueIsBusy) {
  AddTool("slow");
  endpoint_.Hold();
  HttpToolRunner::Options options;
  options.threads = 1;
  options.max_queued = 1;
  Start(options);
  runner_->Run("a", "c1", "tc-1", "slow", R"({"n":1})", results_.For("running"));
  EXPECT_TRUE(Eventually([&] { return endpoint_.requests().size() == 1; }));
  runner_->Run("a", "c2", "tc-1", "slow", R"({"n":1})", results_.For("queued"));
  runner_->Run("a", "c3", "tc-1", "slow", R"({"n":1})", results_.For("refused"));
  const auto refused = results_.WaitFor(1);
  EXPECT_EQ(refused.key, "refused");
  EXPECT_FALSE(refused.ok);
  EXPECT_THAT(refused.output, HasSubstr("Too many tools"));
  endpoint_.Release();
  results_.WaitFor(3);
  // It was not made, so it may be made.
  runner_->Run("a", "c3", "tc-1", "slow", R"({"n":1})", results_.For("again"));
  EXPECT_TRUE(results_.WaitFor(4).ok);
}

TEST_F(HttpToolRunnerTest, WhatWaitedTooLongIsNotSent) {
  AddTool("slow");
  AddTool("impatient").timeout = absl::Milliseconds(1);
  endpoint_.Hold();
  HttpToolRunner::Options options;
  options.threads = 1;
  Start(options);
  runner_->Run("a", "c1", "tc-1", "slow", R"({"n":1})", results_.For("slow"));
  EXPECT_TRUE(Eventually([&] { return endpoint_.requests().size() == 1; }));
  runner_->Run("a", "c2", "tc-1", "impatient", R"({"n":1})", results_.For("impatient"));
  const absl::Time waited = absl::Now() + absl::Milliseconds(20);
  EXPECT_TRUE(Eventually([&] { return absl::Now() > waited; }));
  endpoint_.Release();
  EXPECT_THAT(results_.WaitFor(2).output, HasSubstr("Too many tools"));
  EXPECT_THAT(endpoint_.requests(), SizeIs(1));
}

TEST_F(HttpToolRunnerTest, EndsWithAWordForEverybody) {
  AddTool("slow");
  endpoint_.Hold();
  HttpToolRunner::Options options;
  options.threads = 1;
  Start(options);
  for (int i = 0; i < 3; ++i) {
    runner_->Run("a", absl::StrCat("c", i), "tc-1", "slow", R"({"n":1})", results_.For("x"));
  }
  EXPECT_TRUE(Eventually([&] { return endpoint_.requests().size() == 1; }));
  web_->Stop();
  runner_.reset();
  ASSERT_THAT(results_.all(), SizeIs(3));
  for (const auto& result : results_.all()) EXPECT_FALSE(result.ok);
  EXPECT_THAT(endpoint_.requests(), SizeIs(1));
}

TEST_F(HttpToolRunnerTest, RemembersTheLatestIds) {
  AddTool("book");
  HttpToolRunner::Options options;
  options.remembered = 2;
  Start(options);
  for (const char* id : {"1", "2", "3"}) runner_->Run("a", "c", id, "book", R"({"n":1})", results_.For(id));
  results_.WaitFor(3);
  runner_->Run("a", "c", "2", "book", R"({"n":1})", results_.For("2"));
  EXPECT_FALSE(results_.WaitFor(4).ok);
}

TEST_F(HttpToolRunnerTest, CheckToolsNamesWhatIsWrong) {
  AddTool("book");
  EXPECT_TRUE(CheckTools(settings_).ok()) << CheckTools(settings_);
  const struct {
    const char* name;
    void (*spoil)(session::HttpTool&);
    const char* complaint;
  } rows[] = {
      {"schema", [](session::HttpTool& tool) { tool.parameters_json = R"({"type":"object","anyOf":[]})"; },
       "parameters_json: schema: unknown keyword 'anyOf'"},
      {"url", [](session::HttpTool& tool) { tool.url = "http://example.com/"; }, "url: not an https:// URL"},
      {"secret", [](session::HttpTool& tool) { tool.secret = "a\nb"; }, "secret_header: a line break"},
      {"header", [](session::HttpTool& tool) { tool.secret_header = "a\r\nX: y"; }, "secret_header: a line break"},
  };
  for (const auto& row : rows) {
    session::Settings settings = settings_;
    row.spoil(settings.agents["a"].tools[0]);
    const absl::Status status = CheckTools(settings);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << row.name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.complaint)) << row.name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("agent 'a', tool 'book'")) << row.name;
  }
  settings_.agents["a"].client_tools.push_back({"quote", "A price.", R"({"type":"object","anyOf":[]})"});
  EXPECT_THAT(std::string(CheckTools(settings_).message()),
              HasSubstr("agent 'a', tool 'quote', parameters_json: schema: unknown keyword 'anyOf'"));
}

}  // namespace
}  // namespace callbridge::tools
