#include "src/app/node_rooms.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/app/open_store.h"
#include "src/base/clock.h"
#include "src/base/ids.h"
#include "src/base/log.h"
#include "src/control/forwarder.h"
#include "src/control/listen_address.h"
#include "src/control/peer_authorizer.h"
#include "src/control/steering_service.h"
#include "src/nodes/channels.h"
#include "src/nodes/node_server.h"
#include "src/nodes/remote_speech.h"

namespace callbridge::app {
namespace {

constexpr std::chrono::seconds kLongestUnary{30};  // As for clients.
constexpr absl::Duration kServerGrace = absl::Seconds(2);
constexpr int kHangUpThreads = 4;  // A node may leave hundreds of calls, and the carrier takes its time for each.

// "host:port" with another port.
std::string WithPort(const std::string& address, int port) {
  const auto parsed = control::ParseListenAddress(address);
  return control::FormatListenAddress(parsed.ok() ? parsed->host : address, port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<NodeRooms>> NodeRooms::Open(const Options& options) {
  auto table = OpenNodeTable(options.database_url);
  if (!table.ok()) return table.status();
  auto channels = nodes::Channels::Open({options.node_tls_cert, options.node_tls_key, options.node_tls_ca});
  if (!channels.ok()) return channels.status();
  return std::unique_ptr<NodeRooms>(new NodeRooms(options, *std::move(table), *std::move(channels)));
}

NodeRooms::NodeRooms(const Options& options, std::unique_ptr<store::NodeTable> table,
                     std::unique_ptr<nodes::Channels> channels)
    : options_(options), table_(std::move(table)), channels_(std::move(channels)) {
  self_.node_id = base::NewUuid();
  // What a node can do is said best by what it knows of the tables.
  self_.version = absl::StrCat("schema ", LastMigration(options.database_url).version);
}

NodeRooms::~NodeRooms() {
  StopServing();
  Stop(/*leave=*/false);
}

void NodeRooms::MakeRooms(Deps deps) {
  deps_ = std::move(deps);
  self_.max_calls = deps_.max_calls;
  forwarder_ = std::make_unique<control::Forwarder>(self_.node_id, *deps_.store,
                                                    [this](absl::string_view node_id) { return ChannelTo(node_id); });
  speech_ = std::make_unique<nodes::RemoteSpeech>(self_.node_id,
                                                  [this](absl::string_view node_id) { return ChannelTo(node_id); });
  authorizer_ = std::make_unique<control::PeerAuthorizer>();
  steering_ = std::make_unique<control::SteeringService>(*deps_.control, *deps_.store, *deps_.read_executor,
                                                         *authorizer_, forwarder_.get(), kLongestUnary,
                                                         control::SteeringService::Clients::kPeers);
  hang_ups_ = std::make_unique<nodes::HangUps>(
      *table_, [this](const std::string& carrier_call_id) { return deps_.carrier->HangUp(carrier_call_id); },
      nodes::HangUps::Options());
  nodes::Membership::Options membership;
  membership.self = self_;
  membership.summaries_due = deps_.summaries_due;
  nodes::Membership::Deps life;
  life.table = table_.get();
  life.clock = &base::SystemClock();
  life.live_calls = deps_.live_calls;
  life.on_peers = [this] {
    std::set<std::string> addresses;
    for (const nodes::Peer& peer : membership_->All()) addresses.insert(peer.address);
    channels_->KeepOnly(addresses);
  };
  life.on_reaped = [this] {
    for (const auto& thread : hang_up_threads_) thread->Wake();
  };
  life.on_lost = deps_.on_lost;
  membership_ = std::make_unique<nodes::Membership>(std::move(membership), std::move(life));
}

events::SpeechElsewhere& NodeRooms::speech() { return *speech_; }

absl::optional<std::shared_ptr<grpc::Channel>> NodeRooms::ChannelTo(absl::string_view node_id) const {
  const auto peer = membership_->Find(node_id);
  if (!peer) return absl::nullopt;
  return peer->alive ? channels_->To(peer->address) : nullptr;
}

bool NodeRooms::HasOthers() const {
  const std::vector<nodes::Peer> all = membership_->All();
  return std::any_of(all.begin(), all.end(),
                     [this](const nodes::Peer& peer) { return peer.node_id != id() && peer.alive && !peer.draining; });
}

absl::Status NodeRooms::Listen(std::vector<grpc::Service*> further) {
  nodes::NodeServer::Options listen;
  listen.listen = options_.node_listen;
  listen.tls = {options_.node_tls_cert, options_.node_tls_key, options_.node_tls_ca};
  further.push_back(steering_.get());
  auto server = nodes::NodeServer::Start(listen, further);
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  return absl::OkStatus();
}

absl::Status NodeRooms::LoadCertificates() {
  absl::Status status = server_->LoadCertificates();
  return status.ok() ? channels_->LoadCertificates() : status;
}

absl::Status NodeRooms::Join(int media_port) {
  const std::string address = options_.node_address.empty() ? server_->address() : options_.node_address;
  membership_->SetAddresses(address, WithPort(address, media_port));
  if (absl::Status status = membership_->Join(); !status.ok())
    return absl::Status(status.code(), absl::StrCat("--database_url: ", status.message()));
  for (int i = 0; i < kHangUpThreads; ++i) {
    hang_up_threads_.push_back(std::make_unique<nodes::TurnThread>(absl::StrCat("cb-hang-up-", i), [this, i] {
      const absl::Duration pause = hang_ups_->Turn();
      // One of them looks now and then; the others help when there is much to do.
      return i == 0 || pause == absl::ZeroDuration() ? pause : absl::InfiniteDuration();
    }));
  }
  thread_ = std::make_unique<nodes::TurnThread>("cb-node", [this] { return membership_->Turn(); });
  base::Log(base::LogKind::kStart, "", "this is one of several nodes",
            {{"node", self_.node_id}, {"address", address}, {"nodes", absl::StrCat(membership_->All().size())}});
  return absl::OkStatus();
}

void NodeRooms::Drain() {
  if (thread_ == nullptr) return;
  membership_->Drain();
  thread_->Wake();
}

void NodeRooms::StopServing() {
  if (server_ != nullptr) server_->Shutdown(kServerGrace);
}

void NodeRooms::Stop(bool leave) {
  if (thread_ != nullptr) {
    thread_->Stop();
    for (const auto& thread : hang_up_threads_) thread->Stop();
    thread_ = nullptr;
    if (leave) Leave();
  }
  channels_ = nullptr;
}

void NodeRooms::Leave() {
  const absl::Status status = membership_->Leave();
  if (status.ok()) return;
  base::Log(base::LogKind::kTrouble, "", "the node's lease could not be given up; it ends by itself",
            {{"error", std::string(status.message())}});
}

std::string NodeRooms::Metrics() const {
  prometheus::Registry registry;
  const nodes::Membership::Stats stats = membership_->stats();
  prometheus::BuildGauge()
      .Name("callbridge_node_lease_age_seconds")
      .Help("Since this node's lease was last renewed; it holds for ten.")
      .Register(registry)
      .Add({})
      .Set(absl::ToDoubleSeconds(stats.lease_age));
  auto& known = prometheus::BuildGauge()
                    .Name("callbridge_nodes")
                    .Help("Nodes on the database as this one knows them, by state.")
                    .Register(registry);
  known.Add({{"state", "up"}}).Set(static_cast<double>(stats.up));
  known.Add({{"state", "draining"}}).Set(static_cast<double>(stats.draining));
  known.Add({{"state", "dead"}}).Set(static_cast<double>(stats.dead));
  const auto counter = [&registry](const char* name, const char* help, int64_t value) {
    prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({}).Increment(static_cast<double>(value));
  };
  counter("callbridge_calls_reaped_total", "Calls of dead nodes that this one closed.", stats.reaped);
  counter("callbridge_fenced_writes_total", "Records that were dropped because their call is another node's now.",
          deps_.fenced_writes());
  auto& forwarded = prometheus::BuildCounter()
                        .Name("callbridge_forwarded_rpcs_total")
                        .Help("Requests on calls of other nodes that were passed on, by what came of it.")
                        .Register(registry);
  for (const control::ForwardOutcome outcome : control::kForwardOutcomes) {
    forwarded.Add({{"outcome", std::string(control::Name(outcome))}})
        .Increment(static_cast<double>(forwarder_->count(outcome)));
  }
  return prometheus::TextSerializer().Serialize(registry.Collect());
}

}  // namespace callbridge::app
