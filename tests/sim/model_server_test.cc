#include "src/sim/model_server.h"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/mutex.h"
#include "src/net/event_loop.h"
#include "tests/sim/model_session_fixture.h"

namespace callbridge::sim {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr absl::Duration kPatience = absl::Seconds(20);

// A client whose test thread waits for what it wants to see.
class Client final : public net::WsConnection::Listener {
 public:
  explicit Client(net::EventLoop& loop) : loop_(loop) {}
  ~Client() override {
    if (connection_ == nullptr) return;
    Do([this] { connection_->Abort(); });
    EXPECT_TRUE(Until([this] { return closed_; }));
  }

  void Connect(int port, const std::string& target = "/v1/realtime?model=gpt-realtime-2.1",
               const std::string& key = "sk-sandbox") {
    net::WsClientOptions options;
    options.url = absl::StrCat("ws://127.0.0.1:", port, target);
    options.headers = {{"Authorization", absl::StrCat("Bearer ", key)}};
    Do([&] { connection_ = loop_.connector().Connect(options, *this); });
  }
  void Send(const Json& event) {
    const std::string text = event.dump();
    Do([&] { EXPECT_TRUE(connection_->Send({text})); });
  }
  void Close() {
    Do([this] { connection_->Close(1000, ""); });
  }
  void Abort() {
    Do([this] { connection_->Abort(); });
  }

  // Whether an event of that type came, in time.
  bool Await(const std::string& type) {
    return Until([&] {
      for (const Json& event : events_) {
        if (event.contains("type") && event["type"] == type) return true;
      }
      return false;
    });
  }
  Json Find(const std::string& type) {
    base::MutexLock lock(mutex_);
    for (const Json& event : events_) {
      if (event.contains("type") && event["type"] == type) return event;
    }
    return nullptr;
  }
  bool AwaitClosed() {
    return Until([this] { return closed_; });
  }
  net::WsClose closing() {
    base::MutexLock lock(mutex_);
    return close_;
  }

  void OnOpen(net::WsConnection& connection) override {}
  void OnText(absl::string_view message) override {
    base::MutexLock lock(mutex_);
    events_.push_back(Json::parse(message, nullptr, false));
    changed_.NotifyAll();
  }
  void OnBinary(size_t bytes) override {}
  void OnClosed(const net::WsClose& close) override {
    base::MutexLock lock(mutex_);
    close_ = close;
    closed_ = true;
    changed_.NotifyAll();
  }

 private:
  // Runs on the loop and waits for it.
  void Do(const std::function<void()>& work) {
    bool done = false;
    loop_.Post([&] {
      work();
      base::MutexLock lock(mutex_);
      done = true;
      changed_.NotifyAll();
    });
    EXPECT_TRUE(Until([&] { return done; }));
  }
  bool Until(const std::function<bool()>& condition) {
    const absl::Time deadline = absl::Now() + kPatience;
    base::MutexLock lock(mutex_);
    while (!condition()) {
      if (absl::Now() > deadline) return false;
      changed_.WaitFor(mutex_, std::chrono::milliseconds(100));
    }
    return true;
  }

  net::EventLoop& loop_;
  std::shared_ptr<net::WsConnection> connection_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<Json> events_;
  bool closed_ = false;
  net::WsClose close_;
};

class ModelServerTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<ModelServer>> started = ModelServer::Start({}, TestSpeech());
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
  }

  static Scenario Script(const std::string& name, const std::string& clip) {
    Scenario scenario;
    scenario.name = name;
    ModelReply reply;
    reply.speech.push_back({clip});
    scenario.replies = {reply};
    return scenario;
  }

  // Reports reach us from the loop: a session's end is seen a moment after the client's.
  ModelSessionReport Ended(size_t index) {
    const absl::Time deadline = absl::Now() + kPatience;
    for (;;) {
      const std::vector<ModelSessionReport> sessions = server->Sessions();
      if ((index < sessions.size() && !sessions[index].open) || absl::Now() > deadline) return sessions.at(index);
      absl::SleepFor(absl::Milliseconds(5));
    }
  }

  std::unique_ptr<net::EventLoop> loop = net::EventLoop::Start("client");
  std::unique_ptr<ModelServer> server;
};

Json Configure() {
  return {
      {"type", "session.update"},
      {"session",
       {{"type", "realtime"},
        {"audio",
         {{"input", {{"format", {{"type", "audio/pcmu"}}}}}, {"output", {{"format", {{"type", "audio/pcmu"}}}}}}}}}};
}

