#ifndef CALLBRIDGE_SRC_CONTROL_EVENT_STREAM_H_
#define CALLBRIDGE_SRC_CONTROL_EVENT_STREAM_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "callbridge/v1/call_service.pb.h"
#include "src/base/clock.h"
#include "src/base/executor.h"
#include "src/base/mutex.h"
#include "src/control/cursor.h"
#include "src/control/requests.h"
#include "src/events/event_hub.h"
#include "src/events/event_pump.h"
#include "src/events/speech_elsewhere.h"
#include "src/events/stored_event.h"
#include "src/store/call_store.h"

namespace callbridge::control {

class EventStreams;

// What EventStreams does with a stream, whatever it shows. Any thread.
class LiveStream : public std::enable_shared_from_this<LiveStream> {
 public:
  virtual ~LiveStream() = default;

  // Does what can be done now. Calling it more often than needed is fine.
  virtual void Advance() = 0;

  // Time passes: heartbeats, the end of a finished call, clients that take nothing.
  virtual void Tick() = 0;

  // Ends the stream with `status`. The first one wins.
  virtual void Close(const absl::Status& status) = 0;

 private:
  friend class EventStreams;
  std::atomic<bool> queued_{false};  // EventStreams' own: it waits to be advanced.
};

// One client's stream of events. Keeps no queue: events::EventPump is its cursor, which reads the hub's ring, or the
// store when it is behind, in small batches, and the next batch only when the last one has gone out. So a slow reader
// costs one batch, and delays nobody.
//
// All methods are safe from any thread; reactions come from gRPC's. One lock decides what to do next, and the doing
// (StartWrite, Finish) happens outside of it. At most one write and one read are under way; exactly one Finish, and
// that while no write is under way, unless the client has not taken it for `write_timeout`. Lock order: the hub's
// wakers, then EventStreams; a stream's lock, then the hub's ring.
class EventStream final : public grpc::ServerWriteReactor<v1::CallEventsResponse>, public LiveStream {
 public:
  EventStream(EventStreams& streams, grpc::CallbackServerContext* context, EventQuery query);

  // Call once, before the handler returns. The stream keeps itself alive until OnDone.
  void Start() ABSL_LOCKS_EXCLUDED(mutex_);

