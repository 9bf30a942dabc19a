#include "src/control/control_server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpc/health/v1/health.pb.h"
#include "src/base/log.h"
#include "src/control/authorize.h"
#include "src/control/call_service.h"
#include "src/control/credentials.h"
#include "src/control/event_stream.h"
#include "src/control/lead_service.h"
#include "src/control/listen_address.h"
#include "src/control/operations_service.h"
#include "src/control/server_certificates.h"

namespace callbridge::control {
namespace {

constexpr int kMaxReceiveBytes = 1024 * 1024;
constexpr int kMaxMetadataBytes = 8 * 1024;
constexpr int kMaxConcurrentStreams = 256;  // Per connection.
constexpr int kKeepaliveTimeMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
// A client may ping every 30 s; half of it and more is slack.
constexpr int kMinPingIntervalMs = 10'000;
constexpr int kMaxConnectionAgeMs = 30 * 60'000;
constexpr int kMaxConnectionAgeGraceMs = 5 * 60'000;

bool HasTls(const ControlServerOptions& options) { return !options.tls_cert_file.empty(); }

absl::Status CheckWords(const ControlServerOptions& options) {
  if (options.without_tls.empty()) return absl::OkStatus();
  if (options.without_tls != kWithoutTls) {
    return absl::InvalidArgumentError(
        absl::StrCat("--grpc_without_tls='", options.without_tls, "': it must be '", kWithoutTls, "', or empty"));
  }
  if (!HasTls(options)) return absl::OkStatus();
  return absl::InvalidArgumentError("--grpc_without_tls and --grpc_tls_cert contradict each other: set one of them");
}

absl::Status CheckExposure(const ControlServerOptions& options, const ListenAddress& address) {
  if (options.tls_cert_file.empty() != options.tls_key_file.empty()) {
    return absl::InvalidArgumentError("--grpc_tls_cert and --grpc_tls_key go together: set both, or neither");
  }
  if (!options.tls_client_ca_file.empty() && !HasTls(options)) {
    return absl::InvalidArgumentError("--grpc_tls_client_ca needs --grpc_tls_cert and --grpc_tls_key");
  }
  for (const std::string& token : options.api_tokens) {
    if (token.empty()) return absl::InvalidArgumentError("CALLBRIDGE_API_TOKENS has an empty token");
  }
  if (!options.access.identities.empty() && options.tls_client_ca_file.empty()) {
    return absl::InvalidArgumentError("client_identities in the configuration need --grpc_tls_client_ca");
  }
  if (absl::Status words = CheckWords(options); !words.ok()) return words;
  if (address.loopback) return absl::OkStatus();
  if (!HasTls(options) && options.without_tls.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("--grpc_listen=", options.listen,
                     " is reachable from other machines: set --grpc_tls_cert and --grpc_tls_key, or listen at "
                     "127.0.0.1 and put a proxy in front, or, where nobody else can read or change what passes, set "
                     "--grpc_without_tls='",
                     kWithoutTls, "'"));
  }
  if (options.api_tokens.empty() && options.access.empty() && options.tls_client_ca_file.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--grpc_listen=", options.listen,
        " would be open to everybody: put api_tokens into the configuration, or set CALLBRIDGE_API_TOKENS or "
        "--grpc_tls_client_ca"));
  }
  return absl::OkStatus();
}

TlsFiles Files(const ControlServerOptions& options) {
  return {options.tls_cert_file, options.tls_key_file, options.tls_client_ca_file};
}

void SetLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kMaxConnectionAgeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kMaxConnectionAgeGraceMs);
  // Else two servers share a port without a word, each with half of the clients.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

// Whom the server lets in.
AccessList WithTokens(AccessList access, const std::vector<std::string>& api_tokens) {
  for (const std::string& token : api_tokens) access.tokens.push_back(TokenForEverything(token));
  return access;
}

EventStreams::Options StreamOptions(const ControlServerOptions& options) {
  EventStreams::Options streams;
  streams.max_streams = options.max_streams;
  streams.write_timeout = options.stream_write_timeout;
  streams.summary_wait = options.summary_wait;
  return streams;
}

}  // namespace

class ControlServer::Impl {
 public:
  Impl(const ControlServerOptions& options, const ControlServerDeps& deps, ListenAddress address)
      : address_(std::move(address)),
        open_(address_.loopback && options.api_tokens.empty() && options.access.empty() &&
              options.tls_client_ca_file.empty()),
        tls_(HasTls(options)),
        certificates_(tls_ ? std::make_unique<ServerCertificates>(Files(options), kControlTlsFlags) : nullptr),
        dispersal_(options.dispersal),
        api_tokens_(options.api_tokens),
        authorizer_(WithTokens(options.access, api_tokens_)),
        streams_(deps.store, deps.store_executor, deps.hub, StreamOptions(options), deps.speech),
        service_(deps.control, deps.store, deps.store_executor, streams_, authorizer_, deps.forwarder,
                 absl::ToChronoMilliseconds(options.longest_unary)),
        leads_({deps.store, deps.store_executor, authorizer_, absl::ToChronoMilliseconds(options.longest_unary)}) {
    if (deps.operations == nullptr) return;
    operations_ = std::make_unique<OperationsService>(*deps.operations, deps.control, authorizer_,
                                                      absl::ToChronoMilliseconds(options.longest_unary));
  }

