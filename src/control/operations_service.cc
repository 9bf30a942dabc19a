#include "src/control/operations_service.h"

#include <grpcpp/client_context.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/base/log.h"
#include "src/control/convert.h"
#include "src/control/forwarder.h"
#include "src/control/handle.h"
#include "src/control/peer_authorizer.h"
#include "src/control/requests.h"
#include "src/control/status_map.h"

namespace callbridge::control {
namespace {

std::string FullName(absl::string_view method) {
  return absl::StrCat("/", v1::OperationsService::service_full_name(), "/", method);
}

std::string NodeName(const std::string& node_id) { return node_id.empty() ? "" : absl::StrCat("nodes/", node_id); }

// "nodes/{uuid}" or "{uuid}" -> the id; empty stays empty.
absl::StatusOr<std::string> ParseNodeName(absl::string_view name) {
  const std::string id(absl::StripPrefix(name, "nodes/"));
  if (name.empty() || base::IsCanonicalUuid(id)) return id;
  return base::FieldError("node", "INVALID_NODE_NAME", "must be like nodes/11111111-2222-4333-8444-555555555555");
}

v1::NodeState StateOf(const Operations::Node& node) {
  if (!node.alive) return v1::NODE_STATE_DEAD;
  return node.record.state == store::NodeState::kDraining ? v1::NODE_STATE_DRAINING : v1::NODE_STATE_UP;
}

v1::Node ToProto(const Operations::Node& node) {
  v1::Node out;
  out.set_name(NodeName(node.record.node_id));
  out.set_address(node.record.address);
  out.set_state(StateOf(node));
  out.set_live_calls(static_cast<int32_t>(node.record.live_calls));
  out.set_max_calls(static_cast<int32_t>(node.record.max_calls));
  *out.mutable_start_time() = ToTimestamp(node.record.start_time);
  *out.mutable_renew_time() = ToTimestamp(node.record.renew_time);
  out.set_version(node.record.version);
  return out;
}

v1::PolicyRefusal ToRefusal(const absl::Status& problem) {
  const base::ErrorInfo info = base::GetErrorInfo(problem);
  v1::PolicyRefusal out;
  out.set_reason(info.reason);
  out.set_message(std::string(problem.message()));
  out.set_field(info.field);
  for (const auto& [key, value] : info.metadata) (*out.mutable_metadata())[key] = InNames(key, value);
  if (const auto delay = RetryDelayOf(problem)) *out.mutable_retry_delay() = ToDuration(*delay);
  return out;
}

absl::Status NoSuchNode(const std::string& node_id) {
  return base::MakeError(absl::StatusCode::kNotFound, "NODE_NOT_FOUND",
                         absl::StrCat("there is no node ", node_id, "; ListNodes has those that there are"),
                         {{"node", node_id}});
}

absl::Status Unreachable(const std::string& node_id, const std::string& why) {
  base::Log(base::LogKind::kTrouble, "", "a node could not be told to drain", {{"node", node_id}, {"why", why}});
  return base::MakeError(absl::StatusCode::kUnavailable, "OWNER_UNREACHABLE",
                         absl::StrCat("the node ", node_id, " does not answer"), {{"node", node_id}});
}

using DrainCall = std::shared_ptr<UnaryCall<v1::DrainNodeResponse>>;

// Passes it on, and its answer back.
void DrainAt(std::shared_ptr<grpc::Channel> channel, const std::string& node_id, const std::string& principal,
             const DrainCall& call) {
  struct Passed {
    std::unique_ptr<v1::OperationsService::Stub> stub;
    grpc::ClientContext context;
    v1::DrainNodeRequest request;
    v1::DrainNodeResponse response;
  };
  const auto passed = std::make_shared<Passed>();
  passed->stub = v1::OperationsService::NewStub(std::move(channel));
  passed->request.set_node(NodeName(node_id));
  AddPeerMetadata(principal, passed->context);
  passed->context.set_deadline(call->deadline());
  passed->stub->async()->DrainNode(&passed->context, &passed->request, &passed->response,
                                   [passed, call, node_id](const grpc::Status& status) {
                                     if (Forwarder::OutcomeOf(status) == ForwardOutcome::kUnreachable)
                                       return call->Finish(Unreachable(node_id, status.error_message()));
                                     call->FinishAs(status, std::move(passed->response));
                                   });
  // Not before: a call that has not begun cannot be cancelled.
  call->WhenOver([weak = std::weak_ptr<Passed>(passed)] {
    if (const auto running = weak.lock()) running->context.TryCancel();
  });
}

}  // namespace

v1::GetServerInfoResponse OperationsService::Info(const std::string& principal) const {
  const Operations::Facts facts = operations_.facts();
  const session::CallControl::Standing standing = control_.standing();
  v1::GetServerInfoResponse info;
  info.set_version(facts.version);
  info.set_node(NodeName(facts.node_id));
  *info.mutable_start_time() = ToTimestamp(facts.start_time);
  info.set_store(facts.store);
  info.set_draining(standing.draining);
  info.set_live_calls(standing.live_calls);
  info.set_max_calls(standing.max_calls);
  info.mutable_agents()->Add(standing.agents.begin(), standing.agents.end());
  const std::vector<std::string> destinations = control_.Destinations();
  info.mutable_destinations()->Add(destinations.begin(), destinations.end());
  info.set_principal(principal);
  return info;
}

v1::ListNodesResponse OperationsService::Nodes() const {
  const Operations::Facts facts = operations_.facts();
  const session::CallControl::Standing standing = control_.standing();
  v1::ListNodesResponse response;
  for (const Operations::Node& node : operations_.nodes()) *response.add_nodes() = ToProto(node);
  if (facts.node_id.empty()) {
    v1::Node& alone = *response.add_nodes();
    *alone.mutable_start_time() = ToTimestamp(facts.start_time);
    alone.set_version(facts.version);
  }
  for (v1::Node& node : *response.mutable_nodes()) {
    if (node.name() != NodeName(facts.node_id)) continue;
    // Of itself it knows better than the database.
    node.set_self(true);
    node.set_state(standing.draining ? v1::NODE_STATE_DRAINING : v1::NODE_STATE_UP);
    node.set_live_calls(standing.live_calls);
    node.set_max_calls(standing.max_calls);
  }
  return response;
}

grpc::ServerUnaryReactor* OperationsService::GetServerInfo(grpc::CallbackServerContext* context,
                                                           const v1::GetServerInfoRequest*,
                                                           v1::GetServerInfoResponse* response) {
  return HandleUnary(
      authorizer_, longest_unary_, context, FullName("GetServerInfo"), response,
      [](const std::string& principal) { return absl::StatusOr<std::string>(principal); },
      [this](const auto& call, const std::string& principal) { call->Finish(Info(principal)); });
}

grpc::ServerUnaryReactor* OperationsService::ListNodes(grpc::CallbackServerContext* context,
                                                       const v1::ListNodesRequest*, v1::ListNodesResponse* response) {
  return HandleUnary(
      authorizer_, longest_unary_, context, FullName("ListNodes"), response,
      [](const std::string& principal) { return absl::StatusOr<std::string>(principal); },
      [this](const auto& call, const std::string&) { call->Finish(Nodes()); });
}

grpc::ServerUnaryReactor* OperationsService::DrainNode(grpc::CallbackServerContext* context,
                                                       const v1::DrainNodeRequest* request,
                                                       v1::DrainNodeResponse* response) {
  struct Drain {
    std::string principal;
    std::string node_id;
  };
  return HandleUnary(
      authorizer_, longest_unary_, context, FullName("DrainNode"), response,
      [&](const std::string& principal) -> absl::StatusOr<Drain> {
        auto node_id = ParseNodeName(request->node());
        if (!node_id.ok()) return node_id.status();
        return Drain{principal, *std::move(node_id)};
      },
      [this](const DrainCall& call, const Drain& drain) {
        if (call->finished()) return call->Finish(absl::CancelledError("the client went away"));
        if (drain.node_id.empty() || drain.node_id == operations_.facts().node_id) {
          base::Log(base::LogKind::kEnd, "", "draining, because a client asked for it", {{"who", drain.principal}});
          operations_.Drain();
          v1::DrainNodeResponse answer;
          answer.set_live_calls(control_.standing().live_calls);
          return call->Finish(std::move(answer));
        }
        const auto channel = clients_ == Clients::kPublic ? operations_.ChannelTo(drain.node_id) : absl::nullopt;
        if (!channel) return call->Finish(NoSuchNode(drain.node_id));
        if (*channel == nullptr) return call->Finish(Unreachable(drain.node_id, "it has no lease"));
        DrainAt(*channel, drain.node_id, drain.principal, call);
      });
}

grpc::ServerUnaryReactor* OperationsService::EvaluateCallPolicy(grpc::CallbackServerContext* context,
                                                                const v1::EvaluateCallPolicyRequest* request,
                                                                v1::EvaluateCallPolicyResponse* response) {
  return HandleUnary(
      authorizer_, longest_unary_, context, FullName("EvaluateCallPolicy"), response,
      [&](const std::string&) { return ParseEvaluateCallPolicy(*request); },
      [this](const auto& call, const session::CallControl::StartRequest& start) {
        control_.EvaluateStart(start, [call](const absl::StatusOr<std::vector<absl::Status>>& problems) {
          if (!problems.ok()) return call->Finish(InsideCall(problems.status()));
          v1::EvaluateCallPolicyResponse answer;
          answer.set_allowed(problems->empty());
          for (const absl::Status& problem : *problems) *answer.add_refusals() = ToRefusal(InsideCall(problem));
          call->Finish(std::move(answer));
        });
      });
}

}  // namespace callbridge::control
