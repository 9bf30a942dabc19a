#include "src/app/gateway.h"

#include <string>

#include "src/base/log.h"

namespace callbridge::app {
namespace {

net::UpgradeDecision Refuse(int status, const std::string& text) {
  net::UpgradeDecision decision;
  decision.refusal.status = status;
  decision.refusal.body = text + "\n";
  return decision;
}

}  // namespace

int CarrierGateway::LoopFor(absl::string_view method, absl::string_view target) {
  const std::string token = http::Webhooks::StreamToken(target);
  return token.empty() ? -1 : switchboard_.LoopOfStream(token);
}

void CarrierGateway::OnRequest(int loop, const base::HttpRequest& request, Respond respond) {
  respond(webhooks_.Handle(request));
}

net::UpgradeDecision CarrierGateway::OnUpgrade(int loop, const base::HttpRequest& request) {
  if (request.Path() != "/media-stream") return Refuse(404, "no such path");
  if (const absl::Status signature = webhooks_.CheckUpgrade(request); !signature.ok()) {
    base::Log(base::LogKind::kTrouble, "", "media stream refused", {{"why", std::string(signature.message())}});
    return Refuse(403, "the request is not signed by the carrier");
  }
  const std::string token = http::Webhooks::StreamToken(request.target);
  // A token that is unknown here may have been used between the acceptor's look and now.
  net::UpgradeDecision decision;
  if (switchboard_.LoopOfStream(token) == loop) decision.listener = switchboard_.ClaimStream(token);
  if (decision.listener != nullptr) return decision;
  base::Log(base::LogKind::kTrouble, "", "media stream refused", {{"why", "its token is missing, unknown or used"}});
  return Refuse(403, "token: missing, unknown or used");
}

net::UpgradeDecision AdminGateway::OnUpgrade(int loop, const base::HttpRequest& request) {
  return Refuse(404, "no WebSockets here");
}

}  // namespace callbridge::app
