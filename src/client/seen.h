#ifndef CALLBRIDGE_SRC_CLIENT_SEEN_H_
#define CALLBRIDGE_SRC_CLIENT_SEEN_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace callbridge::client {

// The latest sequence of each call that something happened in lately: what repeats are known by. Remembers at least the
// last `calls` calls, and at most twice as many.
class Seen {
 public:
  explicit Seen(size_t calls) : calls_(calls) {}

  // Whether the event is new: behind all that were added of its call.
  bool Add(const std::string& call, int64_t sequence) {
    if (Latest(call) >= sequence) return false;
    if (young_.size() >= calls_) {
      old_ = std::move(young_);
      young_.clear();
    }
    young_[call] = sequence;
    return true;
  }

 private:
  int64_t Latest(const std::string& call) const {
    if (const auto it = young_.find(call); it != young_.end()) return it->second;
    const auto it = old_.find(call);
    return it == old_.end() ? 0 : it->second;
  }

  const size_t calls_;
  absl::flat_hash_map<std::string, int64_t> young_;
  absl::flat_hash_map<std::string, int64_t> old_;
};

}  // namespace callbridge::client

#endif  // CALLBRIDGE_SRC_CLIENT_SEEN_H_
