#ifndef CALLBRIDGE_SRC_EVENTS_EVENT_TAILER_H_
#define CALLBRIDGE_SRC_EVENTS_EVENT_TAILER_H_

#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/events/event_hub.h"
#include "src/events/stored_event.h"

namespace callbridge::events {

// Brings what is committed from the store's log to the hub, in the log's order and without a gap, whoever wrote it: one
// per process, on a thread of its own. It reads behind the hub's head when it is hinted at a commit, so that nobody
// waits for the next look, and now and then without a hint, for what others committed: often while the hub has
// subscribers, and at once when it gets one. A store that fails is read again with growing pauses. Thread-safe.
class EventTailer {
 public:
  struct Options {
    absl::Duration poll = absl::Seconds(1);       // From one look without a hint to the next, while somebody listens.
    absl::Duration idle_poll = absl::Seconds(1);  // The same while nobody does; not below `poll`.
    absl::Duration first_pause = absl::Milliseconds(5);  // After a failure, or when the log does not show yet what was
                                                         // hinted at; doubled each time in a row ...
    absl::Duration longest_pause = absl::Milliseconds(500);  // ... up to this.
    int batch = 512;                                         // The most events of one read; 1 or more.
  };

  // CallStore::ReadEvents(): events with a position above `after`, in order, at most `limit`; fewer only if there are
  // no more.
  using Read = std::function<absl::StatusOr<std::vector<StoredEvent>>(int64_t after, int limit)>;

  // Nobody else publishes to the hub. `read` is called on the tailer's thread only. The hub outlives the tailer.
  EventTailer(Read read, EventHub& hub, Options options);
  EventTailer(Read read, EventHub& hub) : EventTailer(std::move(read), hub, Options()) {}
  ~EventTailer();
  EventTailer(const EventTailer&) = delete;
  EventTailer& operator=(const EventTailer&) = delete;

  // Events up to `position` are committed; 0: some are, nobody knows where. Never blocks for long.
  void Hint(int64_t position);

  // Blocks until the log was read to its end, by a look that began after this call, and shows what was hinted at; or
  // until `at_most` is over. Returns whether it was. Not on the tailer's thread.
  bool Drain(absl::Duration at_most);

  // Waits for a read that is under way; nothing is read or published afterwards.
  void Stop();

 private:
  void Run();
  void WaitUntilDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Publishes all there is. OK: the end of the log was reached.
  absl::Status ReadToTheEnd();
  void OnRead(const absl::Status& status, int64_t looks) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Duration Poll() const;
  absl::Duration NextPause() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Read read_;
  EventHub& hub_;
  const Options options_;

  base::Mutex mutex_;
  base::CondVar changed_;
  int64_t hinted_ ABSL_GUARDED_BY(mutex_) = 0;    // The highest position of a hint.
  int64_t looks_ ABSL_GUARDED_BY(mutex_) = 0;     // How often a look was asked for.
  int64_t looked_ ABSL_GUARDED_BY(mutex_) = 0;    // How many of those the last whole look came after.
  int pauses_ ABSL_GUARDED_BY(mutex_) = 0;        // In a row.
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;  // The last read failed.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time due_ ABSL_GUARDED_BY(mutex_);  // When to look without a hint.
  std::thread thread_;                      // Last: it uses all of the above.
};

}  // namespace callbridge::events

#endif  // CALLBRIDGE_SRC_EVENTS_EVENT_TAILER_H_
