#include "src/app/application.h"

#include <atomic>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/after_call/summary_jobs.h"
#include "src/app/gateway.h"
#include "src/app/ghosts.h"
#include "src/app/look_ups.h"
#include "src/app/node_rooms.h"
#include "src/app/open_store.h"
#include "src/app/process_operations.h"
#include "src/app/retention.h"
#include "src/base/executor.h"
#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/carrier/plivo_client.h"
#include "src/control/channelz_server.h"
#include "src/control/control_server.h"
#include "src/control/operations_service.h"
#include "src/control/peer_authorizer.h"
#include "src/events/event_hub.h"
#include "src/events/event_tailer.h"
#include "src/events/speech_hub.h"
#include "src/http/admin.h"
#include "src/http/webhooks.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"
#include "src/nodes/speech_service.h"
#include "src/nodes/webhook_router.h"
#include "src/nodes/webhook_service.h"
#include "src/session/call_metrics.h"
#include "src/session/call_recorder.h"
#include "src/session/switchboard.h"
#include "src/store/spool/spooled_store.h"
#include "src/tape/tape_shelf.h"
#include "src/tools/http_tool_runner.h"
#include "src/web/web_client.h"

namespace callbridge::app {
namespace {

using base::Log;
using base::LogKind;

// Told to end, a call needs the carrier's notice (5 s at most) and its summary (8 s at most).
constexpr absl::Duration kEndLimit = absl::Seconds(15);
constexpr absl::Duration kFlushLimit = absl::Seconds(10);
constexpr absl::Duration kControlGrace = absl::Seconds(2);
constexpr std::chrono::seconds kLongestPeerRequest{30};  // As for clients.
// A process hints at each of its own commits. This is for those of others: few where the database is one process's.
constexpr absl::Duration kOwnLogPoll = absl::Seconds(1);
constexpr absl::Duration kSharedLogPoll = absl::Milliseconds(100);  // While somebody listens.
constexpr absl::Duration kTailLimit = absl::Seconds(2);
// What is not replayed by then waits for the next start.
constexpr absl::Duration kSpoolLimit = absl::Seconds(2);
// Before a node takes its place: what its former run left is written as that run's, and the calls are closed then.
constexpr absl::Duration kReplayLimit = absl::Seconds(10);
// For how long a summary that a node makes is left alone by the others: longer than its requests may take.
constexpr absl::Duration kSummaryClaim = absl::Minutes(5);

absl::Status WithFlag(absl::string_view flag, const absl::Status& status) {
  return status.ok() ? status : absl::Status(status.code(), absl::StrCat(flag, ": ", status.message()));
}

// Whether some agent's calls are summed up by a text model afterwards.
bool SumsUpByText(const session::Settings& settings) {
  for (const auto& [key, agent] : settings.agents) {
    if (agent.after_call.summary == session::AfterCall::Summary::kText) return true;
  }
  return false;
}

// Counts the loops that have taken a turn.
class Turns {
 public:
  explicit Turns(size_t loops) : missing_(loops) {}

  void OnTurn() {
    base::MutexLock lock(mutex_);
    if (--missing_ == 0) done_.NotifyAll();
  }
  bool Wait(absl::Duration limit) {
    const absl::Time deadline = absl::Now() + limit;
    base::MutexLock lock(mutex_);
    while (missing_ > 0 && absl::Now() < deadline)
      done_.WaitFor(mutex_, absl::ToChronoMilliseconds(deadline - absl::Now() + absl::Milliseconds(1)));
    return missing_ == 0;
  }

 private:
  base::Mutex mutex_;
  base::CondVar done_;
  size_t missing_ ABSL_GUARDED_BY(mutex_);
};

class ServerApplication final : public Application {
 public:
  ServerApplication(const Options& options, session::Settings settings)
      : options_(options), settings_(std::move(settings)) {}
  ~ServerApplication() override { Stop(); }

