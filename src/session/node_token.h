#ifndef CALLBRIDGE_SRC_SESSION_NODE_TOKEN_H_
#define CALLBRIDGE_SRC_SESSION_NODE_TOKEN_H_

#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::session {

// A token of ours in URLs that names the node which made it, so that any other node, and a proxy, knows whom to ask:
// "NODE.RANDOM"; without a node, "RANDOM".

// `node_id` may be empty. Unguessable.
std::string NewNodeToken(absl::string_view node_id);

// The node that a token names; empty: none.
absl::string_view NodeOfToken(absl::string_view token);

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_NODE_TOKEN_H_
