#include "src/nodes/node_server.h"

#include <grpc/grpc.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/server_builder.h>

#include <chrono>

#include "absl/strings/str_cat.h"

namespace callbridge::nodes {
namespace {

constexpr int kMaxReceiveBytes = 2 * 1024 * 1024;  // A request for clients, or a webhook, with room to spare.
constexpr int kMaxMetadataBytes = 16 * 1024;
// Nodes ping each other every 10 s.
constexpr int kMinPingIntervalMs = 5'000;
constexpr int kKeepaliveTimeMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;

absl::Status CheckExposure(const NodeServer::Options& options, const control::ListenAddress& address) {
  const control::TlsFiles& tls = options.tls;
  const int given = !tls.cert.empty() + !tls.key.empty() + !tls.ca.empty();
  if (given == 3 || (given == 0 && address.loopback)) return absl::OkStatus();
  if (given > 0) {
    return absl::InvalidArgumentError(
        "--node_tls_cert, --node_tls_key and --node_tls_ca go together: set all three, or none");
  }
  return absl::FailedPreconditionError(
      absl::StrCat("--node_listen=", options.listen,
                   " is reachable from other machines: set --node_tls_cert, --node_tls_key and --node_tls_ca"));
}

// Linked in, reflection adds itself to every server of the process.
class WithoutPlugins final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override { plugins->clear(); }
};

void SetLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  // Else two servers share a port without a word, each with half of the requests.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<NodeServer>> NodeServer::Start(const Options& options,
                                                              const std::vector<grpc::Service*>& services) {
  auto address = control::ParseListenAddress(options.listen);
  if (!address.ok()) return absl::InvalidArgumentError(absl::StrCat("--node_listen: ", address.status().message()));
  if (absl::Status status = CheckExposure(options, *address); !status.ok()) return status;
  std::unique_ptr<control::ServerCertificates> certificates;
  if (options.tls.has_tls())
    certificates = std::make_unique<control::ServerCertificates>(options.tls, control::kNodeTlsFlags);
  std::unique_ptr<NodeServer> made(new NodeServer(*std::move(address), std::move(certificates)));
  if (absl::Status status = made->LoadCertificates(); !status.ok()) return status;
  if (absl::Status status = made->Listen(services); !status.ok()) return status;
  return made;
}

absl::Status NodeServer::Listen(const std::vector<grpc::Service*>& services) {
  const auto credentials =
      certificates_ == nullptr ? grpc::InsecureServerCredentials() : certificates_->MakeCredentials();
  const std::string listen = control::FormatListenAddress(address_.host, address_.port);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(listen, credentials, &port_);
  for (grpc::Service* const service : services) builder.RegisterService(service);
  builder.SetOption(std::make_unique<WithoutPlugins>());
  SetLimits(builder);
  server_ = builder.BuildAndStart();
  if (server_ != nullptr && port_ > 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("--node_listen=", listen,
                                             ": cannot listen there: ", control::WhyNotListening(address_),
                                             "; stop the other program or choose another address"));
}

absl::Status NodeServer::LoadCertificates() {
  if (certificates_ == nullptr) return absl::OkStatus();
  if (absl::Status status = certificates_->Load(); !status.ok()) return status;
  certificates_->LogExpiry("the node-to-node port");
  return absl::OkStatus();
}

NodeServer::~NodeServer() { Shutdown(absl::ZeroDuration()); }

std::string NodeServer::address() const { return control::FormatListenAddress(address_.host, port_); }

void NodeServer::Shutdown(absl::Duration grace) {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
  server_ = nullptr;
}

}  // namespace callbridge::nodes