TEST_F(ModelServerTest, TwoSessionsFollowTheirOwnScripts) {
  server->QueueScenario(Script("first", "hello-world"));
  server->QueueScenario(Script("second", "vm-goodbye"));
  server->SetDefault(Script("others", "im-sorry"));
  Client one(*loop), two(*loop), three(*loop);
  const std::vector<std::pair<Client*, std::string>> expected = {
      {&one, "Hello world."}, {&two, "Goodbye."}, {&three, "I'm sorry."}};
  for (const auto& [client, words] : expected) {
    client->Connect(server->port());
    ASSERT_TRUE(client->Await("session.created"));
    client->Send(Configure());
    client->Send({{"type", "response.create"}});
  }
  for (const auto& [client, words] : expected) {
    ASSERT_TRUE(client->Await("response.done"));
    EXPECT_EQ(client->Find("response.done")["response"]["output"][0]["content"][0]["transcript"], words);
    client->Close();
    ASSERT_TRUE(client->AwaitClosed());
    EXPECT_EQ(client->closing().code, 1000);
  }
  EXPECT_EQ(Ended(0).scenario, "first");
  EXPECT_EQ(Ended(1).scenario, "second");
  EXPECT_EQ(Ended(2).scenario, "others");
  EXPECT_EQ(Ended(0).close_code, 1000);
  EXPECT_EQ(Ended(0).items.at(0).mulaw, TestSpeech()->Find("hello-world")->mulaw);
}

TEST_F(ModelServerTest, HearsACallerAndAnswersOverTheSocket) {
  Scenario scenario = Script("turn", "vm-goodbye");
  server->QueueScenario(scenario);
  Client client(*loop);
  client.Connect(server->port());
  ASSERT_TRUE(client.Await("session.created"));
  client.Send(Configure());
  const std::string audio = TestSpeech()->Find("hello-world")->mulaw + std::string(8000, '\xff');
  for (size_t at = 0; at < audio.size(); at += 160) {
    client.Send({{"type", "input_audio_buffer.append"}, {"audio", absl::Base64Escape(audio.substr(at, 160))}});
  }
  ASSERT_TRUE(client.Await("response.done"));
  client.Close();
  ASSERT_TRUE(client.AwaitClosed());
  EXPECT_THAT(Ended(0).heard_words, testing::ElementsAre("Hello world."));
}

TEST_F(ModelServerTest, RefusesAfterTheUpgradeAndDuringIt) {
  struct Row {
    const char* name;
    const char* target;
    const char* key;
    const char* code;  // Of the error event.
    int close;
    int http;
  } rows[] = {
      {"wrong key", "/v1/realtime?model=gpt-realtime-2.1", "sk-wrong", "invalid_api_key", 3000, 0},
      {"no model", "/v1/realtime", "sk-sandbox", "missing_model", 4000, 0},
      {"wrong model", "/v1/realtime?model=gpt-9", "sk-sandbox", "invalid_model", 4000, 0},
      {"wrong path", "/v2/realtime?model=gpt-realtime", "sk-sandbox", nullptr, 0, 404},
  };
  for (const Row& row : rows) {
    Client client(*loop);
    client.Connect(server->port(), row.target, row.key);
    ASSERT_TRUE(client.AwaitClosed()) << row.name;
    EXPECT_EQ(client.closing().code, row.close) << row.name;
    EXPECT_EQ(client.closing().http_status, row.http) << row.name;
    if (row.code == nullptr) continue;
    EXPECT_EQ(client.Find("error")["error"]["code"], row.code) << row.name;
    EXPECT_EQ(client.closing().reason, absl::StrCat("invalid_request_error.", row.code)) << row.name;
    EXPECT_TRUE(client.Find("session.created").is_null()) << row.name;
  }
}

TEST_F(ModelServerTest, RefusesByScript) {
  Scenario http = Script("http", "hello-world");
  http.model.refuse = "http:429";
  Scenario error = Script("error", "hello-world");
  error.model.refuse = "error:insufficient_quota";
  server->QueueScenario(http);
  server->QueueScenario(error);
  Client first(*loop), second(*loop);
  first.Connect(server->port());
  ASSERT_TRUE(first.AwaitClosed());
  EXPECT_FALSE(first.closing().opened);
  EXPECT_EQ(first.closing().http_status, 429);
  second.Connect(server->port());
  ASSERT_TRUE(second.AwaitClosed());
  EXPECT_EQ(second.Find("error")["error"]["code"], "insufficient_quota");
  EXPECT_EQ(second.closing().code, 3000);
}

