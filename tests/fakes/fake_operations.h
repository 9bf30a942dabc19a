#ifndef CALLBRIDGE_TESTS_FAKES_FAKE_OPERATIONS_H_
#define CALLBRIDGE_TESTS_FAKES_FAKE_OPERATIONS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/base/mutex.h"
#include "src/control/operations.h"

namespace callbridge::control {

// A process as a test says it is. Thread-safe but for what is set, which is set before anybody asks.
class FakeOperations final : public Operations {
 public:
  Facts the_facts{"schema 0", "", absl::FromUnixSeconds(1'700'000'000), "sqlite"};
  std::vector<Node> the_nodes;
  std::map<std::string, std::shared_ptr<grpc::Channel>, std::less<>> channels;

  Facts facts() const override { return the_facts; }
  std::vector<Node> nodes() const override { return the_nodes; }
  void Drain() override {
    base::MutexLock lock(mutex_);
    ++drains_;
  }
  absl::optional<std::shared_ptr<grpc::Channel>> ChannelTo(absl::string_view node_id) const override {
    const auto found = channels.find(node_id);
    if (found == channels.end()) return absl::nullopt;
    return found->second;
  }

  int drains() const {
    base::MutexLock lock(mutex_);
    return drains_;
  }

 private:
  mutable base::Mutex mutex_;
  int drains_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_TESTS_FAKES_FAKE_OPERATIONS_H_
