#ifndef CALLBRIDGE_SRC_CONTROL_CHANNELZ_SERVER_H_
#define CALLBRIDGE_SRC_CONTROL_CHANNELZ_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace grpc {
class Server;
}  // namespace grpc

namespace callbridge::control {

// gRPC's own view of itself, grpc.channelz.v1: its servers, connections and channels, and what went over them. gRPC
// brings the service ready-made, and it passes no Authorizer: so it has a port of its own, on loopback only, for
// whoever may log in to the machine.
//
// Process-wide: servers that are made after the first of these have the service, too. So it is made last.
class ChannelzServer {
 public:
  // kInvalidArgument: `listen` is no address, or one that other machines reach. kUnavailable: it cannot be listened at.
  static absl::StatusOr<std::unique_ptr<ChannelzServer>> Start(const std::string& listen);
  ~ChannelzServer();

  std::string address() const { return address_; }

 private:
  ChannelzServer(std::unique_ptr<grpc::Server> server, std::string address);

  const std::unique_ptr<grpc::Server> server_;
  const std::string address_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_CHANNELZ_SERVER_H_
