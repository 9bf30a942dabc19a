#include "src/nodes/webhook_router.h"

#include <grpcpp/alarm.h>
#include <grpcpp/client_context.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/variant.h"
#include "callbridge/node/v1/node_service.grpc.pb.h"
#include "src/base/log.h"
#include "src/control/peer_authorizer.h"
#include "src/nodes/webhook_message.h"
#include "src/session/node_token.h"

namespace callbridge::nodes {
namespace {

using base::HttpResponse;

constexpr absl::Duration kStrangerLook = absl::Milliseconds(100);

HttpResponse TryAnother() {
  HttpResponse response;
  response.status = 503;
  response.headers = {{"Retry-After", "1"}};
  response.body = "the call's node cannot be reached\n";
  return response;
}

std::chrono::system_clock::time_point DeadlineIn(absl::Duration limit) {
  return std::chrono::system_clock::now() + absl::ToChronoMicroseconds(limit);
}

}  // namespace

// A request that cannot be answered at once. What refers to it keeps it; the last to let go ends it.
struct WebhookRouter::Pending {
  Pending(WebhookRouter& owner, base::HttpRequest r, http::Webhooks::Subject s, Done d)
      : router(owner), request(std::move(r)), subject(std::move(s)), done(std::move(d)) {
    base::MutexLock lock(router.mutex_);
    ++router.under_way_;
  }
  ~Pending() {
    base::MutexLock lock(router.mutex_);
    if (--router.under_way_ == 0) router.ended_.NotifyAll();
  }

  WebhookRouter& router;
  const base::HttpRequest request;
  const http::Webhooks::Subject subject;
  const Done done;

  std::atomic<bool> routed{false};  // The table has answered, or was not waited for any longer.
  grpc::Alarm alarm;

  absl::Duration waited;  // For news of the owner.
  std::unique_ptr<grpc::Alarm> next_look;

  grpc::ClientContext context;
  node::v1::HandleWebhookRequest message;
  node::v1::HandleWebhookResponse answer;
  std::unique_ptr<node::v1::NodeService::Stub> stub;
};

WebhookRouter::WebhookRouter(const Options& options, Deps deps) : options_(options), deps_(std::move(deps)) {}

WebhookRouter::~WebhookRouter() {
  base::MutexLock lock(mutex_);
  while (under_way_ > 0) ended_.Wait(mutex_);
}

void WebhookRouter::Handle(const base::HttpRequest& request, Done done) {
  auto inspected = deps_.webhooks->Inspect(request);
  if (auto* refusal = absl::get_if<HttpResponse>(&inspected)) return done(std::move(*refusal));
  const auto& subject = absl::get<http::Webhooks::Subject>(inspected);
  const std::string node_id(session::NodeOfToken(subject.call_token));
  const bool here = node_id == deps_.directory->self_id() || (node_id.empty() && !subject.call_token.empty()) ||
                    (node_id.empty() && (subject.carrier_call_id.empty() || deps_.is_here(subject.carrier_call_id)));
  if (here) return done(deps_.webhooks->Handle(request));
  const auto pending = std::make_shared<Pending>(*this, request, subject, std::move(done));
  if (node_id.empty()) return AskTable(pending);
  Forward(pending, node_id);
}

void WebhookRouter::AskTable(const PendingPtr& pending) {
  // The alarm is the request's own: whom it wakes lets go of the request, or neither would ever end.
  pending->alarm.Set(DeadlineIn(options_.table_limit), [this, waiting = pending](bool) mutable {
    const PendingPtr mine = std::move(waiting);
    Route(mine, absl::UnavailableError("no answer in time"));
  });
  deps_.executor->Post([this, pending] {
    if (!pending->routed) Route(pending, FindOwner(pending->subject));
  });
}

// Blocks.
absl::StatusOr<absl::optional<std::string>> WebhookRouter::FindOwner(const http::Webhooks::Subject& subject) {
  const std::string& call = subject.carrier_call_id;
  if (!subject.begins_call) return deps_.table->FindCarrierCall(call);
  const absl::optional<std::string> taker = Taker();
  if (!taker) return deps_.table->FindCarrierCall(call);
  auto owner = deps_.table->ClaimCarrierCall(call, *taker);
  if (!owner.ok()) return owner.status();
  return absl::optional<std::string>(*std::move(owner));
}

// Who is to have a new call; nullopt: nobody takes any.
absl::optional<std::string> WebhookRouter::Taker() {
  if (deps_.accepting()) return deps_.directory->self_id();
  std::vector<std::string> others;
  for (const Peer& peer : deps_.directory->All()) {
    if (peer.alive && !peer.draining && peer.node_id != deps_.directory->self_id()) others.push_back(peer.node_id);
  }
  if (others.empty()) return absl::nullopt;
  base::MutexLock lock(mutex_);
  return others[next_node_++ % others.size()];
}

void WebhookRouter::Route(const PendingPtr& pending, const absl::StatusOr<absl::optional<std::string>>& owner) {
  if (pending->routed.exchange(true)) return;
  pending->alarm.Cancel();
  if (owner.ok() && *owner && **owner != deps_.directory->self_id()) return Forward(pending, **owner);
  if (!owner.ok()) {
    base::Log(base::LogKind::kTrouble, "", "whose call a webhook is about cannot be found out",
              {{"carrier_call_id", pending->subject.carrier_call_id}, {"why", std::string(owner.status().message())}});
    // Here a new call would be refused.
    if (pending->subject.begins_call && !deps_.accepting() && Taker()) return pending->done(TryAnother());
  }
  pending->done(deps_.webhooks->Handle(pending->request));
}

void WebhookRouter::Forward(const PendingPtr& pending, const std::string& node_id) {
  const auto peer = deps_.directory->Find(node_id);
  if (!peer) return AwaitStranger(pending, node_id);
  pending->message = ToProto(pending->request);
  control::AddPeerMetadata("carrier", pending->context);
  pending->context.set_deadline(DeadlineIn(options_.owner_limit));
  pending->stub = node::v1::NodeService::NewStub(deps_.channels->To(peer->address));
  pending->stub->async()->HandleWebhook(
      &pending->context, &pending->message, &pending->answer,
      [this, pending, node_id](const grpc::Status& status) { OnForwarded(*pending, node_id, status); });
}

void WebhookRouter::AwaitStranger(const PendingPtr& pending, const std::string& node_id) {
  if (pending->waited >= options_.stranger_limit) return pending->done(deps_.webhooks->HandleOver(pending->request));
  const absl::Duration wait = std::min(kStrangerLook, options_.stranger_limit - pending->waited);
  pending->waited += wait;
  pending->next_look = std::make_unique<grpc::Alarm>();
  pending->next_look->Set(DeadlineIn(wait), [this, waiting = pending, node_id](bool) mutable {
    const PendingPtr mine = std::move(waiting);
    Forward(mine, node_id);
  });
}

// A node without a lease may only be cut off from the database, and have its calls all the same: so it was asked, too.
void WebhookRouter::OnForwarded(Pending& pending, const std::string& node_id, const grpc::Status& status) {
  if (status.ok()) return pending.done(FromProto(pending.answer));
  const auto peer = deps_.directory->Find(node_id);
  const bool alive = peer && peer->alive;
  base::Log(base::LogKind::kTrouble, "", "a webhook could not be passed on to its call's node",
            {{"node", node_id}, {"why", status.error_message()}, {"leased", alive ? "yes" : "no"}});
  pending.done(alive ? TryAnother() : deps_.webhooks->HandleOver(pending.request));
}

}  // namespace callbridge::nodes
