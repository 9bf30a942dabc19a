#include "src/client/event_reader.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <deque>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "callbridge/v1/call_service.grpc.pb.h"
#include "src/base/mutex.h"
#include "src/client/errors.h"
#include "src/client/seen.h"

namespace callbridge::client {
namespace {

constexpr size_t kCallsRemembered = 10'000;
constexpr int kMissedHeartbeats = 3;

// Whether asking again can help. INTERNAL and UNKNOWN are what a proxy's broken connection looks like.
bool IsPassing(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:  // A stream of all calls that somebody in between ended.
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable: return true;
    default: return false;
  }
}

const std::string& CursorOf(const v1::CallEventsResponse& message) {
  switch (message.message_case()) {
    case v1::CallEventsResponse::kEvent: return message.event().cursor();
    case v1::CallEventsResponse::kCaughtUp: return message.caught_up().cursor();
    default: return message.heartbeat().cursor();  // Empty if it is something newer.
  }
}

// One stream, read with a limit to each wait.
class Stream {
 public:
  Stream(v1::CallService::StubInterface& stub, const v1::CallEventsRequest& request, const std::string& token) {
    if (!token.empty()) context_.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    reader_ = stub.AsyncCallEvents(&context_, request, &queue_, this);
  }
  // Cancelled and finished: the queue is empty then.
  ~Stream() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  // False: it is over.
  bool Begin(absl::Duration at_most) { return Wait(at_most); }
  bool Read(v1::CallEventsResponse* message, absl::Duration at_most) {
    reader_->Read(message, this);
    return Wait(at_most);
  }
  // Why it is over.
  absl::Status Finish() {
    grpc::Status status;
    reader_->Finish(&status, this);
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    return silent_ ? absl::UnavailableError("nothing came on the stream for too long") : ToStatus(status);
  }
  // Any thread.
  void Cancel() { context_.TryCancel(); }

 private:
  // For the one operation that is under way.
  bool Wait(absl::Duration at_most) {
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, absl::ToChronoTime(absl::Now() + at_most)) == grpc::CompletionQueue::TIMEOUT) {
      silent_ = true;
      context_.TryCancel();
      queue_.Next(&tag, &ok);
      return false;
    }
    return ok;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReaderInterface<v1::CallEventsResponse>> reader_;
  bool silent_ = false;
};

class Reader : public EventReader {
 public:
  Reader(const std::shared_ptr<grpc::Channel>& channel, const ClientOptions& client, const EventReaderOptions& options)
      : client_(client),
        options_(options),
        stub_(v1::CallService::NewStub(channel)),
        place_(options.after_cursor),
        cursor_(options.after_cursor),
        thread_([this] { Run(); }) {}

  ~Reader() override {
    {
      base::MutexLock lock(mutex_);
      stopping_ = true;
      if (stream_ != nullptr) stream_->Cancel();
      changed_.NotifyAll();
    }
    thread_.join();
  }

