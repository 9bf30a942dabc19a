#include "src/control/event_stream.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/call/event.h"
#include "src/control/convert.h"
#include "src/control/event_start.h"
#include "src/control/refused_stream.h"
#include "src/control/status_map.h"

namespace callbridge::control {
namespace {

// A call's last events, among which its end is looked for: what may follow a CallEnded is few.
constexpr int kTail = 32;

absl::Status ShuttingDown() {
  return base::MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN",
                         "this server is stopping; ask again, for events with after_cursor of the last message");
}

}  // namespace

EventStream::EventStream(EventStreams& streams, grpc::CallbackServerContext* context, EventQuery query)
    : streams_(streams), context_(context), query_(std::move(query)), last_write_(streams.clock_.Now()) {}

void EventStream::Start() {
  self_ = shared_from_this();
  // Before the first read, so that nothing falls between.
  subscription_ = streams_.hub_.Subscribe(query_.call_id, [this] { streams_.Enqueue(*this); });
  Advance();
}

void EventStream::Tick() {
  {
    base::MutexLock lock(mutex_);
    if (done_) return;
    const absl::Duration waited = streams_.clock_.Now() - last_write_;
    if (writing_ && !stalled_ && waited > streams_.options_.write_timeout) {
      stalled_ = true;
      CloseLocked(EventStreams::SlowConsumer(
          "a message was not taken in time; subscribe again with after_cursor of the last message, and read faster"));
    } else if (stalled_ && waited > 2 * streams_.options_.write_timeout) {
      // Not even the status was taken: the connection's buffers go. OnDone waits for the lock, so the context lives; no
      // reaction runs inside, for this is not a thread of gRPC's.
      context_->TryCancel();
    }
  }
  Advance();
}

void EventStream::Close(const absl::Status& status) {
  {
    base::MutexLock lock(mutex_);
    CloseLocked(status);
  }
  Advance();
}

void EventStream::CloseLocked(const absl::Status& status) {
  if (!closing_) closing_ = status;
}

void EventStream::OnWriteDone(bool ok) {
  {
    base::MutexLock lock(mutex_);
    writing_ = false;
    if (ok) {
      delivered_ = writing_cursor_;
    } else {
      CloseLocked(absl::CancelledError("the client went away"));
    }
  }
  Advance();
}

void EventStream::OnCancel() { Close(absl::CancelledError("the client went away")); }

void EventStream::OnDone() {
  const std::shared_ptr<LiveStream> self = std::move(self_);
  // Waits for a wake that runs, so not under the lock.
  subscription_ = events::EventHub::Subscription();
  {
    base::MutexLock lock(mutex_);
    done_ = true;
  }
  streams_.Remove(self);
}

void EventStream::Advance() {
  Action action = Action::kNothing;
  grpc::Status status;
  grpc::WriteOptions how;
  {
    base::MutexLock lock(mutex_);
    action = Decide();
    // The next follows at once: they may go out together.
    if (next_ < batch_.size()) how.set_buffer_hint();
    if (action == Action::kFinish) {
      status = ToGrpcStatus(*closing_);
      if (!closing_->ok() && pump_) context_->AddTrailingMetadata("cursor", FormatCursor(delivered_));
    }
  }
  // Nobody else gets the same action: Decide() has noted that it is under way.
  switch (action) {
    case Action::kNothing: return;
    case Action::kRead: return streams_.PostRead([this, self = shared_from_this()] { Read(); });
    case Action::kWrite: return StartWrite(&message_, how);
    case Action::kFinish: return Finish(status);
  }
}

EventStream::Action EventStream::Decide() {
  if (finished_) return Action::kNothing;
  Action next = Action::kNothing;
  if (!closing_ && !writing_) next = DecideNext();
  if (closing_) {
    if (writing_ && !stalled_) return Action::kNothing;
    finished_ = true;
    return Action::kFinish;
  }
  if (next == Action::kWrite) {
    writing_ = true;
    last_write_ = streams_.clock_.Now();
  }
  if (next == Action::kRead) reading_ = true;
  return next;
}

EventStream::Action EventStream::DecideNext() {
  if (!pump_) return reading_ ? Action::kNothing : Action::kRead;
  message_.Clear();
  writing_cursor_ = scanned_;
  if (std::exchange(hello_due_, false)) {
    message_.mutable_heartbeat()->set_cursor(FormatCursor(scanned_));
    return Action::kWrite;
  }
  // Each turn takes events from the pump, of which the filter may leave nothing.
  while (next_ == batch_.size() && !reading_) {
    read_ = pump_->Plan();
    if (read_.kind == events::EventPump::Step::Kind::kReadStore) return Action::kRead;
    if (read_.kind == events::EventPump::Step::Kind::kSend) {
      Take(std::move(read_.events));
      continue;
    }
    // Nothing is left, so all positions that the hub had were looked at.
    if (query_.call_id.empty()) scanned_ = {std::max(scanned_.position, pump_->cursor()), "", 0};
    writing_cursor_ = scanned_;
    if (read_.kind == events::EventPump::Step::Kind::kCaughtUp) {
      caught_up_ = true;
      message_.mutable_caught_up()->set_cursor(FormatCursor(scanned_));
      return Action::kWrite;
    }
    if (IsOver()) CloseLocked(absl::OkStatus());
    break;
  }
  if (next_ < batch_.size()) {
    PutEvent();
    return Action::kWrite;
  }
  if (streams_.clock_.Now() - last_write_ < query_.heartbeat) return Action::kNothing;
  message_.mutable_heartbeat()->set_cursor(FormatCursor(scanned_));
  return Action::kWrite;
}

