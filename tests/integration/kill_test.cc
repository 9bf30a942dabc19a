// The real server is killed at a random instant under live calls, and started again on the same database: every call is
// closed there and at the carrier, and nothing is missing that somebody had been told. KILL_ROUNDS and KILL_SEED make
// it more and other instants.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "src/demo/bridge_client.h"
#include "src/demo/processes.h"
#include "src/sim/world.h"

namespace callbridge::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kAuthId[] = "MASANDBOXSANDBOX0000";
constexpr char kAuthToken[] = "c2FuZGJveC1hdXRoLXRva2Vu";
constexpr char kApiKey[] = "sk-sandbox";
constexpr char kConfig[] = R"(
agents {
  key: "desk"
  instructions: "You answer the phone."
  greeting_prompt: "Greet the caller."
  caller_id: "+14155550100"
  after_call { summary: TEXT_MODEL }
}
inbound_numbers { number: "+14155550100" agent: "desk" }
destinations { key: "sales" number: "+14155550142" description: "Buying." }
allowed_prefixes: "+1415555"
)";
// Somebody who talks for longer than the server lives, and somebody who is brief.
constexpr char kTalker[] =
    "[person]\nwait assistant done 200ms\nrepeat 12\nsay vm-youhave\nwait assistant done 200ms\nend\n"
    "[model]\nreply: say dir-welcome\nreply: say vm-login\nreply: say vm-login\nreply: say vm-login\nreply: say "
    "vm-login\n"
    "reply: say vm-login\n";
constexpr char kBriefCaller[] = "14155550122";
constexpr char kBrief[] =
    "summary: They left a message.\n[person]\nwait assistant speaking 300ms\nhang up\n[model]\nreply: say "
    "dir-welcome\n";

using Row = std::vector<std::string>;

