#ifndef CALLBRIDGE_SRC_APP_RETENTION_H_
#define CALLBRIDGE_SRC_APP_RETENTION_H_

#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/session/settings.h"
#include "src/store/call_store.h"

namespace callbridge::app {

// From when on each kind is kept, at `now`.
store::Retention KeptSince(const session::RetentionDays& days, absl::Time now);

// Whether anything is ever purged.
bool Purges(const session::RetentionDays& days);

// Purges in batches until nothing older is left, or `pause` between two of them says false. What was removed.
absl::StatusOr<store::Purged> PurgeAll(store::CallStore& store, const store::Retention& keep,
                                       const std::function<bool()>& pause);

// Purges at once and then every day, on a thread of its own, in small batches between which others write. A store that
// is away is asked again after a minute.
class DailyPurge {
 public:
  // Begins, unless nothing is ever purged. `store` outlives this.
  DailyPurge(store::CallStore& store, const session::RetentionDays& days);
  // Ends after the batch under way.
  ~DailyPurge();
  DailyPurge(const DailyPurge&) = delete;
  DailyPurge& operator=(const DailyPurge&) = delete;

 private:
  void Run();
  // False: it is to end.
  bool Wait(absl::Duration time);

  store::CallStore& store_;
  const session::RetentionDays days_;
  base::Mutex mutex_;
  base::CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_RETENTION_H_
