#ifndef CALLBRIDGE_SRC_SIM_MODEL_SCRIPT_H_
#define CALLBRIDGE_SRC_SIM_MODEL_SCRIPT_H_

#include <cstddef>
#include <set>
#include <utility>

#include "src/base/mutex.h"
#include "src/sim/scenario.h"

namespace callbridge::sim {

// A scenario as far as the model has followed it: one call's sessions, one after the other, go on where the last one
// was. Thread-safe.
class ModelScript {
 public:
  explicit ModelScript(Scenario scenario) : scenario_(std::move(scenario)) {}

  const Scenario& scenario() const { return scenario_; }

  // The number of a session that begins, from 1.
  int BeginSession() {
    base::MutexLock lock(mutex_);
    awaits_another_ = scenario_.model.lifetime < ModelManners().lifetime;
    return ++sessions_;
  }

  // Takes reply `index`; false: it was taken before.
  bool TakeReply(size_t index) {
    base::MutexLock lock(mutex_);
    return replies_taken_.insert(index).second;
  }

  // A session was broken by the script, so its call will come for another.
  void ExpectAnother() {
    base::MutexLock lock(mutex_);
    awaits_another_ = true;
  }
  bool awaits_another() const {
    base::MutexLock lock(mutex_);
    return awaits_another_;
  }

 private:
  const Scenario scenario_;
  mutable base::Mutex mutex_;
  int sessions_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<size_t> replies_taken_ ABSL_GUARDED_BY(mutex_);
  bool awaits_another_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_SCRIPT_H_
