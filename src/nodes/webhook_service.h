#ifndef CALLBRIDGE_SRC_NODES_WEBHOOK_SERVICE_H_
#define CALLBRIDGE_SRC_NODES_WEBHOOK_SERVICE_H_

#include "callbridge/node/v1/node_service.grpc.pb.h"
#include "src/control/authorize.h"
#include "src/http/webhooks.h"

namespace callbridge::nodes {

// The owner's side of a webhook that reached another node: answers it here, whatever call it is about, so that nothing
// goes in circles. The carrier's signature is checked as if it had come from the carrier.
class WebhookService final : public node::v1::NodeService::CallbackService {
 public:
  // Both outlive the server that this is registered with.
  WebhookService(const control::Authorizer& authorizer, http::Webhooks& webhooks)
      : authorizer_(authorizer), webhooks_(webhooks) {}

  grpc::ServerUnaryReactor* HandleWebhook(grpc::CallbackServerContext* context,
                                          const node::v1::HandleWebhookRequest* request,
                                          node::v1::HandleWebhookResponse* response) override;

 private:
  const control::Authorizer& authorizer_;
  http::Webhooks& webhooks_;
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_WEBHOOK_SERVICE_H_
