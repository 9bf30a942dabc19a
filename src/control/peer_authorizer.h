#ifndef CALLBRIDGE_SRC_CONTROL_PEER_AUTHORIZER_H_
#define CALLBRIDGE_SRC_CONTROL_PEER_AUTHORIZER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/control/authorize.h"

namespace grpc {
class ClientContext;
}  // namespace grpc

namespace callbridge::control {

// Requests that one node passes on to another carry the metadata x-callbridge-hop: 1, and in x-callbridge-principal who
// asked the first node, which has authorized it.

// The sender's side. Bytes that metadata cannot hold are written as \xHH.
void AddPeerMetadata(absl::string_view principal, grpc::ClientContext& context);

// Of the node-to-node port, which only lets in who shows a certificate of the nodes' authority. Takes the first node's
// word for who asks. kPermissionDenied NOT_FORWARDED: the request was not passed on by a node, or more than once.
// Thread-safe.
class PeerAuthorizer final : public Authorizer {
 public:
  absl::StatusOr<std::string> Authorize(const grpc::ServerContextBase& context,
                                        absl::string_view method) const override;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_PEER_AUTHORIZER_H_
