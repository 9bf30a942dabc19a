#ifndef CALLBRIDGE_SRC_NODES_DIRECTORY_H_
#define CALLBRIDGE_SRC_NODES_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace callbridge::nodes {

// What is known of another node.
struct Peer {
  std::string node_id;
  std::string address;        // host:port of its node-to-node port.
  std::string media_address;  // host:port of its carrier-facing port.
  bool alive = false;         // Holds a lease, as far as this process knows.
  bool draining = false;      // Takes no new calls.
};

// Which nodes there are, from memory. Thread-safe; never blocks.
class Directory {
 public:
  virtual ~Directory() = default;

  virtual std::string self_id() const = 0;

  // nullopt: there is none of that id, or not any more.
  virtual absl::optional<Peer> Find(absl::string_view node_id) const = 0;

  // All, self included.
  virtual std::vector<Peer> All() const = 0;
};

}  // namespace callbridge::nodes

#endif  // CALLBRIDGE_SRC_NODES_DIRECTORY_H_
