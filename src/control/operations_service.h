#ifndef CALLBRIDGE_SRC_CONTROL_OPERATIONS_SERVICE_H_
#define CALLBRIDGE_SRC_CONTROL_OPERATIONS_SERVICE_H_

#include <chrono>

#include "callbridge/v1/operations_service.grpc.pb.h"
#include "src/control/authorize.h"
#include "src/control/operations.h"
#include "src/session/call_control.h"

namespace callbridge::control {

// The servers themselves, on gRPC: on the port for clients, and on the one between nodes, where DrainNode arrives that
// another node passes on. Never blocks.
class OperationsService final : public v1::OperationsService::CallbackService {
 public:
  enum class Clients {
    kPublic,  // DrainNode of another node is passed on.
    kPeers,   // It is not, for that has been done.
  };

  // All outlive the server that this is registered with.
  OperationsService(Operations& operations, session::CallControl& control, const Authorizer& authorizer,
                    std::chrono::milliseconds longest_unary, Clients clients = Clients::kPublic)
      : operations_(operations),
        control_(control),
        authorizer_(authorizer),
        longest_unary_(longest_unary),
        clients_(clients) {}

  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context, const v1::GetServerInfoRequest* request,
                                          v1::GetServerInfoResponse* response) override;
  grpc::ServerUnaryReactor* ListNodes(grpc::CallbackServerContext* context, const v1::ListNodesRequest* request,
                                      v1::ListNodesResponse* response) override;
  grpc::ServerUnaryReactor* DrainNode(grpc::CallbackServerContext* context, const v1::DrainNodeRequest* request,
                                      v1::DrainNodeResponse* response) override;
  grpc::ServerUnaryReactor* EvaluateCallPolicy(grpc::CallbackServerContext* context,
                                               const v1::EvaluateCallPolicyRequest* request,
                                               v1::EvaluateCallPolicyResponse* response) override;

 private:
  v1::GetServerInfoResponse Info(const std::string& principal) const;
  v1::ListNodesResponse Nodes() const;

  Operations& operations_;
  session::CallControl& control_;
  const Authorizer& authorizer_;
  const std::chrono::milliseconds longest_unary_;
  const Clients clients_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_OPERATIONS_SERVICE_H_
