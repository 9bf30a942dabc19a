#include "src/store/node_check.h"

#include <string>

#include "src/base/error.h"

namespace callbridge::store {
namespace {

absl::Status Refuse(absl::string_view field, absl::string_view message) {
  return base::FieldError(field, "INVALID_NODE", message);
}

}  // namespace

absl::Status CheckNode(const NodeRecord& node) {
  if (node.node_id.empty()) return Refuse("node_id", "must not be empty");
  if (node.address.empty()) return Refuse("address", "must not be empty");
  return absl::OkStatus();
}

absl::Status CheckRenewal(NodeState state) {
  return state == NodeState::kGone ? Refuse("state", "must be up or draining") : absl::OkStatus();
}

absl::Status CheckNodeLimit(int limit) {
  return limit >= 1 ? absl::OkStatus() : base::FieldError("limit", "INVALID_LIMIT", "must be 1 or more");
}

absl::Status CheckClaim(absl::string_view carrier_call_id, absl::string_view node_id) {
  if (carrier_call_id.empty()) return Refuse("carrier_call_id", "must not be empty");
  if (node_id.empty()) return Refuse("node_id", "must not be empty");
  return absl::OkStatus();
}

absl::Status NoSuchNode(absl::string_view node_id) {
  return base::MakeError(absl::StatusCode::kNotFound, "NODE_NOT_FOUND", "no such node, or it has left or was replaced",
                         {{"node", std::string(node_id)}});
}

}  // namespace callbridge::store
