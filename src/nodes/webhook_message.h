#ifndef CALLBRIDGE_SRC_NODES_WEBHOOK_MESSAGE_H_
#define CALLBRIDGE_SRC_NODES_WEBHOOK_MESSAGE_H_

#include "callbridge/node/v1/node_service.pb.h"
#include "src/base/http_message.h"

namespace callbridge::nodes {

// HTTP messages as nodes send them to each other, and back. Pure.
node::v1::HandleWebhookRequest ToProto(const base::HttpRequest& request);
base::HttpRequest FromProto(const node::v1::HandleWebhookRequest& message);
node::v1::HandleWebhookResponse ToProto(const base::HttpResponse& response);
base::HttpResponse FromProto(const node::v1::HandleWebhookResponse& message);

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_WEBHOOK_MESSAGE_H_
