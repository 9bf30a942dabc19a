#ifndef CALLBRIDGE_SRC_SESSION_CALL_RECORDER_H_
#define CALLBRIDGE_SRC_SESSION_CALL_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/base/clock.h"
#include "src/base/executor.h"
#include "src/store/call_store.h"

namespace callbridge::session {

// Brings what calls write from their loops to the store, and says when something was committed.
//
// The writes of one call are done in the order in which they came, several in one transaction where that means the
// same; calls take turns. One write at a time is with the store. What the store does with a write:
//   kUnavailable   kept, and tried again with growing pauses, for as long as it takes
//   other errors   logged; without its events if they are what is refused, so that the end and the transfer of a call
//   are kept
//                  even behind a gap; else dropped. Other calls go on.
//   OWNER_CHANGED  (kAborted) dropped, counted and logged, with all that waits and all that still comes of that call
//                  with that owner: it is another node's now. What has no owner is written all the same.
// When more than `max_pending` writes wait, events and transcript items of new ones are dropped, counted and logged:
// the end carries the whole transcript. Create and Write never block and may be called from any thread.
class CallRecorder {
 public:
  struct Options {
    absl::Duration first_pause = absl::Milliseconds(50);  // Doubled for each failure in a row ...
    absl::Duration longest_pause = absl::Seconds(2);      // ... up to this.
    absl::Duration create_patience = absl::Seconds(3);    // How long Create goes on in the face of kUnavailable.
    size_t max_pending = 100'000;
    size_t max_merged = 64;                           // The most writes in one transaction.
    const base::Clock* clock = &base::SystemClock();  // For create_patience.

    // Sees each event once it is durable, in the order of its call, on the executor; before `hint`. Empty: nobody.
    std::function<void(const call::Event&)> on_commit;

    // Told after each commit of events, on the executor: up to which position; 0 if the store did not say (it may keep
    // a write elsewhere for a while). For EventTailer::Hint(). Empty: nobody.
    std::function<void(int64_t position)> hint;

    // Told once of each call whose owner it was found not to be any more, on the executor. Empty: nobody.
    std::function<void(const std::string& call_id)> on_fenced;

    // Runs the task after the pause, on any thread. Empty: a thread of the recorder's own. Tests put theirs here.
    std::function<void(absl::Duration, base::Task)> delay;
  };
  using CreateDone = std::function<void(absl::StatusOr<store::CallStore::Created>)>;
  // What may speak against a call that is about to be made. On the executor; kUnavailable: ask again later.
  using CreateCheck = std::function<absl::Status(store::CallStore&)>;

  // Works on `executor`. Both outlive the recorder and each task that it posted.
  CallRecorder(store::CallStore& store, base::Executor& executor, Options options);
  CallRecorder(store::CallStore& store, base::Executor& executor) : CallRecorder(store, executor, Options()) {}

  // What is still pending is not written any more, and logged: Flush() before.
  ~CallRecorder();
  CallRecorder(const CallRecorder&) = delete;
  CallRecorder& operator=(const CallRecorder&) = delete;

  // As CallStore::CreateCall. `done` runs once on the executor, after the hint; not at all if the recorder goes first.
  // kUnavailable comes once patience is over. Writes of the call may be given before `done`. `check`, if not empty, is
  // asked right before, so that nothing else is written between what it reads and the call; a request that has made
  // its call before is answered with that, whatever `check` would say.
  void Create(store::CallRecord call, std::vector<call::Event> events, absl::optional<store::RequestKey> key,
              CreateDone done, CreateCheck check = nullptr);

  // As CallStore::Apply, sooner or later.
  void Write(store::CallWrite write);

  // How many writes are not done yet, creations included.
  size_t pending() const;

  // How many events were dropped, for whatever reason, since the start.
  int64_t lost_events() const;

  // How many writes were dropped because their call has another owner now, since the start.
  int64_t fenced_writes() const;

  // Blocks until nothing is pending or `at_most` is over; returns whether nothing is. Not on the executor.
  bool Flush(absl::Duration at_most);

 private:
  class Core;
  class PauseThread;

  std::shared_ptr<PauseThread> pause_thread_;  // Null if Options::delay was given.
  std::shared_ptr<Core> core_;                 // Shared with what was posted.
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_CALL_RECORDER_H_
