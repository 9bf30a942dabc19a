#ifndef CALLBRIDGE_SRC_NODES_NODE_SERVER_H_
#define CALLBRIDGE_SRC_NODES_NODE_SERVER_H_

#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/control/credentials.h"
#include "src/control/listen_address.h"
#include "src/control/server_certificates.h"

namespace callbridge::nodes {

// The node-to-node port: what nodes pass on to each other. With mTLS, so that only nodes are let in; plaintext only on
// loopback. No reflection. All methods from one thread.
class NodeServer {
 public:
  struct Options {
    std::string listen;  // Port 0: any free one.
    control::TlsFiles tls;
  };

  // Listens. `services` outlive it. kInvalidArgument: the address is malformed, or a file cannot be used.
  // kFailedPrecondition: the address is reachable from outside, and there is no mTLS. kUnavailable: it cannot be
  // listened at. Each is one line that says what to do and names the flag.
  static absl::StatusOr<std::unique_ptr<NodeServer>> Start(const Options& options,
                                                           const std::vector<grpc::Service*>& services);

  // Shuts down at once, if that has not been done.
  ~NodeServer();
  NodeServer(const NodeServer&) = delete;
  NodeServer& operator=(const NodeServer&) = delete;

  int port() const { return port_; }
  // "host:port", as it is listened at.
  std::string address() const;

  // Reads the TLS files again, for connections from now on. kInvalidArgument: they cannot be used, and those that were
  // read before stay. Without TLS nothing is done. Blocks on the disk.
  absl::Status LoadCertificates();

  // Requests under way get up to `grace` to finish and are then cut off. Blocks until that is over. A repeat does
  // nothing.
  void Shutdown(absl::Duration grace);

 private:
  NodeServer(control::ListenAddress address, std::unique_ptr<control::ServerCertificates> certificates)
      : address_(std::move(address)), certificates_(std::move(certificates)) {}
  absl::Status Listen(const std::vector<grpc::Service*>& services);

  const control::ListenAddress address_;
  const std::unique_ptr<control::ServerCertificates> certificates_;  // Null without TLS. Outlives the server.
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_NODE_SERVER_H_
