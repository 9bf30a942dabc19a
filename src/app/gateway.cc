#include "src/app/gateway.h"

#include <string>
#include <utility>

#include "src/base/log.h"
#include "src/session/node_token.h"

namespace callbridge::app {
namespace {

net::UpgradeDecision Refuse(int status, const std::string& text) {
  net::UpgradeDecision decision;
  decision.refusal.status = status;
  decision.refusal.body = text + "\n";
  return decision;
}

}  // namespace

bool CarrierGateway::IsForAnother(absl::string_view stream_token) const {
  const absl::string_view node_id = session::NodeOfToken(stream_token);
  return nodes_.directory != nullptr && !node_id.empty() && node_id != nodes_.directory->self_id();
}

// A node without a lease may only be cut off from the database, and is asked all the same.
std::string CarrierGateway::RelayTo(absl::string_view method, absl::string_view target) {
  const std::string token = http::Webhooks::StreamToken(target);
  if (!IsForAnother(token)) return "";
  const auto peer = nodes_.directory->Find(session::NodeOfToken(token));
  const auto self = nodes_.directory->Find(nodes_.directory->self_id());
  // A former run of this process was reached where this one is.
  if (!peer || (self && self->media_address == peer->media_address)) return "";
  return peer->media_address;
}

int CarrierGateway::LoopFor(absl::string_view method, absl::string_view target) {
  const std::string token = http::Webhooks::StreamToken(target);
  return token.empty() ? -1 : switchboard_.LoopOfStream(token);
}

void CarrierGateway::OnRequest(int loop, const base::HttpRequest& request, Respond respond) {
  if (nodes_.router == nullptr) return respond(webhooks_.Handle(request));
  net::Loop& home = *nodes_.loops[static_cast<size_t>(loop)];
  nodes_.router->Handle(request, [&home, respond = std::move(respond)](base::HttpResponse response) {
    if (home.InLoop()) return respond(std::move(response));
    home.Post([respond, response = std::move(response)] { respond(response); });
  });
}

net::UpgradeDecision CarrierGateway::OnUpgrade(int loop, const base::HttpRequest& request) {
  if (request.Path() != "/media-stream") return Refuse(404, "no such path");
  if (const absl::Status signature = webhooks_.CheckUpgrade(request); !signature.ok()) {
    base::Log(base::LogKind::kTrouble, "", "media stream refused", {{"why", std::string(signature.message())}});
    return Refuse(403, "the request is not signed by the carrier");
  }
  const std::string token = http::Webhooks::StreamToken(request.target);
  if (IsForAnother(token)) {
    // It is not known here, and may have joined a moment ago: another node may know it, or be it.
    net::UpgradeDecision later = Refuse(503, "the call's node is not known here");
    later.refusal.headers = {{"Retry-After", "1"}};
    return later;
  }
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