  ~Impl() { Shutdown(absl::ZeroDuration()); }

  absl::Status Listen(const ControlServerOptions& options) {
    std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
    if (certificates_ != nullptr) {
      if (absl::Status status = LoadCertificates(); !status.ok()) return status;
      credentials = certificates_->MakeCredentials();
    }
    grpc::EnableDefaultHealthCheckService(true);
    // Explicitly: a linker that sees no use of it drops it.
    if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    // Reflection can only describe what is linked, and gRPC's own health service brings no descriptor.
    grpc::health::v1::HealthCheckRequest::descriptor();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(FormatListenAddress(address_.host, address_.port), credentials, &port_);
    builder.RegisterService(&service_);
    builder.RegisterService(&leads_);
    if (operations_ != nullptr) builder.RegisterService(operations_.get());
    SetLimits(builder);
    server_ = builder.BuildAndStart();
    if (server_ != nullptr && port_ > 0) {
      SetServing(false);
      return absl::OkStatus();
    }
    server_ = nullptr;
    return absl::UnavailableError(absl::StrCat("--grpc_listen=", options.listen,
                                               ": cannot listen there: ", WhyNotListening(address_),
                                               "; stop the other program or choose another address"));
  }

  void SetServing(bool serving) {
    // Not before: where another part of the start fails, that is all there is to read.
    if (serving && !std::exchange(announced_, true)) {
      base::Log(base::LogKind::kStart, "", Announcement(), {{"address", address()}, {"tls", tls_ ? "on" : "off"}});
    }
    auto* const health = server_->GetHealthCheckService();
    health->SetServingStatus("", serving);
    health->SetServingStatus(v1::CallService::service_full_name(), serving);
    health->SetServingStatus(v1::LeadService::service_full_name(), serving);
    if (operations_ != nullptr) health->SetServingStatus(v1::OperationsService::service_full_name(), serving);
  }

  void Shutdown(absl::Duration grace) {
    if (server_ == nullptr) return;
    SetServing(false);
    streams_.Close();
    server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
    server_ = nullptr;
  }

  absl::Status LoadCertificates() {
    if (certificates_ == nullptr) return absl::OkStatus();
    if (absl::Status status = certificates_->Load(); !status.ok()) return status;
    certificates_->LogExpiry("the gRPC port");
    return absl::OkStatus();
  }

  void DisperseStreams() { streams_.Disperse(dispersal_); }
  bool IsDispersing() const { return streams_.IsDispersing(); }

  void SetAccess(AccessList access) { authorizer_.Replace(WithTokens(std::move(access), api_tokens_)); }

  int port() const { return port_; }
  std::string address() const { return FormatListenAddress(address_.host, port_); }

 private:
  const char* Announcement() const {
    if (open_) return "gRPC listens, open to every program on this machine";
    return tls_ || address_.loopback ? "gRPC listens" : "gRPC listens to other machines, without TLS";
  }

  const ListenAddress address_;
  const bool open_;
  const bool tls_;
  const std::unique_ptr<ServerCertificates> certificates_;  // Null: plaintext.
  bool announced_ = false;
  const absl::Duration dispersal_;
  const std::vector<std::string> api_tokens_;
  AccessAuthorizer authorizer_;
  EventStreams streams_;
  CallService service_;
  LeadService leads_;
  std::unique_ptr<OperationsService> operations_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;  // Last: its end waits for all that use the rest.
};

absl::StatusOr<std::unique_ptr<ControlServer>> ControlServer::Start(const ControlServerOptions& options,
                                                                    const ControlServerDeps& deps) {
  auto address = ParseListenAddress(options.listen);
  if (!address.ok()) return absl::InvalidArgumentError(absl::StrCat("--grpc_listen: ", address.status().message()));
  const absl::Status exposure = CheckExposure(options, *address);
  if (!exposure.ok()) return exposure;
  auto impl = std::make_unique<Impl>(options, deps, *std::move(address));
  const absl::Status status = impl->Listen(options);
  if (!status.ok()) return status;
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlServer::~ControlServer() = default;

int ControlServer::port() const { return impl_->port(); }
std::string ControlServer::address() const { return impl_->address(); }
void ControlServer::SetServing(bool serving) { impl_->SetServing(serving); }
absl::Status ControlServer::LoadCertificates() { return impl_->LoadCertificates(); }
bool ControlServer::IsDispersing() const { return impl_->IsDispersing(); }
void ControlServer::DisperseStreams() { impl_->DisperseStreams(); }
void ControlServer::SetAccess(AccessList access) { impl_->SetAccess(std::move(access)); }
void ControlServer::Shutdown(absl::Duration grace) { impl_->Shutdown(grace); }

}  // namespace callbridge::control