  absl::StatusOr<Reading> Next(absl::Duration at_most) override {
    const absl::Time deadline = absl::Now() + at_most;
    base::MutexLock lock(mutex_);
    for (;;) {
      while (!ready_.empty()) {
        Item item = std::move(ready_.front());
        ready_.pop_front();
        changed_.NotifyAll();
        if (!item.cursor.empty()) cursor_ = std::move(item.cursor);
        if (item.reading.kind != Reading::Kind::kNothing) return std::move(item.reading);
      }
      if (over_ && !end_.ok()) return end_;
      if (over_) return Reading{Reading::Kind::kEnd, {}, {}};
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) return Reading{};
      changed_.WaitFor(mutex_, absl::ToChronoMicroseconds(std::min(left, absl::Hours(1))));
    }
  }

  std::string cursor() const override {
    base::MutexLock lock(mutex_);
    return cursor_;
  }

 private:
  // What Next hands out, and where that leaves the user. Of kind kNothing: only the latter.
  struct Item {
    Reading reading;
    std::string cursor;
  };

  // ---- On the thread of its own ----

  void Run() {
    absl::Status end;
    for (int failures = 0;;) {
      bool told = false;
      end = Follow(&told);
      if (told) failures = 0;
      if (end.ok() && !options_.call.empty()) break;
      if (!IsPassing(end.code())) break;
      if (!Push({{Reading::Kind::kBreak, {}, end}, ""})) return;
      ++failures;
      if (!Pause(std::max(PauseAfter(failures, client_), Explain(end).retry_after))) return;
    }
    base::MutexLock lock(mutex_);
    over_ = true;
    end_ = end;
    changed_.NotifyAll();
  }

  // One stream, to its end. `*told`: the server had something to say.
  absl::Status Follow(bool* told) {
    Stream stream(*stub_, Request(), client_.token);
    {
      base::MutexLock lock(mutex_);
      stream_ = &stream;
      if (stopping_) stream.Cancel();
    }
    const absl::Duration limit = options_.heartbeat * kMissedHeartbeats;
    v1::CallEventsResponse message;
    bool going = stream.Begin(limit);
    while (going && stream.Read(&message, limit)) {
      *told = true;
      if (!Take(message)) stream.Cancel();
    }
    const absl::Status end = stream.Finish();
    base::MutexLock lock(mutex_);
    stream_ = nullptr;
    return end;
  }

  v1::CallEventsRequest Request() const {
    v1::CallEventsRequest request;
    request.set_call(options_.call);
    for (const std::string& type : options_.event_types) request.add_event_types(type);
    const timespec heartbeat = absl::ToTimespec(options_.heartbeat);
    request.mutable_heartbeat_interval()->set_seconds(heartbeat.tv_sec);
    request.mutable_heartbeat_interval()->set_nanos(static_cast<int32_t>(heartbeat.tv_nsec));
    if (!place_.empty()) {
      request.set_after_cursor(place_);
    } else if (options_.from_beginning) {
      request.set_from_beginning(true);
    }
    return request;
  }

  // False: it is to stop.
  bool Take(v1::CallEventsResponse& message) {
    Item item;
    item.cursor = CursorOf(message);
    if (!item.cursor.empty()) place_ = item.cursor;
    if (message.has_event()) {
      if (seen_.Add(message.event().call(), message.event().sequence())) {
        item.reading.kind = Reading::Kind::kEvent;
        item.reading.event = std::move(*message.mutable_event());
      }
    } else if (message.has_caught_up() && !caught_up_) {
      caught_up_ = true;
      item.reading.kind = Reading::Kind::kCaughtUp;
    }
    return Push(std::move(item));
  }

  // Waits for room. False: it is to stop.
  bool Push(Item item) {
    base::MutexLock lock(mutex_);
    // Heartbeats of a reader that nobody asks would pile up.
    const bool only_place = item.reading.kind == Reading::Kind::kNothing;
    if (only_place && !ready_.empty()) {
      if (!item.cursor.empty()) ready_.back().cursor = std::move(item.cursor);
      return !stopping_;
    }
    while (ready_.size() >= options_.ahead && !stopping_) changed_.Wait(mutex_);
    ready_.push_back(std::move(item));
    changed_.NotifyAll();
    return !stopping_;
  }

  bool Pause(absl::Duration pause) {
    const absl::Time until = absl::Now() + pause;
    base::MutexLock lock(mutex_);
    for (absl::Duration left = pause; !stopping_ && left > absl::ZeroDuration(); left = until - absl::Now()) {
      changed_.WaitFor(mutex_, absl::ToChronoMicroseconds(left));
    }
    return !stopping_;
  }

  const ClientOptions client_;
  const EventReaderOptions options_;
  const std::unique_ptr<v1::CallService::StubInterface> stub_;
  std::string place_;  // Behind all that was read. The thread's own, as the next two.
  Seen seen_{kCallsRemembered};
  bool caught_up_ = false;

  mutable base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<Item> ready_ ABSL_GUARDED_BY(mutex_);
  std::string cursor_ ABSL_GUARDED_BY(mutex_);
  Stream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace

std::unique_ptr<EventReader> EventReader::Start(const std::shared_ptr<grpc::Channel>& channel,
                                                const ClientOptions& client, const EventReaderOptions& options) {
  return std::make_unique<Reader>(channel, client, options);
}

}  // namespace callbridge::client
