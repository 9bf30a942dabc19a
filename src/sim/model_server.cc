#include "src/sim/model_server.h"

#include <deque>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/mutex.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"
#include "src/sim/model_handshake.h"
#include "src/sim/model_script.h"
#include "src/sim/model_session.h"

namespace callbridge::sim {
namespace {

// 15 MiB of audio in base64, and its envelope.
constexpr size_t kMaxMessage = 24 << 20;
// Calls that may come back for another session.
constexpr size_t kScriptsKept = 256;

// One socket and its session. Lives as long as the server, for its report. The session runs on the loop; the mutex is
// for reports, which any thread may ask for.
class Connection final : public net::WsConnection::Listener, public ModelSink {
 public:
  Connection(net::Loop& loop, HandshakeVerdict verdict, ModelSession::Options options,
             std::shared_ptr<const SpeechLibrary> speech)
      : loop_(loop), verdict_(std::move(verdict)), session_(std::move(options), std::move(speech), *this) {}

  void OnOpen(net::WsConnection& connection) override {
    connection_ = &connection;
    timer_ = loop_.NewTimer([this] { InSession([&](absl::Time now) { session_.OnTime(now); }); });
    InSession([&](absl::Time now) { session_.Open(verdict_, now); });
  }
  void OnText(absl::string_view message) override {
    InSession([&](absl::Time now) { session_.OnText(message, now); });
  }
  void OnBinary(size_t bytes) override {
    InSession([&](absl::Time now) { session_.OnBinary(now); });
  }
  void OnClosed(const net::WsClose& close) override {
    connection_ = nullptr;
    timer_ = nullptr;
    base::MutexLock lock(mutex_);
    session_.OnClosed(close.code, loop_.clock().Now());
  }

  void Send(absl::string_view text) override {
    // A client that does not read loses its session, as any server's would.
    if (connection_ != nullptr && !connection_->Send({text})) connection_->Abort();
  }
  void Close(int code, absl::string_view reason) override {
    if (connection_ != nullptr) connection_->Close(static_cast<uint16_t>(code), reason);
  }
  void Abort() override {
    if (connection_ != nullptr) connection_->Abort();
  }

  ModelSessionReport Report() const {
    base::MutexLock lock(mutex_);
    return session_.Report();
  }

 private:
  template <typename Work>
  void InSession(Work work) {
    absl::Time next;
    {
      base::MutexLock lock(mutex_);
      work(loop_.clock().Now());
      next = session_.NextDeadline();
    }
    if (timer_ == nullptr || next == timer_set_for_) return;
    timer_set_for_ = next;
    if (next == absl::InfiniteFuture()) {
      timer_->Cancel();
    } else {
      timer_->Set(next);
    }
  }

  net::Loop& loop_;
  const HandshakeVerdict verdict_;
  net::WsConnection* connection_ = nullptr;
  std::unique_ptr<net::Timer> timer_;
  absl::Time timer_set_for_ = absl::InfiniteFuture();
  mutable base::Mutex mutex_;
  ModelSession session_;
};

class SocketModelServer final : public ModelServer, private net::ServerDelegate {
 public:
  SocketModelServer(const Options& options, std::shared_ptr<const SpeechLibrary> speech)
      : options_(options), speech_(std::move(speech)), text_model_(options.api_key) {
    default_.name = "default";
  }
  ~SocketModelServer() override { Stop(); }

  absl::Status Listen() {
    std::vector<net::EventLoop*> loops;
    for (int i = 0; i < options_.threads; ++i) {
      loops_.push_back(net::EventLoop::Start(absl::StrCat("sim-model-", i)));
      loops.push_back(loops_.back().get());
    }
    net::ServerOptions server;
    server.listen = options_.listen;
    server.max_message_bytes = kMaxMessage;
    server.max_unsent_bytes = kMaxMessage;
    absl::StatusOr<std::unique_ptr<net::Server>> started = net::Server::Start(server, loops, *this);
    if (!started.ok()) return started.status();
    server_ = *std::move(started);
    return absl::OkStatus();
  }

  int port() const override { return server_->port(); }

  void QueueScenario(const Scenario& scenario) override {
    base::MutexLock lock(mutex_);
    queue_.push_back(scenario);
  }
  void SetDefault(const Scenario& scenario) override {
    base::MutexLock lock(mutex_);
    default_ = scenario;
  }