TEST_F(ModelServerTest, BreaksByScript) {
  Scenario aborts = Script("aborts", "hello-world");
  aborts.model.faults.push_back({absl::Milliseconds(50), "abort"});
  Scenario closes = Script("closes", "hello-world");
  closes.model.faults.push_back({absl::Milliseconds(50), "close:1011"});
  server->QueueScenario(aborts);
  server->QueueScenario(closes);
  for (const int code : {1006, 1011}) {
    Client client(*loop);
    client.Connect(server->port());
    ASSERT_TRUE(client.AwaitClosed());
    EXPECT_TRUE(client.closing().opened);
    EXPECT_EQ(client.closing().code, code);
    EXPECT_FALSE(client.Find("session.created").is_null());
  }
}

// Nothing names the call that a session is for; the one whose session broke comes back for its script.
TEST_F(ModelServerTest, ABrokenSessionsCallGoesOnWithItsScript) {
  Scenario broken = Script("broken", "hello-world");
  ModelReply second;
  second.speech.push_back({"vm-goodbye"});
  broken.replies.push_back(second);
  ModelManners::Fault fault{absl::ZeroDuration(), "abort"};
  fault.session = 1;
  fault.response = 2;
  broken.model.faults.push_back(fault);
  broken.model.refusals[2] = "http:503";
  server->QueueScenario(broken);
  server->SetDefault(Script("others", "im-sorry"));
  Client one(*loop), two(*loop), three(*loop), four(*loop);
  one.Connect(server->port());
  ASSERT_TRUE(one.Await("session.created"));
  one.Send(Configure());
  one.Send({{"type", "response.create"}});
  ASSERT_TRUE(one.Await("response.done"));
  one.Send({{"type", "conversation.item.create"},
            {"item",
             {{"type", "message"},
              {"role", "user"},
              {"content", Json::array({Json{{"type", "input_text"}, {"text", "And?"}}})}}}});
  one.Send({{"type", "response.create"}});
  ASSERT_TRUE(one.AwaitClosed());
  EXPECT_EQ(one.closing().code, 1006);
  two.Connect(server->port());
  ASSERT_TRUE(two.AwaitClosed());
  EXPECT_EQ(two.closing().http_status, 503);
  three.Connect(server->port());
  ASSERT_TRUE(three.Await("session.created"));
  three.Send(Configure());
  three.Send({{"type", "response.create"}});
  ASSERT_TRUE(three.Await("response.done"));
  // Both replies were begun in the first session.
  EXPECT_EQ(three.Find("response.done")["response"]["output"][0]["content"][0]["transcript"],
            "Thank you for your patience.");
  four.Connect(server->port());
  ASSERT_TRUE(four.Await("session.created"));
  three.Close();
  four.Close();
  EXPECT_EQ(Ended(0).scenario, "broken");
  EXPECT_EQ(Ended(1).scenario, "broken");
  EXPECT_EQ(Ended(1).number, 3);  // The second was never opened.
  EXPECT_EQ(Ended(2).scenario, "others");
}

TEST_F(ModelServerTest, SeesAClientThatVanishes) {
  Client client(*loop);
  client.Connect(server->port());
  ASSERT_TRUE(client.Await("session.created"));
  client.Send(Configure());
  client.Send({{"type", "response.create"}});
  ASSERT_TRUE(client.Await("response.created"));
  client.Abort();
  ASSERT_TRUE(client.AwaitClosed());
  EXPECT_EQ(Ended(0).close_code, 1006);
}

TEST_F(ModelServerTest, StopsWithSessionsOpen) {
  Client client(*loop);
  client.Connect(server->port());
  ASSERT_TRUE(client.Await("session.created"));
  server->Stop();
  ASSERT_TRUE(client.AwaitClosed());
  EXPECT_THAT(server->Sessions(), SizeIs(1));
  EXPECT_FALSE(server->Sessions()[0].open);
  server->Stop();
}

TEST(ModelServerStartTest, SaysWhatIsWrong) {
  ModelServer::Options options;
  options.threads = 0;
  EXPECT_EQ(ModelServer::Start(options, TestSpeech()).status().code(), absl::StatusCode::kInvalidArgument);
  options.threads = 1;
  options.listen = "nowhere";
  EXPECT_FALSE(ModelServer::Start(options, TestSpeech()).ok());
}

}  // namespace
}  // namespace callbridge::sim
