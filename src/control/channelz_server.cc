#include "src/control/channelz_server.h"

#include <grpcpp/ext/channelz_service_plugin.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/control/listen_address.h"

namespace callbridge::control {

absl::StatusOr<std::unique_ptr<ChannelzServer>> ChannelzServer::Start(const std::string& listen) {
  auto address = ParseListenAddress(listen);
  if (!address.ok()) return absl::InvalidArgumentError(absl::StrCat("--channelz_listen: ", address.status().message()));
  if (!address->loopback) {
    return absl::InvalidArgumentError(
        absl::StrCat("--channelz_listen=", listen,
                     " is reachable from other machines, and channelz asks nobody who they are: listen at 127.0.0.1"));
  }
  grpc::channelz::experimental::InitChannelzService();
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(FormatListenAddress(address->host, address->port), grpc::InsecureServerCredentials(), &port);
  // Else two servers share a port without a word, each with half of the clients.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("--channelz_listen=", listen,
                                               ": cannot listen there: ", WhyNotListening(*address),
                                               "; stop the other program or choose another address"));
  }
  return std::unique_ptr<ChannelzServer>(
      new ChannelzServer(std::move(server), FormatListenAddress(address->host, port)));
}

ChannelzServer::ChannelzServer(std::unique_ptr<grpc::Server> server, std::string address)
    : server_(std::move(server)), address_(std::move(address)) {}

ChannelzServer::~ChannelzServer() { server_->Shutdown(std::chrono::system_clock::now()); }

}  // namespace callbridge::control
