#ifndef CALLBRIDGE_SRC_APP_PROCESS_OPERATIONS_H_
#define CALLBRIDGE_SRC_APP_PROCESS_OPERATIONS_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "src/app/node_rooms.h"
#include "src/app/options.h"
#include "src/control/operations.h"

namespace callbridge::app {

// This process, as OperationsService shows it.
class ProcessOperations final : public control::Operations {
 public:
  // `node` is null where the process has the database alone; it outlives this. `drain` is called on any thread.
  ProcessOperations(const Options& options, const NodeRooms* node, std::function<void()> drain);

  Facts facts() const override { return facts_; }
  std::vector<Node> nodes() const override;
  void Drain() override { drain_(); }
  absl::optional<std::shared_ptr<grpc::Channel>> ChannelTo(absl::string_view node_id) const override;

 private:
  Facts facts_;
  const NodeRooms* const node_;
  const std::function<void()> drain_;
};

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_PROCESS_OPERATIONS_H_
