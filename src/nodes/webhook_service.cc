#include "src/nodes/webhook_service.h"

#include "src/control/status_map.h"
#include "src/nodes/webhook_message.h"

namespace callbridge::nodes {

grpc::ServerUnaryReactor* WebhookService::HandleWebhook(grpc::CallbackServerContext* context,
                                                        const node::v1::HandleWebhookRequest* request,
                                                        node::v1::HandleWebhookResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto peer = authorizer_.Authorize(*context, "/callbridge.node.v1.NodeService/HandleWebhook");
  if (!peer.ok()) {
    reactor->Finish(control::ToGrpcStatus(peer.status()));
    return reactor;
  }
  *response = ToProto(webhooks_.Handle(FromProto(*request)));
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace callbridge::nodes