  absl::Status Begin(const WrapStore& wrap) {
    auto opened = OpenStore(options_.database_url, IsNode() ? Access::kServeAsNode : Access::kServe);
    if (!opened.ok()) return opened.status();
    if (absl::Status status = OpenNode(); !status.ok()) return status;
    store_ = wrap ? wrap(*std::move(opened)) : *std::move(opened);
    if (absl::Status status = PutSpoolAround(); !status.ok()) return status;
    if (absl::Status status = MakeRooms(); !status.ok()) return status;
    if (absl::Status status = Listen(); !status.ok()) return status;
    // Only now: a second server that finds the ports taken must not end the calls of the first.
    if (absl::Status status = IsNode() ? JoinNodes() : CloseLeftCalls(); !status.ok()) return status;
    summaries_->Start();
    purge_ = std::make_unique<DailyPurge>(*store_, settings_.retention);
    started_ = true;
    ready_ = true;
    control_->SetServing(true);
    // Another node may have asked for that since the node-to-node port is open.
    if (out_of_service_) {
      ready_ = false;
      control_->SetServing(false);
    }
    Log(LogKind::kStart, "", "callbridge is ready",
        {{"http", absl::StrCat("port ", carrier_port_->port())},
         {"grpc", control_->address()},
         {"admin", absl::StrCat("port ", admin_port_->port())},
         {"public_url", options_.public_url},
         {"loops", absl::StrCat(loops_.size())}});
    return absl::OkStatus();
  }

  void SetAccess(control::AccessList access) override { control_->SetAccess(std::move(access)); }

  absl::Status LoadCertificates() override {
    absl::Status status = control_->LoadCertificates();
    return status.ok() && node_ != nullptr ? node_->LoadCertificates() : status;
  }

  void BeginDrain() override { BeginDrainIfListening(); }

  int live_calls() const override { return switchboard_->live_calls(); }

  bool IsDispersing() const override { return control_->IsDispersing(); }

  bool LoopsTurn(absl::Duration limit) override {
    // Shared with the tasks: a stuck loop runs its own when this has long returned.
    const auto turns = std::make_shared<Turns>(loops_.size());
    for (const auto& loop : loops_) loop->Post([turns] { turns->OnTurn(); });
    return turns->Wait(limit);
  }

  void Stop() override {
    if (stopped_) return;
    stopped_ = true;
    purge_.reset();
    if (switchboard_ != nullptr) EndCalls();
    // Sockets first, then the loops they live on; nothing feeds a session any more after that.
    if (carrier_port_ != nullptr) carrier_port_->Stop();
    webhook_router_.reset();
    node_table_executor_.reset();
    if (admin_port_ != nullptr) admin_port_->Stop();
    if (web_ != nullptr) web_->Stop();
    carrier_executor_.reset();
    for (const auto& loop : loops_) loop->Stop();
    // Their requests have ended with the client. Summaries that are not made are made after the next start.
    tool_runner_.reset();
    summaries_.reset();
    if (recorder_ != nullptr && !recorder_->Flush(kFlushLimit)) {
      Log(LogKind::kTrouble, "", "records are left unwritten", {{"pending", absl::StrCat(recorder_->pending())}});
    }
    if (spool_ != nullptr) {
      if (started_) spool_->Drain(kSpoolLimit);
      spool_->Stop();
    }
    if (tailer_ != nullptr) {
      if (!tailer_->Drain(kTailLimit)) Log(LogKind::kTrouble, "", "the last events were not shown to subscribers");
      tailer_->Stop();
    }
    // Subscribers have been given the last events.
    channelz_.reset();
    if (control_ != nullptr) control_->Shutdown(kControlGrace);
    control_.reset();
    if (node_ != nullptr) {
      node_->StopServing();
      node_->Stop(/*leave=*/started_ && NothingIsUnwritten());
    }
    {
      base::MutexLock lock(fence_mutex_);
      fencing_ = false;
    }
    switchboard_.reset();
    if (started_) Log(LogKind::kEnd, "", "callbridge has stopped");
  }

 private:
  bool IsNode() const { return !options_.node_listen.empty(); }

