#ifndef CALLBRIDGE_SRC_STORE_NODE_CHECK_H_
#define CALLBRIDGE_SRC_STORE_NODE_CHECK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "src/store/node_table.h"

// What every table of nodes checks and answers, in the same words.
namespace callbridge::store {

// kInvalidArgument: an empty id or address.
absl::Status CheckNode(const NodeRecord& node);
// kInvalidArgument: kGone, or not 1 or more, or an empty id.
absl::Status CheckRenewal(NodeState state);
absl::Status CheckNodeLimit(int limit);
absl::Status CheckClaim(absl::string_view carrier_call_id, absl::string_view node_id);

// kNotFound (NODE_NOT_FOUND {node}).
absl::Status NoSuchNode(absl::string_view node_id);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_NODE_CHECK_H_
