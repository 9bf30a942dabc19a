#include "src/client/channel.h"

#include <algorithm>
#include <random>

namespace callbridge::client {
namespace {

// What the server allows and this needs; see the limits in the comment of CallService.
constexpr int kPingMilliseconds = 30'000;
constexpr int kPongMilliseconds = 20'000;
// gRPC's own 2 min would leave a client alone for long after a server's restart.
constexpr int kLongestReconnectMilliseconds = 5'000;
constexpr int kFirstReconnectMilliseconds = 200;

std::shared_ptr<grpc::ChannelCredentials> Credentials(const ClientOptions& options) {
  if (options.plaintext) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = options.root_certificates;
  ssl.pem_cert_chain = options.certificate;
  ssl.pem_private_key = options.private_key;
  return grpc::SslCredentials(ssl);
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingMilliseconds);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPongMilliseconds);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMilliseconds);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kFirstReconnectMilliseconds);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMilliseconds);
  // Retries are ours: gRPC's would not know RetryInfo, nor whether a request has a request_id.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return grpc::CreateCustomChannel(options.address, Credentials(options), arguments);
}

absl::Duration PauseAfter(int failures, const ClientOptions& options) {
  absl::Duration pause = options.first_pause;
  for (int i = 1; i < failures && pause < options.longest_pause; ++i) pause *= 2;
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::min(pause, options.longest_pause) * std::uniform_real_distribution<double>(0.8, 1.2)(random);
}

}  // namespace callbridge::client
