#include "src/control/forwarder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "src/base/error.h"
#include "src/base/log.h"
#include "src/call/types.h"

namespace callbridge::control {
namespace {

// Of the ErrorInfo that every error of ours carries; empty: the error is gRPC's own.
std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details())) return "";
  for (const auto& detail : details.details()) {
    if (detail.UnpackTo(&info)) return info.reason();
  }
  return "";
}

}  // namespace

absl::string_view Name(ForwardOutcome outcome) {
  switch (outcome) {
    case ForwardOutcome::kAnswered: return "answered";
    case ForwardOutcome::kMoved: return "moved";
    case ForwardOutcome::kUnreachable: return "unreachable";
    case ForwardOutcome::kGivenUp: return "given_up";
  }
  return "";
}

absl::StatusOr<absl::optional<Forwarder::Owner>> Forwarder::Find(const std::string& call_id) const {
  const auto call = store_.GetCall(call_id);
  if (!call.ok()) return call.status();
  const std::string& owner = call->owner.node_id;
  if (call::IsFinal(call->state) || owner.empty() || owner == self_id_) return absl::nullopt;
  auto channel = channel_to_(owner);
  if (!channel.has_value()) return Owner{owner, nullptr};
  if (*channel == nullptr) return Unreachable(call_id, owner, "it has no lease");
  return Owner{owner, *std::move(channel)};
}

absl::Status Forwarder::CheckOver(const std::string& call_id) const {
  const auto call = store_.GetCall(call_id);
  if (!call.ok()) return call.status();
  if (call::IsFinal(call->state)) return absl::OkStatus();
  return base::MakeError(absl::StatusCode::kAborted, "OWNER_CHANGED", "this node does not have the call",
                         {{"call", absl::StrCat("calls/", call_id)}});
}

ForwardOutcome Forwarder::OutcomeOf(const grpc::Status& answer) {
  if (answer.ok()) return ForwardOutcome::kAnswered;
  const std::string reason = ReasonOf(answer);
  if (answer.error_code() == grpc::StatusCode::ABORTED && reason == "OWNER_CHANGED") return ForwardOutcome::kMoved;
  if (!reason.empty()) return ForwardOutcome::kAnswered;
  switch (answer.error_code()) {
    case grpc::StatusCode::UNAVAILABLE: return ForwardOutcome::kUnreachable;
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED: return ForwardOutcome::kGivenUp;
    default: return ForwardOutcome::kAnswered;
  }
}

absl::Status Forwarder::Unreachable(absl::string_view call_id, absl::string_view node_id, const std::string& why) {
  base::Log(base::LogKind::kTrouble, call_id, "a request could not be passed on to the call's node",
            {{"node", std::string(node_id)}, {"why", why}});
  return base::MakeError(absl::StatusCode::kUnavailable, "OWNER_UNREACHABLE",
                         absl::StrCat("the node ", node_id,
                                      " that has the call does not answer; ask again: if it is dead, the call is "
                                      "closed within a minute"),
                         {{"node", std::string(node_id)}, {"call", absl::StrCat("calls/", call_id)}});
}

}  // namespace callbridge::control