  void Advance() override ABSL_LOCKS_EXCLUDED(mutex_);
  void Tick() override ABSL_LOCKS_EXCLUDED(mutex_);
  // With the metadata `cursor`.
  void Close(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  friend class EventStreams;
  enum class Action { kNothing, kRead, kWrite, kFinish };

  Action Decide() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Action DecideNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PutEvent() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Take(std::vector<events::StoredEvent> events) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteEnd(const call::Event& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsOver() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // On the executor; only one at a time.
  void Read() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Begin() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status LookForEnd(const store::CallRecord& call) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ReadBatch() ABSL_LOCKS_EXCLUDED(mutex_);

  EventStreams& streams_;  // Outlives every stream; see EventStreams.
  grpc::CallbackServerContext* const context_;
  const EventQuery query_;
  std::shared_ptr<LiveStream> self_;             // From Start to OnDone.
  events::EventHub::Subscription subscription_;  // Likewise.
  v1::CallEventsResponse message_;               // Being written.

  base::Mutex mutex_;
  absl::optional<events::EventPump> pump_ ABSL_GUARDED_BY(mutex_);  // Once the start is resolved.
  events::EventPump::Step read_ ABSL_GUARDED_BY(mutex_);            // Of the read under way.
  Cursor scanned_ ABSL_GUARDED_BY(mutex_);                          // Looked at up to here.
  Cursor delivered_ ABSL_GUARDED_BY(mutex_);                        // Handed to gRPC up to here.
  Cursor writing_cursor_ ABSL_GUARDED_BY(mutex_);                   // delivered_, once the write under way is done.
  int64_t skip_to_position_ ABSL_GUARDED_BY(mutex_) = 0;            // Events up to here were seen in another stream.
  std::vector<events::StoredEvent> batch_ ABSL_GUARDED_BY(mutex_);  // Taken, not yet written ...
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;                         // ... from here on.
  bool hello_due_ ABSL_GUARDED_BY(mutex_) = true;
  bool caught_up_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;  // The write under way took longer than write_timeout.
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<absl::Status> closing_ ABSL_GUARDED_BY(mutex_);
  absl::Time last_write_ ABSL_GUARDED_BY(mutex_);  // Begin of the last write, or of the stream.
  // Of one call's stream: whether there is an end to wait for.
  absl::optional<absl::Time> call_end_ ABSL_GUARDED_BY(mutex_);
  bool summary_seen_ ABSL_GUARDED_BY(mutex_) = false;
};

// All streams of a server: how many there may be, their time, their end. Thread-safe. A stream touches this until its
// OnDone and the end of its last read. gRPC has called all of the former when the server's Shutdown has returned:
// destroy this afterwards, and the executor after this.
class EventStreams {
 public:
  struct Options {
    int max_streams = 512;
    int batch = 64;                                    // Events held by a stream.
    absl::Duration write_timeout = absl::Seconds(60);  // For a client to take a message.
    absl::Duration summary_wait = absl::Minutes(2);    // For a summary, after the end of a call.
    absl::Duration tick = absl::Milliseconds(200);     // How exact heartbeats and timeouts are.
  };

  // `store` is read on `executor` only; all outlive this.
  EventStreams(store::CallStore& store, base::Executor& executor, events::EventHub& hub, const Options& options,
               const events::SpeechSources& speech);
  ~EventStreams();

  // A reactor for the handler to return; it deletes itself. A bad query, too many streams and Close() before end it at
  // once.
  grpc::ServerWriteReactor<v1::CallEventsResponse>* Open(grpc::CallbackServerContext* context,
                                                         absl::StatusOr<EventQuery> query);

  // Counts `stream` among the open ones, until Remove(). kResourceExhausted STREAM_LIMIT, kUnavailable SHUTTING_DOWN:
  // it is not to be started.
  absl::Status Admit(std::shared_ptr<LiveStream> stream) ABSL_LOCKS_EXCLUDED(mutex_);
  // The stream is done, and is not advanced any more once this thread has let go of it.
  void Remove(const std::shared_ptr<LiveStream>& stream) ABSL_LOCKS_EXCLUDED(mutex_);
  // Runs `read` on the executor. It may go on for longer than its stream, whose client is not kept waiting by a store
  // that hangs; the destructor waits for it.
  void PostRead(std::function<void()> read) ABSL_LOCKS_EXCLUDED(mutex_);
  // Has `stream` advanced soon, on this object's thread: publishers of events go on at once.
  void Enqueue(LiveStream& stream) ABSL_LOCKS_EXCLUDED(mutex_);

  // What ends a stream whose client takes nothing.
  static absl::Status SlowConsumer(absl::string_view message);

  store::CallStore& store() const { return store_; }
  events::EventHub& hub() const { return hub_; }
  const events::SpeechSources& speech() const { return speech_; }
  const Options& options() const { return options_; }
  const base::Clock& clock() const { return clock_; }

  // Ends the streams that are open now with UNAVAILABLE SHUTTING_DOWN, each at a moment of its own before `within` is
  // over, so that their clients do not all come to the other nodes at once. New ones are served all the same: who has
  // nowhere else to go sees the running calls end.
  void Disperse(absl::Duration within) ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether there are streams of a dispersal whose moment has not come.
  bool IsDispersing() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends all streams, and from now on every new one, with UNAVAILABLE SHUTTING_DOWN.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

  // How many streams are open.
  int size() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class EventStream;

  std::vector<std::shared_ptr<LiveStream>> Snapshot() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Those of Disperse() whose moment has come.
  std::vector<std::shared_ptr<LiveStream>> TakeLeaving() ABSL_LOCKS_EXCLUDED(mutex_);
  void Run();

  store::CallStore& store_;
  base::Executor& executor_;
  events::EventHub& hub_;
  const events::SpeechSources speech_;
  const Options options_;
  const base::Clock& clock_ = base::SystemClock();
  mutable base::Mutex mutex_;
  base::CondVar wake_;
  std::set<std::shared_ptr<LiveStream>> streams_ ABSL_GUARDED_BY(mutex_);
  std::multimap<absl::Time, std::weak_ptr<LiveStream>> leaving_ ABSL_GUARDED_BY(mutex_);  // By when they end.
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<LiveStream>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int reads_ ABSL_GUARDED_BY(mutex_) = 0;  // Posted, and not over.
  base::CondVar read_over_;
  std::thread thread_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_EVENT_STREAM_H_