  absl::Status OpenNode() {
    if (!IsNode()) return absl::OkStatus();
    auto node = NodeRooms::Open(options_);
    if (!node.ok()) return node.status();
    node_ = *std::move(node);
    return absl::OkStatus();
  }

  // In place of closing ghosts: the nodes close each other's.
  absl::Status JoinNodes() {
    if (spool_ != nullptr && !spool_->Drain(kReplayLimit))
      Log(LogKind::kDatabase, "", "records of a previous run are still being replayed");
    return node_->Join(carrier_port_->port());
  }

  bool NothingIsUnwritten() const {
    return switchboard_->live_calls() == 0 && recorder_->pending() == 0 &&
           (spool_ == nullptr || spool_->stats().records == 0);
  }

  // On the recorder's executor, which may outlive the switchboard.
  void OnFenced(const std::string& call_id) {
    base::MutexLock lock(fence_mutex_);
    if (fencing_)
      switchboard_->DropCall(call_id, "the database has given the call to nobody: this node was taken for dead");
  }

  absl::Status PutSpoolAround() {
    if (options_.spool_dir.empty()) return absl::OkStatus();
    store::SpooledStore::Options spool;
    spool.log.folder = options_.spool_dir;
    spool.log.limit_bytes = options_.spool_limit_mb << 20;
    auto opened = store::SpooledStore::Open(std::move(store_), spool);
    if (!opened.ok()) return WithFlag("--spool_dir", opened.status());
    spool_ = opened->get();
    store_ = *std::move(opened);
    return absl::OkStatus();
  }

  absl::Status MakeRooms() {
    const auto head = store_->HeadPosition();
    if (!head.ok()) return WithFlag("--database_url", head.status());
    hub_ = std::make_unique<events::EventHub>(*head);
    events::EventTailer::Options tail;
    tail.poll = IsPostgresUrl(options_.database_url) ? kSharedLogPoll : kOwnLogPoll;
    tail.idle_poll = kOwnLogPoll;
    tailer_ = std::make_unique<events::EventTailer>(
        [this](int64_t after, int limit) { return store_->ReadEvents(after, limit); }, *hub_, tail);
    if (spool_ != nullptr) spool_->Start([this](int64_t position) { tailer_->Hint(position); });
    write_executor_ = std::make_unique<base::ThreadExecutor>("cb-store-write");
    read_executor_ = std::make_unique<base::ThreadExecutor>("cb-store-read");
    carrier_executor_ = std::make_unique<base::ThreadExecutor>("cb-carrier");
    session::CallRecorder::Options recording;
    recording.on_commit = [this](const call::Event& event) { metrics_.Observe(event); };
    recording.hint = [this](int64_t position) { tailer_->Hint(position); };
    recording.on_fenced = [this](const std::string& call_id) { OnFenced(call_id); };
    recorder_ = std::make_unique<session::CallRecorder>(*store_, *write_executor_, std::move(recording));
    if (absl::Status status = MakeTapeShelf(); !status.ok()) return status;
    carrier::PlivoOptions plivo;
    plivo.api_url = options_.plivo_api_url;
    plivo.auth_id = options_.plivo_auth_id;
    plivo.auth_token = options_.plivo_auth_token;
    plivo.ca_file = options_.ca_file;
    carrier_ = carrier::MakePlivoClient(plivo);
    web_ = web::MakeWebClient();
    tools::HttpToolRunner::Options runner;
    runner.ca_file = options_.ca_file;
    tool_runner_ = std::make_unique<tools::HttpToolRunner>(settings_, *web_, runner);
    session::Switchboard::Deps deps;
    for (int i = 0; i < options_.media_threads; ++i) {
      loops_.push_back(net::EventLoop::Start(absl::StrCat("cb-loop-", i)));
      tools_.push_back(std::make_unique<session::LoopTools>());
      tools_.back()->loop = loops_.back().get();
      tools_.back()->connector = &loops_.back()->connector();
      deps.loops.push_back(tools_.back().get());
    }
    if (node_ != nullptr) deps.node_id = node_->id();
    deps.recorder = recorder_.get();
    deps.carrier = carrier_.get();
    deps.carrier_executor = carrier_executor_.get();
    deps.tool_runner = tool_runner_.get();
    deps.on_finished = [this](const std::string& call_id, int64_t next_sequence) {
      summaries_->OnCallFinished(call_id, next_sequence);
    };
    deps.tapes = tapes_.get();
    deps.metrics = &metrics_;
    LookUpIn(*store_, *read_executor_, deps);
    deps.speech = &speech_;
    switchboard_ = std::make_unique<session::Switchboard>(settings_, std::move(deps));
    {
      base::MutexLock lock(fence_mutex_);
      fencing_ = true;
    }
    if (node_ != nullptr) MakeNodeRooms();
    after_call::SummaryJobs::Options summaries;
    summaries.is_live = [this](const std::string& call_id) { return switchboard_->IsLive(call_id); };
    if (IsNode()) summaries.claim_time = kSummaryClaim;
    summaries_ = std::make_unique<after_call::SummaryJobs>(*store_, *recorder_, *web_, settings_, summaries);
    http::Webhooks::Options webhooks;
    webhooks.public_url = options_.public_url;
    webhooks.auth_token = options_.plivo_auth_token;
    webhooks.check_signatures = options_.webhook_auth == "signature";
    webhooks_ = std::make_unique<http::Webhooks>(webhooks, *switchboard_);
    if (node_ != nullptr) MakeWebhookRouter();
    return absl::OkStatus();
  }

