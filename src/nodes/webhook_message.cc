#include "src/nodes/webhook_message.h"

#include "absl/strings/match.h"

namespace callbridge::nodes {
namespace {

constexpr char kContentType[] = "Content-Type";

template <typename Message>
void AddHeader(Message& message, const std::string& name, const std::string& value) {
  auto& header = *message.add_headers();
  header.set_name(name);
  header.set_value(value);
}

}  // namespace

node::v1::HandleWebhookRequest ToProto(const base::HttpRequest& request) {
  node::v1::HandleWebhookRequest message;
  message.set_method(request.method);
  message.set_target(request.target);
  for (const auto& [name, value] : request.headers) AddHeader(message, name, value);
  message.set_body(request.body);
  return message;
}

base::HttpRequest FromProto(const node::v1::HandleWebhookRequest& message) {
  base::HttpRequest request;
  request.method = message.method();
  request.target = message.target();
  for (const auto& header : message.headers()) request.headers.emplace_back(header.name(), header.value());
  request.body = message.body();
  return request;
}

node::v1::HandleWebhookResponse ToProto(const base::HttpResponse& response) {
  node::v1::HandleWebhookResponse message;
  message.set_status(response.status);
  if (!response.content_type.empty()) AddHeader(message, kContentType, response.content_type);
  for (const auto& [name, value] : response.headers) AddHeader(message, name, value);
  message.set_body(response.body);
  return message;
}

base::HttpResponse FromProto(const node::v1::HandleWebhookResponse& message) {
  base::HttpResponse response;
  response.status = message.status();
  response.content_type.clear();
  for (const auto& header : message.headers()) {
    if (absl::EqualsIgnoreCase(header.name(), kContentType)) {
      response.content_type = header.value();
    } else {
      response.headers.emplace_back(header.name(), header.value());
    }
  }
  response.body = message.body();
  return response;
}

}  // namespace callbridge::nodes
