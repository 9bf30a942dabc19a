#ifndef CALLBRIDGE_SRC_CONTROL_OPERATIONS_H_
#define CALLBRIDGE_SRC_CONTROL_OPERATIONS_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/store/node_table.h"

namespace callbridge::control {

// The process that serves, as OperationsService shows it. Thread-safe; never blocks.
class Operations {
 public:
  virtual ~Operations() = default;

  struct Facts {
    std::string version;  // "schema 8".
    std::string node_id;  // Empty: it has the database alone.
    absl::Time start_time;
    std::string store;  // "sqlite" or "postgresql".
  };
  virtual Facts facts() const = 0;

  struct Node {
    store::NodeRecord record;
    bool alive = true;
  };
  // All that share the database, this process included. Empty: it has the database alone.
  virtual std::vector<Node> nodes() const = 0;

  // From now on no call begins here, and health says so. A repeat changes nothing.
  virtual void Drain() = 0;

  // The way to another node. nullopt: there is none of that id; null: it is dead.
  virtual absl::optional<std::shared_ptr<grpc::Channel>> ChannelTo(absl::string_view node_id) const = 0;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_OPERATIONS_H_