int FromEnvironment(const char* name, int otherwise) {
  int value = otherwise;
  const char* const text = std::getenv(name);
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

bool WaitFor(const std::function<bool()>& condition, absl::Duration limit = absl::Seconds(30)) {
  const absl::Time deadline = absl::Now() + limit;
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return true;
}

// A world that lives on, and a server that does not.
class KilledServer {
 public:
  KilledServer() {
    std::string pattern = absl::StrCat(::testing::TempDir(), "/kill.XXXXXX");
    folder_ = mkdtemp(&pattern[0]);
    std::ofstream(folder_ + "/config.textproto") << kConfig;
    ports_ = *demo::FreePorts(3);
    url_ = absl::StrCat("http://127.0.0.1:", ports_[0]);
    sim::World::Options options;
    options.carrier.auth_id = kAuthId;
    options.carrier.auth_token = kAuthToken;
    options.carrier.answer_url = url_ + "/answer";
    options.carrier.hangup_url = url_ + "/hangup";
    options.carrier.public_base = url_;
    options.carrier.dial_base = url_;
    options.carrier.dials_per_second = 100;
    options.model.api_key = kApiKey;
    auto world = sim::World::Start(options);
    EXPECT_TRUE(world.ok()) << world.status();
    world_ = *std::move(world);
  }
  ~KilledServer() {
    client_.reset();
    server_.reset();
    world_->Stop();
  }

  // Whether it is ready; it may have been killed meanwhile by `kill_after`.
  bool Start(absl::Duration kill_after = absl::InfiniteDuration()) {
    client_.reset();
    server_.reset();
    const int model = world_->model().port();
    demo::Command command;
    command.path = "src/app/callbridge";
    command.log_path = absl::StrCat(folder_, "/server.", ++starts_, ".log");
    command.arguments = {absl::StrCat("--http_listen=127.0.0.1:", ports_[0]),
                         absl::StrCat("--grpc_listen=127.0.0.1:", ports_[1]),
                         absl::StrCat("--admin_listen=127.0.0.1:", ports_[2]),
                         "--public_url=" + url_,
                         absl::StrCat("--openai_url=ws://127.0.0.1:", model, "/v1/realtime"),
                         absl::StrCat("--openai_rest_url=http://127.0.0.1:", model, "/v1"),
                         absl::StrCat("--plivo_api_url=http://127.0.0.1:", world_->carrier().port()),
                         "--database_url=sqlite:" + folder_ + "/calls.db",
                         "--config=" + folder_ + "/config.textproto",
                         "--media_threads=2"};
    command.environment = {absl::StrCat("OPENAI_API_KEY=", kApiKey), absl::StrCat("PLIVO_AUTH_ID=", kAuthId),
                           absl::StrCat("PLIVO_AUTH_TOKEN=", kAuthToken)};
    auto started = demo::Process::Start(command);
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    const absl::Time kill_at = absl::Now() + kill_after;
    const auto ready = [&] { return absl::StrContains(Log(), "callbridge is ready"); };
    EXPECT_TRUE(WaitFor([&] { return ready() || !server_->Running() || absl::Now() > kill_at; })) << Log();
    if (absl::Now() > kill_at) {
      Kill();
      return false;
    }
    return ready();
  }

  void Subscribe() {
    auto client = demo::BridgeClient::Connect(absl::StrCat("127.0.0.1:", ports_[1]), absl::Seconds(20));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  void Kill() {
    kill(server_->pid(), SIGKILL);
    server_.reset();
  }

  std::string Log() const { return demo::LastLines(server_->log_path(), 1000); }
  demo::BridgeClient& client() { return *client_; }
  sim::World& world() { return *world_; }

  std::vector<Row> Query(const std::string& sql) const {
    std::vector<Row> rows;
    sqlite3* database = nullptr;
    if (sqlite3_open_v2((folder_ + "/calls.db").c_str(), &database, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
      sqlite3_busy_timeout(database, 2000);
      const auto collect = [](void* into, int columns, char** values, char**) {
        Row row;
        for (int i = 0; i < columns; ++i) row.push_back(values[i] == nullptr ? "" : values[i]);
        static_cast<std::vector<Row>*>(into)->push_back(std::move(row));
        return 0;
      };
      char* error = nullptr;
      sqlite3_exec(database, sql.c_str(), collect, &rows, &error);
      EXPECT_EQ(error, nullptr) << error;
      sqlite3_free(error);
    }
    sqlite3_close(database);
    return rows;
  }

  void CallIn(const std::string& number, const std::string& text) {
    const auto scenario = world_->Read("call: inbound\nfrom: " + number + "\nto: 14155550100\n" + text, "test");
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    ASSERT_TRUE(world_->carrier().CallIn(*scenario).ok());
  }
  void RegisterPhone(const std::string& number, const std::string& text) {
    const auto scenario = world_->Read("call: outbound\nto: " + number + "\n" + text, "test");
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    world_->carrier().RegisterPhone(*scenario);
  }

 private:
  std::string folder_;
  std::vector<int> ports_;
  std::string url_;
  int starts_ = 0;
  std::unique_ptr<sim::World> world_;
  std::unique_ptr<demo::Process> server_;
  std::unique_ptr<demo::BridgeClient> client_;
};

std::string Id(const std::string& name) { return std::string(absl::StripPrefix(name, "calls/")); }

class Kill : public ::testing::TestWithParam<int> {};

TEST_P(Kill, EveryCallIsClosedAndNothingIsMissing) {
  const uint32_t seed = static_cast<uint32_t>(FromEnvironment("KILL_SEED", 1000) + GetParam());
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  KilledServer server;
  ASSERT_TRUE(server.Start()) << server.Log();
  server.Subscribe();
  server.CallIn("14155550121", kTalker);
  server.CallIn(kBriefCaller, kBrief);
  server.RegisterPhone("14155550151", absl::StrCat("pickup: answer after 200ms\n", kTalker));
  server.RegisterPhone("14155550152", "pickup: no answer\n[person]\nhang up\n");
  // One is being asked for at the time of the kill, maybe.
  std::vector<std::string> acknowledged;
  std::thread caller([&server, &acknowledged] {
    for (const char* const number : {"+14155550151", "+14155550152"}) {
      auto name = server.client().StartCall(number, "desk");
      if (name.ok()) acknowledged.push_back(Id(*name));
    }
  });
  absl::SleepFor(absl::Milliseconds(random() % 4000));
  server.Kill();
  caller.join();
  // All that the subscriber has been sent, to the last.
  std::vector<v1::CallEvent> sent;
  for (auto event = server.client().NextEvent(absl::Seconds(10)); event.ok() && *event;
       event = server.client().NextEvent(absl::Seconds(10)))
    sent.push_back(**event);
  std::set<std::string> up;  // What the carrier has not ended by itself.
  for (const auto& call : server.world().carrier().Calls()) {
    if (!call.over) up.insert(call.call_uuid);
  }

  // In every other round the next start is killed, too.
  if (random() % 2 == 0) server.Start(absl::Milliseconds(random() % 300));
  ASSERT_TRUE(server.Start()) << server.Log();

  for (const Row& row : server.Query("SELECT id, state, end_reason, ended_at, duration, event_head, carrier_call_id, "
                                     "answered_at FROM call_logs")) {
    SCOPED_TRACE(row[0]);
    EXPECT_TRUE(row[1] == "completed" || row[1] == "failed") << row[1];
    EXPECT_NE(row[2], "");
    EXPECT_NE(row[3], "");
    if (row[7] != "") {
      EXPECT_NE(row[4], "");
    }
    const auto events = server.Query(absl::StrCat(
        "SELECT count(*), max(sequence), sum(type = 'call_ended') FROM call_events WHERE call_id = '", row[0], "'"));
    EXPECT_EQ(events[0][0], events[0][1]);
    EXPECT_EQ(events[0][2], "1");
    if (row[2] != "process_lost" || up.count(row[6]) == 0) continue;
    const auto over = [&] { return server.world().carrier().Call(row[6])->over; };
    EXPECT_TRUE(WaitFor(over)) << "still up at the carrier";
    const auto ended = *server.world().carrier().Call(row[6]);
    bool asked = false;
    for (const auto& step : ended.steps) asked |= step.what == "rest" && step.detail == "DELETE Call";
    // Its stream gone and nobody at the webhooks, the carrier ends some calls before it can be asked to; and one caller
    // has little to say and hangs up.
    const std::string by = ended.hangup_source;
    EXPECT_TRUE(asked || by == "Error" || by == "Answer XML" ||
                (by == "Caller" && absl::EndsWith(ended.from, kBriefCaller)))
        << by;
  }
  for (const std::string& call : acknowledged) {
    EXPECT_EQ(server.Query("SELECT id FROM call_logs WHERE id = '" + call + "'").size(), 1u)
        << call << " was acknowledged";
  }
  for (const v1::CallEvent& event : sent) {
    const std::string where = absl::StrCat(" WHERE call_id = '", Id(event.call()), "' AND ");
    EXPECT_EQ(server.Query(absl::StrCat("SELECT type FROM call_events", where, "sequence = ", event.sequence())),
              (std::vector<Row>{{event.type()}}))
        << event.call() << " was sent " << event.sequence();
    if (!event.has_transcript_item_final()) continue;
    const v1::TranscriptItem& item = event.transcript_item_final().item();
    EXPECT_EQ(server.Query(
                  absl::StrCat("SELECT text_heard FROM transcript_items", where, "item_id = '", item.item_id(), "'")),
              (std::vector<Row>{{item.text_heard()}}));
    const auto transcript = server.Query("SELECT transcript FROM call_logs WHERE id = '" + Id(event.call()) + "'");
    EXPECT_THAT(transcript[0][0], HasSubstr(item.text_heard()));
  }
  // Summaries that are due are made.
  EXPECT_TRUE(WaitFor([&] { return server.Query("SELECT call_id FROM summary_jobs").empty(); }));
  for (const Row& row : server.Query("SELECT id, transcript, summary FROM call_logs")) {
    if (row[1] != "") {
      EXPECT_NE(row[2], "") << row[0] << ": " << row[1];
    }
  }
  // And a new subscriber is told everything from the beginning, once.
  server.Subscribe();
  const auto open = [&] { return server.Query("SELECT count(*) FROM call_events")[0][0]; };
  std::map<std::string, int64_t> heads;
  size_t total = 0;
  WaitFor([&] {
    for (;;) {
      const auto event = server.client().NextEvent(absl::Milliseconds(50));
      if (!event.ok() || !*event) break;
      EXPECT_EQ((*event)->sequence(), ++heads[(*event)->call()]);
      ++total;
    }
    return absl::StrCat(total) == open();
  });
  EXPECT_EQ(absl::StrCat(total), open());
  std::map<std::string, int> dialled;
  for (const auto& call : server.world().carrier().Calls()) {
    if (call.outbound) ++dialled[call.to];
  }
  for (const auto& [number, times] : dialled) EXPECT_EQ(times, 1) << number << " was dialled again";
  EXPECT_THAT(server.world().carrier().Violations(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Rounds, Kill, ::testing::Range(0, FromEnvironment("KILL_ROUNDS", 20)));

}  // namespace
}  // namespace callbridge::testing