  std::vector<ModelSessionReport> Sessions() const override {
    std::vector<std::shared_ptr<Connection>> connections;
    {
      base::MutexLock lock(mutex_);
      connections = connections_;
    }
    std::vector<ModelSessionReport> reports;
    for (const auto& connection : connections) reports.push_back(connection->Report());
    return reports;
  }

  TextModel& text_model() override { return text_model_; }

  // The sockets first, while their loops still run.
  void Stop() override {
    if (server_ != nullptr) server_->Stop();
    for (const auto& loop : loops_) loop->Stop();
  }

 private:
  int LoopFor(absl::string_view method, absl::string_view target) override { return -1; }

  void OnRequest(int loop, const base::HttpRequest& request, Respond respond) override {
    if (TextModel::Serves(request.Path())) return respond(text_model_.Answer(request, Summary()));
    respond(HttpError(request.Path() == "/v1/realtime" ? 426 : 404));
  }

  net::UpgradeDecision OnUpgrade(int loop, const base::HttpRequest& request) override {
    net::UpgradeDecision decision;
    HandshakeVerdict verdict = JudgeHandshake(request, options_.api_key);
    if (verdict.http_status != 0) {
      decision.refusal = HttpError(verdict.http_status);
      return decision;
    }
    base::MutexLock lock(mutex_);
    ModelSession::Options options;
    options.model = verdict.model;
    options.seed = options_.seed + connections_.size();
    options.record = static_cast<int>(connections_.size()) < options_.sessions_recorded;
    if (verdict.error_code.empty()) {
      options.script = TakeScript();
      options.number = options.script->BeginSession();
      options.scenario = options.script->scenario();
      summary_ = options.scenario.summary;
      const std::string refuse = RefusalOf(options.scenario.model, options.number);
      if (!refuse.empty()) {
        verdict = ScriptedRefusal(refuse);
        options.script->ExpectAnother();
      }
    }
    if (verdict.http_status != 0) {
      decision.refusal = HttpError(verdict.http_status);
      return decision;
    }
    auto connection = std::make_shared<Connection>(*loops_[static_cast<size_t>(loop)], std::move(verdict),
                                                   std::move(options), speech_);
    decision.listener = connection.get();
    connections_.push_back(std::move(connection));
    return decision;
  }

  std::string Summary() {
    base::MutexLock lock(mutex_);
    return summary_.empty() ? default_.summary : summary_;
  }

  static std::string RefusalOf(const ModelManners& manners, int session) {
    const auto found = manners.refusals.find(session);
    return found == manners.refusals.end() ? manners.refuse : found->second;
  }

  // Nothing says which call a session is for: a queued scenario comes first, then the latest whose call must come back
  // because its session broke, or will.
  std::shared_ptr<ModelScript> TakeScript() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!queue_.empty()) {
      scripts_.push_back(std::make_shared<ModelScript>(std::move(queue_.front())));
      queue_.pop_front();
      if (scripts_.size() > kScriptsKept) scripts_.pop_front();
      return scripts_.back();
    }
    for (auto script = scripts_.rbegin(); script != scripts_.rend(); ++script) {
      if ((*script)->awaits_another()) return *script;
    }
    return std::make_shared<ModelScript>(default_);
  }

  static base::HttpResponse HttpError(int status) {
    base::HttpResponse response;
    response.status = status;
    response.content_type = "application/json";
    response.body = absl::StrCat(R"({"error":{"message":"Refused with )", status,
                                 R"(.","type":"invalid_request_error","param":null,"code":null}})");
    return response;
  }

  const Options options_;
  const std::shared_ptr<const SpeechLibrary> speech_;
  mutable base::Mutex mutex_;
  std::deque<Scenario> queue_ ABSL_GUARDED_BY(mutex_);
  Scenario default_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<ModelScript>> scripts_ ABSL_GUARDED_BY(mutex_);  // Taken from the queue; the latest.
  std::string summary_ ABSL_GUARDED_BY(mutex_);                               // Of the latest session's scenario.
  TextModel text_model_;
  std::vector<std::shared_ptr<Connection>> connections_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<net::EventLoop>> loops_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ModelServer>> ModelServer::Start(const Options& options,
                                                                std::shared_ptr<const SpeechLibrary> speech) {
  if (options.threads < 1) return absl::InvalidArgumentError("the model server needs one thread at least");
  auto server = std::make_unique<SocketModelServer>(options, std::move(speech));
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  return std::unique_ptr<ModelServer>(std::move(server));
}

}  // namespace callbridge::sim