  void MakeWebhookRouter() {
    // Of its own: a webhook's answer waits for it.
    node_table_executor_ = std::make_unique<base::ThreadExecutor>("cb-node-table");
    nodes::WebhookRouter::Deps deps;
    deps.directory = &node_->directory();
    deps.channels = &node_->channels();
    deps.table = &node_->table();
    deps.executor = node_table_executor_.get();
    deps.webhooks = webhooks_.get();
    deps.is_here = [this](absl::string_view call) { return switchboard_->KnowsCarrierCall(call); };
    deps.accepting = [this] { return ready_.load(); };
    webhook_router_ = std::make_unique<nodes::WebhookRouter>(nodes::WebhookRouter::Options(), std::move(deps));
    webhook_service_ = std::make_unique<nodes::WebhookService>(peer_authorizer_, *webhooks_);
  }

  void MakeNodeRooms() {
    NodeRooms::Deps deps;
    deps.control = switchboard_.get();
    deps.store = store_.get();
    deps.read_executor = read_executor_.get();
    deps.carrier = carrier_.get();
    deps.live_calls = [this] { return switchboard_->live_calls(); };
    deps.fenced_writes = [this] { return recorder_->fenced_writes(); };
    deps.on_lost = [this] { LeaveService(); };
    deps.max_calls = settings_.max_calls;
    deps.summaries_due = SumsUpByText(settings_);
    node_->MakeRooms(std::move(deps));
  }

  absl::Status MakeTapeShelf() {
    if (settings_.tape_dir.empty()) return absl::OkStatus();
    tape_executor_ = std::make_unique<base::ThreadExecutor>("cb-tape");
    tape::TapeWriter::Options tapes;
    tapes.audio = options_.tape_audio;
    tapes_ = std::make_unique<tape::TapeShelf>(settings_.tape_dir, tapes, *tape_executor_);
    return WithFlag("--tape_dir", tapes_->Check());
  }

