#include "src/store/node_table.h"

namespace callbridge::store {

absl::string_view Name(NodeState state) {
  switch (state) {
    case NodeState::kUp: return "up";
    case NodeState::kDraining: return "draining";
    case NodeState::kGone: return "gone";
  }
  return "gone";
}

bool Parse(absl::string_view name, NodeState* state) {
  for (const NodeState each : {NodeState::kUp, NodeState::kDraining, NodeState::kGone}) {
    if (name != Name(each)) continue;
    *state = each;
    return true;
  }
  return false;
}

}  // namespace callbridge::store
