#include "tests/integration/bridge_and_world.h"

#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "src/tape/reader.h"
#include "src/tape/replay.h"

namespace callbridge::testing {
namespace {

constexpr char kAuthId[] = "MASANDBOXSANDBOX0000";
constexpr char kAuthToken[] = "c2FuZGJveC1hdXRoLXRva2Vu";
constexpr char kApiKey[] = "sk-sandbox";

[[noreturn]] void Die(const absl::Status& status) {
  std::cerr << "the test's server or world did not start: " << status << "\n";
  std::abort();
}

std::string TempFolder() {
  const char* const base = std::getenv("TEST_TMPDIR");
  std::string pattern = absl::StrCat(base == nullptr ? "/tmp" : base, "/bridge.XXXXXX");
  if (mkdtemp(&pattern[0]) == nullptr) Die(absl::InternalError("mkdtemp failed"));
  return pattern;
}

session::Settings SandboxSettings() {
  session::Settings settings;
  session::Agent agent;
  agent.session.instructions = "You answer the phone.";
  agent.greeting_prompt = "Greet the caller.";
  agent.caller_id = "+14155550100";
  settings.agents["sandbox"] = agent;
  settings.default_agent = "sandbox";
  settings.destinations["sales"].call.targets.push_back({"+14155550142"});
  settings.destinations["sales"].description = "buying";
  settings.destinations["support"].call.targets.push_back({"+14155550143"});
  settings.destinations["support"].description = "repairs";
  settings.allowed_prefixes = {"+1415555"};
  settings.transfer_prefixes = {"+1415555014"};
  return settings;
}

void Prepare(grpc::ClientContext& context) {
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
}

}  // namespace

int FreePort() {
  std::random_device random;
  for (int tries = 0; tries < 100; ++tries) {
    const int port = std::uniform_int_distribution<int>(20'000, 32'000)(random);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    close(fd);
    if (is_free) return port;
  }
  Die(absl::InternalError("no free port"));
}

BridgeAndWorld::BridgeAndWorld(const Tweaks& tweaks) : folder_(TempFolder()) {
  // Another test's process may take a port between the look at it and the server's start.
  absl::Status started = Start(tweaks);
  for (int tries = 1; !started.ok() && tries < 5 && absl::StrContains(started.message(), "the port is in use");
       ++tries) {
    world_->Stop();
    started = Start(tweaks);
  }
  if (!started.ok()) Die(started);
}

absl::Status BridgeAndWorld::Start(const Tweaks& tweaks) {
  port_ = FreePort();
  grpc_port_ = FreePort();
  const std::string url = absl::StrCat("http://127.0.0.1:", port_);
  sim::World::Options world;
  world.carrier.auth_id = kAuthId;
  world.carrier.auth_token = kAuthToken;
  world.carrier.answer_url = url + "/answer";
  world.carrier.hangup_url = url + "/hangup";
  world.carrier.public_base = url;
  world.carrier.dial_base = url;
  world.carrier.dials_per_second = 100;
  world.model.api_key = kApiKey;
  auto started = sim::World::Start(world);
  if (!started.ok()) return started.status();
  world_ = *std::move(started);

  app::Options options;
  options.http_listen = absl::StrCat("127.0.0.1:", port_);
  options.grpc_listen = absl::StrCat("127.0.0.1:", grpc_port_);
  options.admin_listen = "127.0.0.1:0";
  options.public_url = url;
  options.database_url = absl::StrCat("sqlite:", folder_, "/calls.db");
  options.openai_url = absl::StrCat("ws://127.0.0.1:", world_->model().port(), "/v1/realtime");
  options.openai_rest_url = absl::StrCat("http://127.0.0.1:", world_->model().port(), "/v1");
  options.plivo_api_url = absl::StrCat("http://127.0.0.1:", world_->carrier().port());
  options.webhook_auth = "signature";
  options.media_threads = 2;
  options.openai_api_key = kApiKey;
  options.plivo_auth_id = kAuthId;
  options.plivo_auth_token = kAuthToken;
  if (tweaks.options) tweaks.options(options);
  session::Settings settings = SandboxSettings();
  settings.public_url = options.public_url;
  settings.model_url = options.openai_url;
  settings.model_api_key = options.openai_api_key;
  settings.text_model_url = options.openai_rest_url;
  settings.tape_dir = folder_ + "/tapes";
  std::filesystem::create_directory(settings.tape_dir);
  if (tweaks.settings) tweaks.settings(settings);
  auto application = app::Application::Start(options, std::move(settings), tweaks.wrap);
  if (!application.ok()) return application.status();
  application_ = *std::move(application);
  return absl::OkStatus();
}

BridgeAndWorld::~BridgeAndWorld() {
  StopServer();
  world_->Stop();
}

void BridgeAndWorld::StopServer() {
  if (application_ == nullptr) return;
  application_->Stop();
  application_.reset();
  ReplayTapes();
}

void BridgeAndWorld::ReplayTapes() const {
  size_t tapes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/tapes")) {
    ++tapes;
    const auto tape = tape::ReadTapeFile(entry.path());
    ASSERT_TRUE(tape.ok()) << entry.path() << ": " << tape.status();
    const tape::Verdict verdict = tape::Replay(*tape);
    EXPECT_TRUE(verdict.same) << entry.path() << ":\n" << verdict.difference;
    EXPECT_TRUE(verdict.complete) << entry.path();
  }
  EXPECT_EQ(tapes, Query("SELECT id FROM call_logs").size()) << "a call left no tape";
}