  absl::Status Listen() {
    operations_ = std::make_unique<ProcessOperations>(options_, node_.get(), [this] { BeginDrainIfListening(); });
    if (node_ != nullptr) {
      peer_operations_ = std::make_unique<control::OperationsService>(*operations_, *switchboard_, peer_authorizer_,
                                                                      kLongestPeerRequest,
                                                                      control::OperationsService::Clients::kPeers);
      speech_service_ = std::make_unique<nodes::SpeechService>(peer_authorizer_, speech_);
      const std::vector<grpc::Service*> further = {webhook_service_.get(), peer_operations_.get(),
                                                   speech_service_.get()};
      if (absl::Status status = node_->Listen(further); !status.ok()) return status;
    }
    control::ControlServerOptions control;
    control.listen = options_.grpc_listen;
    control.tls_cert_file = options_.grpc_tls_cert;
    control.tls_key_file = options_.grpc_tls_key;
    control.tls_client_ca_file = options_.grpc_tls_client_ca;
    control.without_tls = options_.grpc_without_tls;
    control.api_tokens = options_.api_tokens;
    control.access = options_.access;
    auto control_server =
        control::ControlServer::Start(control, {*switchboard_,
                                                *store_,
                                                *read_executor_,
                                                *hub_,
                                                node_ != nullptr ? &node_->forwarder() : nullptr,
                                                operations_.get(),
                                                {&speech_, node_ != nullptr ? &node_->speech() : nullptr}});
    if (!control_server.ok()) return control_server.status();
    control_ = *std::move(control_server);
    std::vector<net::EventLoop*> loops;
    for (const auto& loop : loops_) loops.push_back(loop.get());
    net::ServerOptions admin;
    admin.listen = options_.admin_listen;
    auto admin_port = net::Server::Start(admin, loops, admin_gateway_);
    if (!admin_port.ok()) return WithFlag("--admin_listen", admin_port.status());
    admin_port_ = *std::move(admin_port);
    CarrierGateway::Nodes nodes;
    if (node_ != nullptr) nodes = {webhook_router_.get(), &node_->directory(), {loops.begin(), loops.end()}};
    carrier_gateway_ = std::make_unique<CarrierGateway>(*webhooks_, *switchboard_, std::move(nodes));
    net::ServerOptions carrier;
    carrier.listen = options_.http_listen;
    auto carrier_port = net::Server::Start(carrier, loops, *carrier_gateway_);
    if (!carrier_port.ok()) return WithFlag("--http_listen", carrier_port.status());
    carrier_port_ = *std::move(carrier_port);
    return ListenForChannelz();
  }

  // After all other gRPC servers, which would have the service too.
  absl::Status ListenForChannelz() {
    if (options_.channelz_listen.empty()) return absl::OkStatus();
    auto channelz = control::ChannelzServer::Start(options_.channelz_listen);
    if (!channelz.ok()) return channelz.status();
    channelz_ = *std::move(channelz);
    Log(LogKind::kStart, "", "channelz listens", {{"address", channelz_->address()}});
    return absl::OkStatus();
  }

  absl::Status CloseLeftCalls() {
    return WithFlag("--database_url",
                    CloseGhosts(*store_, SumsUpByText(settings_),
                                [this](const std::string& call_id, const std::string& carrier_call_id) {
                                  HangUp(call_id, carrier_call_id);
                                }));
  }

  void HangUp(const std::string& call_id, const std::string& carrier_call_id) {
    if (carrier_call_id.empty()) return;
    carrier_executor_->Post([this, call_id, carrier_call_id] {
      const absl::Status status = carrier_->HangUp(carrier_call_id);
      if (!status.ok()) Log(LogKind::kTrouble, call_id, "hanging up failed", {{"why", std::string(status.message())}});
    });
  }

  void EndCalls() {
    BeginDrainIfListening();
    switchboard_->EndAll();
    const absl::Time deadline = absl::Now() + kEndLimit;
    while (switchboard_->live_calls() > 0 && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(20));
    if (switchboard_->live_calls() > 0) {
      Log(LogKind::kTrouble, "", "calls did not end in time", {{"calls", absl::StrCat(switchboard_->live_calls())}});
    }
  }

  // Any thread.
  void BeginDrainIfListening() {
    LeaveService();
    if (node_ != nullptr) node_->Drain();
  }