void EventStream::PutEvent() {
  const events::StoredEvent stored = std::move(batch_[next_++]);
  *message_.mutable_event() = ToProto(stored);
  writing_cursor_ = {stored.position, stored.event.call_id, stored.event.sequence};
  if (next_ < batch_.size()) return;
  // With its room: a stream on which nothing happens holds nothing.
  batch_ = {};
  next_ = 0;
}

void EventStream::Take(std::vector<events::StoredEvent> events) {
  batch_.clear();
  next_ = 0;
  for (events::StoredEvent& stored : events) {
    scanned_ = {stored.position, stored.event.call_id, stored.event.sequence};
    NoteEnd(stored.event);
    if (stored.position <= skip_to_position_) continue;
    if (!query_.types.empty() && query_.types.count(std::string(call::TypeName(stored.event.body))) == 0) continue;
    batch_.push_back(std::move(stored));
  }
}

void EventStream::NoteEnd(const call::Event& event) {
  if (query_.call_id.empty()) return;
  if (std::holds_alternative<call::CallEnded>(event.body)) call_end_ = event.time;
  if (std::holds_alternative<call::SummaryReady>(event.body) ||
      std::holds_alternative<call::SummaryFailed>(event.body)) {
    summary_seen_ = true;
  }
}

bool EventStream::IsOver() const {
  if (!call_end_ || !caught_up_) return false;
  return summary_seen_ || streams_.clock_.Now() >= *call_end_ + streams_.options_.summary_wait;
}

void EventStream::Read() {
  absl::Status status;
  try {
    bool begun;
    {
      base::MutexLock lock(mutex_);
      begun = pump_.has_value();
    }
    status = begun ? ReadBatch() : Begin();
  } catch (const std::exception& error) {
    status = absl::InternalError(error.what());
  } catch (...) {
    status = absl::InternalError("unknown exception");
  }
  {
    base::MutexLock lock(mutex_);
    reading_ = false;
    if (!status.ok()) CloseLocked(FromEventStore(status, query_.call_id));
  }
  Advance();
}

absl::Status EventStream::Begin() {
  const auto start = FindEventStart(streams_.store_, query_, streams_.hub_.head());
  if (!start.ok()) return start.status();
  {
    base::MutexLock lock(mutex_);
    scanned_ = start->at;
    skip_to_position_ = start->skip_to_position;
  }
  if (start->call && call::IsFinal(start->call->state)) {
    if (absl::Status status = LookForEnd(*start->call); !status.ok()) return status;
  }
  base::MutexLock lock(mutex_);
  delivered_ = scanned_;
  const int64_t after = query_.call_id.empty() ? scanned_.position : scanned_.sequence;
  // No filter: the pump's would hide the end of the call from us.
  pump_.emplace(streams_.hub_, events::EventPump::Options{query_.call_id, after, {}, streams_.options_.batch});
  return absl::OkStatus();
}

// A stream that starts behind the end of its call does not come by the events that tell of it.
absl::Status EventStream::LookForEnd(const store::CallRecord& call) {
  const auto events =
      streams_.store_.ReadCallEvents(query_.call_id, std::max(call.event_floor, call.event_head - kTail), kTail);
  if (!events.ok()) return events.status();
  base::MutexLock lock(mutex_);
  call_end_ = call.end_time;
  for (const auto& stored : *events) NoteEnd(stored.event);
  return absl::OkStatus();
}

absl::Status EventStream::ReadBatch() {
  int64_t after = 0;
  int limit = 0;
  {
    base::MutexLock lock(mutex_);
    if (closing_) return absl::OkStatus();
    after = read_.after;
    limit = read_.limit;
  }
  auto events = query_.call_id.empty() ? streams_.store_.ReadEvents(after, limit)
                                       : streams_.store_.ReadCallEvents(query_.call_id, after, limit);
  if (!events.ok()) return events.status();
  base::MutexLock lock(mutex_);
  pump_->OnStoreEvents(*std::move(events));
  return absl::OkStatus();
}

EventStreams::EventStreams(store::CallStore& store, base::Executor& executor, events::EventHub& hub,
                           const Options& options, const events::SpeechSources& speech)
    : store_(store), executor_(executor), hub_(hub), speech_(speech), options_(options), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "event-streams");
}