std::vector<Row> BridgeAndWorld::Query(const std::string& sql) const {
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
    sqlite3_exec(database, sql.c_str(), collect, &rows, nullptr);
  }
  sqlite3_close(database);
  return rows;
}

std::string BridgeAndWorld::Column(const std::string& call_id, const std::string& column) const {
  const auto rows = Query(absl::StrCat("SELECT ", column, " FROM call_logs WHERE id = '", call_id, "'"));
  return rows.empty() ? "" : rows[0][0];
}

bool BridgeAndWorld::WaitFor(const std::function<bool()>& condition, absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (absl::Now() < deadline) {
    if (condition()) return true;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return condition();
}

bool BridgeAndWorld::WaitForEnd(const std::string& call_id, absl::Duration limit) {
  return WaitFor(
      [&] {
        const std::string state = Column(call_id, "state");
        return (state == "completed" || state == "failed") && application_->live_calls() == 0;
      },
      limit);
}

std::string BridgeAndWorld::NewestCall(size_t known) const {
  std::vector<Row> rows;
  WaitFor([&] {
    rows = Query("SELECT id FROM call_logs ORDER BY created_at");
    return rows.size() > known;
  });
  return rows.size() > known ? rows.back()[0] : "";
}

std::string BridgeAndWorld::CallIn(const std::string& text) {
  const size_t known = Query("SELECT id FROM call_logs").size();
  const auto scenario = world_->Read(text, "test");
  if (!scenario.ok()) Die(scenario.status());
  const auto call = world_->carrier().CallIn(*scenario);
  if (!call.ok()) Die(call.status());
  return NewestCall(known);
}

std::unique_ptr<v1::CallService::Stub> BridgeAndWorld::Stub() const {
  return v1::CallService::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", grpc_port_), grpc::InsecureChannelCredentials()));
}

v1::Transfer BridgeAndWorld::TransferToNumber(const std::string& call_id, const std::string& number) {
  v1::TransferCallRequest request;
  request.set_call("calls/" + call_id);
  request.set_number(number);
  v1::TransferCallResponse response;
  grpc::ClientContext context;
  Prepare(context);
  const grpc::Status status = Stub()->TransferCall(&context, request, &response);
  if (!status.ok()) Die(absl::InternalError(status.error_message()));
  return response.transfer();
}

grpc::Status BridgeAndWorld::CancelTransfer(const std::string& name, v1::Transfer* transfer) {
  v1::CancelTransferRequest request;
  request.set_transfer(name);
  v1::CancelTransferResponse response;
  grpc::ClientContext context;
  Prepare(context);
  const grpc::Status status = Stub()->CancelTransfer(&context, request, &response);
  *transfer = response.transfer();
  return status;
}

std::string BridgeAndWorld::CallOut(const std::string& text) {
  const auto scenario = world_->Read(text, "test");
  if (!scenario.ok()) Die(scenario.status());
  world_->carrier().RegisterPhone(*scenario);
  v1::StartCallRequest request;
  request.mutable_call()->set_to("+" + scenario->to);
  v1::StartCallResponse response;
  grpc::ClientContext context;
  Prepare(context);
  const grpc::Status status = Stub()->StartCall(&context, request, &response);
  if (!status.ok()) Die(absl::InternalError(status.error_message()));
  return std::string(absl::StripPrefix(response.call().name(), "calls/"));
}

sim::CarrierCallReport BridgeAndWorld::CarrierReport() const {
  const auto calls = world_->carrier().Calls();
  return calls.empty() ? sim::CarrierCallReport() : calls.back();
}

sim::ModelSessionReport BridgeAndWorld::ModelReport() const {
  const auto sessions = world_->model().Sessions();
  return sessions.empty() ? sim::ModelSessionReport() : sessions.back();
}

std::vector<std::string> BridgeAndWorld::Faults() const {
  std::vector<std::string> faults = world_->carrier().Violations();
  for (const auto& call : world_->carrier().Calls()) {
    for (const auto& violation : call.violations) faults.push_back("carrier: " + violation);
    for (const auto& step : call.failed_steps) faults.push_back("person: " + step);
  }
  for (const auto& session : world_->model().Sessions()) {
    for (const auto& refused : session.refused) faults.push_back("model: " + refused);
    for (const auto& problem : session.problems) faults.push_back("scenario: " + problem);
  }
  return faults;
}

}  // namespace callbridge::testing