  // No new calls, and health says so. Any thread.
  void LeaveService() {
    // Once: another node may ask for it when the port is gone.
    const bool again = out_of_service_.exchange(true);
    ready_ = false;
    switchboard_->StopAccepting();
    if (again || control_ == nullptr) return;
    control_->SetServing(false);
    if (node_ != nullptr && node_->HasOthers()) control_->DisperseStreams();
  }

  http::ServerStats Stats() const {
    http::ServerStats stats;
    stats.ready = ready_;
    stats.live_calls = switchboard_->live_calls();
    stats.writes_pending = static_cast<int64_t>(recorder_->pending());
    stats.events_lost = recorder_->lost_events();
    if (spool_ != nullptr) {
      const store::SpooledStore::Stats spool = spool_->stats();
      stats.spool_records = spool.records;
      stats.spool_bytes = spool.bytes;
      stats.spool_refused = spool.refused;
    }
    return stats;
  }

  std::string Metrics() const { return absl::StrCat(metrics_.Text(), node_ != nullptr ? node_->Metrics() : ""); }

  const Options options_;
  const session::Settings settings_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> out_of_service_{false};  // For good.
  bool started_ = false;
  bool stopped_ = false;
  base::Mutex fence_mutex_;
  bool fencing_ ABSL_GUARDED_BY(fence_mutex_) = false;  // There is a switchboard that calls can be taken from.

  // In the order in which they are made; what is below uses what is above.
  session::CallMetrics metrics_;
  events::SpeechHub speech_;
  std::unique_ptr<store::CallStore> store_;
  store::SpooledStore* spool_ = nullptr;  // The same, if there is a spool.
  std::unique_ptr<events::EventHub> hub_;
  std::unique_ptr<events::EventTailer> tailer_;
  std::unique_ptr<base::ThreadExecutor> write_executor_;
  std::unique_ptr<session::CallRecorder> recorder_;
  std::unique_ptr<base::ThreadExecutor> read_executor_;
  std::unique_ptr<carrier::CarrierApi> carrier_;
  std::unique_ptr<base::ThreadExecutor> carrier_executor_;
  std::unique_ptr<web::WebClient> web_;
  std::unique_ptr<tools::HttpToolRunner> tool_runner_;
  std::unique_ptr<base::ThreadExecutor> tape_executor_;
  std::unique_ptr<tape::TapeShelf> tapes_;  // Null: calls leave no tapes.
  std::vector<std::unique_ptr<net::EventLoop>> loops_;
  std::vector<std::unique_ptr<session::LoopTools>> tools_;
  std::unique_ptr<NodeRooms> node_;  // Null: this process has the database alone.
  std::unique_ptr<session::Switchboard> switchboard_;
  std::unique_ptr<after_call::SummaryJobs> summaries_;
  std::unique_ptr<DailyPurge> purge_;
  std::unique_ptr<http::Webhooks> webhooks_;
  const control::PeerAuthorizer peer_authorizer_;
  std::unique_ptr<nodes::WebhookService> webhook_service_;
  std::unique_ptr<ProcessOperations> operations_;
  std::unique_ptr<nodes::SpeechService> speech_service_;
  std::unique_ptr<control::OperationsService> peer_operations_;
  std::unique_ptr<base::ThreadExecutor> node_table_executor_;
  std::unique_ptr<nodes::WebhookRouter> webhook_router_;
  http::Admin admin_{[this] { return Stats(); }, [this] { return Metrics(); }};
  AdminGateway admin_gateway_{admin_};
  std::unique_ptr<CarrierGateway> carrier_gateway_;
  std::unique_ptr<control::ControlServer> control_;
  std::unique_ptr<control::ChannelzServer> channelz_;  // Null: it is off.
  std::unique_ptr<net::Server> admin_port_;
  std::unique_ptr<net::Server> carrier_port_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Application>> Application::Start(const Options& options, session::Settings settings,
                                                                const WrapStore& wrap) {
  auto application = std::make_unique<ServerApplication>(options, std::move(settings));
  if (absl::Status status = application->Begin(wrap); !status.ok()) return status;
  return application;
}

}  // namespace callbridge::app