EventStreams::~EventStreams() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  thread_.join();
  base::MutexLock lock(mutex_);
  while (reads_ > 0) read_over_.Wait(mutex_);
}

grpc::ServerWriteReactor<v1::CallEventsResponse>* EventStreams::Open(grpc::CallbackServerContext* context,
                                                                     absl::StatusOr<EventQuery> query) {
  if (!query.ok()) return new RefusedStream<v1::CallEventsResponse>(query.status());
  const auto stream = std::make_shared<EventStream>(*this, context, *std::move(query));
  if (const absl::Status refusal = Admit(stream); !refusal.ok())
    return new RefusedStream<v1::CallEventsResponse>(refusal);
  stream->Start();
  return stream.get();
}

absl::Status EventStreams::Admit(std::shared_ptr<LiveStream> stream) {
  base::MutexLock lock(mutex_);
  if (closed_) return ShuttingDown();
  if (static_cast<int>(streams_.size()) >= options_.max_streams) {
    return base::MakeError(absl::StatusCode::kResourceExhausted, "STREAM_LIMIT",
                           absl::StrCat("this server has its ", options_.max_streams, " streams open; close some"));
  }
  streams_.insert(std::move(stream));
  return absl::OkStatus();
}

absl::Status EventStreams::SlowConsumer(absl::string_view message) {
  return base::MakeError(absl::StatusCode::kResourceExhausted, "SLOW_CONSUMER", message);
}

void EventStreams::Disperse(absl::Duration within) {
  std::mt19937_64 random(std::random_device{}());
  std::uniform_real_distribution<double> part(0, 1);
  const absl::Time now = clock_.Now();
  base::MutexLock lock(mutex_);
  for (const auto& stream : streams_) leaving_.emplace(now + within * part(random), stream);
}

bool EventStreams::IsDispersing() const {
  base::MutexLock lock(mutex_);
  return !leaving_.empty();
}

std::vector<std::shared_ptr<LiveStream>> EventStreams::TakeLeaving() {
  std::vector<std::shared_ptr<LiveStream>> due;
  base::MutexLock lock(mutex_);
  const auto end = leaving_.upper_bound(clock_.Now());
  for (auto each = leaving_.begin(); each != end; ++each) {
    if (auto stream = each->second.lock()) due.push_back(std::move(stream));
  }
  leaving_.erase(leaving_.begin(), end);
  return due;
}

void EventStreams::Close() {
  {
    base::MutexLock lock(mutex_);
    closed_ = true;
  }
  for (const auto& stream : Snapshot()) stream->Close(ShuttingDown());
}

int EventStreams::size() const {
  base::MutexLock lock(mutex_);
  return static_cast<int>(streams_.size());
}

void EventStreams::Remove(const std::shared_ptr<LiveStream>& stream) {
  base::MutexLock lock(mutex_);
  streams_.erase(stream);
}

std::vector<std::shared_ptr<LiveStream>> EventStreams::Snapshot() const {
  base::MutexLock lock(mutex_);
  return {streams_.begin(), streams_.end()};
}

void EventStreams::PostRead(std::function<void()> read) {
  {
    base::MutexLock lock(mutex_);
    ++reads_;
  }
  // Over when it is destroyed: an executor that has stopped drops it without running it.
  const auto over = [](EventStreams* streams) {
    base::MutexLock lock(streams->mutex_);
    --streams->reads_;
    streams->read_over_.NotifyAll();
  };
  std::unique_ptr<EventStreams, decltype(over)> mark(this, over);
  executor_.Post([mark = std::move(mark), read = std::move(read)]() mutable {
    read();
    read = nullptr;  // The stream goes first.
  });
}

void EventStreams::Enqueue(LiveStream& stream) {
  if (stream.queued_.exchange(true)) return;
  base::MutexLock lock(mutex_);
  queue_.push_back(stream.shared_from_this());
  wake_.NotifyOne();
}

void EventStreams::Run() {
  absl::Time next_tick = clock_.Now() + options_.tick;
  while (true) {
    std::vector<std::shared_ptr<LiveStream>> queue;
    {
      base::MutexLock lock(mutex_);
      if (queue_.empty() && !stopping_) {
        const absl::Duration left = std::max(next_tick - clock_.Now(), absl::Milliseconds(1));
        wake_.WaitFor(mutex_, absl::ToChronoMilliseconds(left));
      }
      if (stopping_) return;
      queue.swap(queue_);
    }
    for (const auto& stream : queue) {
      // Cleared first: a wake from here on may concern events that Advance() no longer sees.
      stream->queued_ = false;
      stream->Advance();
    }
    if (clock_.Now() < next_tick) continue;
    next_tick = clock_.Now() + options_.tick;
    for (const auto& stream : TakeLeaving()) stream->Close(ShuttingDown());
    for (const auto& stream : Snapshot()) stream->Tick();
  }
}

}  // namespace callbridge::control
