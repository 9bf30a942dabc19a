#include "src/app/process_operations.h"

#include "absl/strings/str_cat.h"
#include "src/app/open_store.h"
#include "src/base/clock.h"

namespace callbridge::app {

ProcessOperations::ProcessOperations(const Options& options, const NodeRooms* node, std::function<void()> drain)
    : node_(node), drain_(std::move(drain)) {
  facts_.version = absl::StrCat("schema ", LastMigration(options.database_url).version);
  facts_.node_id = node == nullptr ? "" : node->id();
  facts_.start_time = base::SystemClock().Now();
  facts_.store = IsPostgresUrl(options.database_url) ? "postgresql" : "sqlite";
}

std::vector<control::Operations::Node> ProcessOperations::nodes() const {
  std::vector<Node> nodes;
  if (node_ == nullptr) return nodes;
  for (nodes::Membership::Known& known : node_->Known()) nodes.push_back({std::move(known.record), known.alive});
  return nodes;
}

absl::optional<std::shared_ptr<grpc::Channel>> ProcessOperations::ChannelTo(absl::string_view node_id) const {
  if (node_ == nullptr) return absl::nullopt;
  return node_->ChannelTo(node_id);
}

}  // namespace callbridge::app
