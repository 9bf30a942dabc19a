#include "src/control/transcript_stream.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/base/mutex.h"
#include "src/call/event.h"
#include "src/control/convert.h"
#include "src/control/pages.h"
#include "src/control/refused_stream.h"
#include "src/control/status_map.h"
#include "src/control/utf8.h"
#include "src/events/event_hub.h"
#include "src/events/speech_hub.h"

namespace callbridge::control {
namespace {

constexpr absl::Duration kHeartbeat = absl::Seconds(15);
// A call's last events, among which the end of its summary is looked for.
constexpr int kTail = 32;
// Of words that were said and not written yet: some minutes of speech.
constexpr size_t kMostWords = 16 * 1024;
// In place of an offset: a piece of the item was missed.
constexpr size_t kMissed = static_cast<size_t>(-1);

// What a read of the store found.
struct Found {
  std::vector<call::TranscriptItem> items;
  std::string owner;                    // The node that has the call; empty: it is over, or there are no nodes.
  absl::optional<absl::Time> call_end;  // The call is over, since then.
  bool settled = false;                 // And its summary came, or will not: nothing more is said of it.
};

absl::StatusOr<Found> Look(store::CallStore& store, const std::string& call_id) {
  Found found;
  const auto call = store.GetCall(call_id);
  if (!call.ok()) return call.status();
  if (!call::IsFinal(call->state)) {
    found.owner = call->owner.node_id;
  } else {
    found.call_end = call->end_time;
    const auto tail = store.ReadCallEvents(call_id, std::max(call->event_floor, call->event_head - kTail), kTail);
    if (!tail.ok()) return tail.status();
    for (const events::StoredEvent& stored : *tail) {
      found.settled = found.settled || std::holds_alternative<call::SummaryReady>(stored.event.body) ||
                      std::holds_alternative<call::SummaryFailed>(stored.event.body);
    }
  }
  // After the call: what is there at its end is then among the items.
  auto items = store.GetTranscript(call_id);
  if (!items.ok()) return items.status();
  found.items = *std::move(items);
  return found;
}

// One client's view of a transcript. Remembers of each item only a hash of what was sent; reads the store again when
// the call had an event and all that the last read brought has gone out, so a slow reader costs one transcript, and
// kMostWords of what is being said.
//
// As with EventStream, one lock decides what to do next, and the doing happens outside of it; at most one write and one
// read are under way, and there is exactly one Finish.
class TranscriptStream final : public grpc::ServerWriteReactor<v1::StreamTranscriptResponse>, public LiveStream {
 public:
  TranscriptStream(EventStreams& streams, grpc::CallbackServerContext* context, TranscriptRequest request)
      : streams_(streams), context_(context), request_(std::move(request)), last_write_(streams.clock().Now()) {}

  // Call once, before the handler returns. The stream keeps itself alive until OnDone.
  void Start() {
    self_ = shared_from_this();
    // Before the first read, so that nothing falls between.
    subscription_ = streams_.hub().Subscribe(request_.call_id, [this] {
      stale_ = true;
      streams_.Enqueue(*this);
    });
    if (streams_.speech().here != nullptr) {
      speech_ = streams_.speech().here->Subscribe(request_.call_id, [this](const events::SpokenWords& words) {
        if (Take(words)) streams_.Enqueue(*this);
      });
    }
    Advance();
  }

  void Advance() override ABSL_LOCKS_EXCLUDED(mutex_) {
    Action action = Action::kNothing;
    grpc::Status status;
    {
      base::MutexLock lock(mutex_);
      action = Decide();
      if (action == Action::kFinish) status = ToGrpcStatus(*closing_);
    }
    switch (action) {
      case Action::kNothing: return;
      case Action::kRead: return streams_.PostRead([this, self = shared_from_this()] { Read(); });
      case Action::kWrite: return StartWrite(&message_);
      case Action::kFinish: return Finish(status);
    }
  }

  void Tick() override ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      base::MutexLock lock(mutex_);
      if (done_) return;
      const absl::Duration waited = streams_.clock().Now() - last_write_;
      if (writing_ && !stalled_ && waited > streams_.options().write_timeout) {
        stalled_ = true;
        CloseLocked(EventStreams::SlowConsumer("a message was not taken in time; ask again, and read faster"));
      } else if (stalled_ && waited > 2 * streams_.options().write_timeout) {
        // Not even the status was taken. OnDone waits for the lock, so the context lives.
        context_->TryCancel();
      }
    }
    Advance();
  }

  void Close(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      base::MutexLock lock(mutex_);
      CloseLocked(status);
    }
    Advance();
  }

  void OnWriteDone(bool ok) override {
    {
      base::MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) CloseLocked(absl::CancelledError("the client went away"));
    }
    Advance();
  }
  void OnCancel() override { Close(absl::CancelledError("the client went away")); }
  void OnDone() override {
    const std::shared_ptr<LiveStream> self = std::move(self_);
    // Waits for a wake that runs, so not under the lock.
    subscription_ = events::EventHub::Subscription();
    speech_ = events::SpeechHub::Subscription();
    // Likewise, and a read may be under way.
    std::unique_ptr<Following> following;
    {
      base::MutexLock lock(mutex_);
      done_ = true;
      following = std::move(following_);
    }
    streams_.Remove(self);
  }

 private:
  using Following = events::SpeechElsewhere::Following;
  enum class Action { kNothing, kRead, kWrite, kFinish };

  void CloseLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!closing_) closing_ = status;
  }

  Action Decide() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
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
      last_write_ = streams_.clock().Now();
    }
    if (next == Action::kRead) reading_ = true;
    return next;
  }

  Action DecideNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (reading_) return Action::kNothing;
    message_.Clear();
    if (begun_ && std::exchange(hello_due_, false)) return PutHeartbeat();
    if (!changed_.empty()) {
      *message_.mutable_item() = std::move(changed_.front());
      changed_.pop_front();
      return Action::kWrite;
    }
    if (!words_.empty()) {
      words_bytes_ -= words_.front().text().size();
      *message_.mutable_delta() = std::move(words_.front());
      words_.pop_front();
      return Action::kWrite;
    }
    if (over_) {
      CloseLocked(absl::OkStatus());
      return Action::kNothing;
    }
    const absl::Time now = streams_.clock().Now();
    const bool waited = call_end_ && now >= *call_end_ + streams_.options().summary_wait;
    if (stale_.exchange(false) || waited) return Action::kRead;
    return now - last_write_ < kHeartbeat ? Action::kNothing : PutHeartbeat();
  }

  Action PutHeartbeat() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    message_.mutable_heartbeat();
    return Action::kWrite;
  }

  // On the executor; only one at a time.
  void Read() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::Status status;
    try {
      status = ReadNow();
    } catch (const std::exception& error) {
      status = absl::InternalError(error.what());
    } catch (...) {
      status = absl::InternalError("unknown exception");
    }
    {
      base::MutexLock lock(mutex_);
      reading_ = false;
      if (!status.ok()) CloseLocked(FromStore(status, request_.call_id));
    }
    Advance();
  }

  absl::Status ReadNow() ABSL_LOCKS_EXCLUDED(mutex_) {
    bool begun = false;
    {
      base::MutexLock lock(mutex_);
      if (closing_) return absl::OkStatus();
      begun = begun_;
    }
    auto found = Look(streams_.store(), request_.call_id);
    if (!found.ok()) return found.status();
    if (!begun) {
      // Who cannot be noted is not shown anything.
      const absl::Status noted =
          streams_.store().AddTranscriptRead({request_.call_id, request_.principal, streams_.clock().Now()});
      if (!noted.ok()) return noted;
    }
    {
      base::MutexLock lock(mutex_);
      begun_ = true;
      call_end_ = found->call_end;
      over_ = found->settled || (call_end_ && streams_.clock().Now() >= *call_end_ + streams_.options().summary_wait);
      for (const call::TranscriptItem& item : found->items) Note(item);
    }
    FollowOwner(found->owner);
    return absl::OkStatus();
  }

  // Hears what is said at the node that has the call, as long as it lives. On the executor.
  void FollowOwner(const std::string& owner) ABSL_LOCKS_EXCLUDED(mutex_) {
    if (streams_.speech().elsewhere == nullptr) return;
    std::unique_ptr<Following> next;
    if (!owner.empty()) {
      base::MutexLock lock(mutex_);
      if (following_ != nullptr && !following_->ended()) return;
    }
    if (!owner.empty()) {
      next = streams_.speech().elsewhere->Follow(
          owner, request_.call_id, [stream = weak_from_this()](const events::SpokenWords& words) {
            const auto self = std::static_pointer_cast<TranscriptStream>(stream.lock());
            if (self != nullptr && self->Take(words)) self->streams_.Enqueue(*self);
          });
    }
    base::MutexLock lock(mutex_);
    // What is left of `next` ends without the lock, which words on their way may wait for.
    if (!done_) std::swap(following_, next);
  }

  // Has the item sent unless it is as it was sent last.
  void Note(const call::TranscriptItem& item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!IsShown(item, request_.view)) return;
    v1::TranscriptItem shown = ToProto(item, request_.view);
    const size_t hash = std::hash<std::string>()(shown.SerializeAsString());
    const auto [place, added] = sent_.emplace(item.item_id, hash);
    if (!added && std::exchange(place->second, hash) == hash) return;
    // It has all that was said of it.
    const auto of_item = [&item](const v1::TranscriptDelta& words) { return words.item_id() == item.item_id; };
    for (const v1::TranscriptDelta& words : words_) words_bytes_ -= of_item(words) ? words.text().size() : 0;
    words_.erase(std::remove_if(words_.begin(), words_.end(), of_item), words_.end());
    said_.erase(item.item_id);
    changed_.push_back(std::move(shown));
  }

  // Whether there is more to write now. On the hub's thread.
  bool Take(const events::SpokenWords& words) ABSL_LOCKS_EXCLUDED(mutex_) {
    // Not before it was heard, and nobody knows that yet. What the caller said is what it is.
    if (request_.view == v1::TRANSCRIPT_VIEW_HEARD && words.role == call::Role::kAssistant) return false;
    base::MutexLock lock(mutex_);
    // Before the reading is noted, nothing is shown.
    if (!begun_ || closing_ || sent_.count(words.item_id) > 0) return false;
    size_t& said = said_[words.item_id];
    const std::string text = ToUtf8(words.text);
    if (said != words.offset || words_bytes_ + text.size() > kMostWords) {
      said = kMissed;
      return false;
    }
    said += words.text.size();
    words_bytes_ += text.size();
    if (words_.empty() || words_.back().item_id() != words.item_id) {
      v1::TranscriptDelta& added = words_.emplace_back();
      added.set_item_id(words.item_id);
      added.set_role(ToProto(words.role));
    }
    words_.back().mutable_text()->append(text);
    return true;
  }

  EventStreams& streams_;  // Outlives every stream; see EventStreams.
  grpc::CallbackServerContext* const context_;
  const TranscriptRequest request_;
  std::shared_ptr<LiveStream> self_;             // From Start to OnDone.
  events::EventHub::Subscription subscription_;  // Likewise.
  events::SpeechHub::Subscription speech_;       // Likewise; words of this process's calls.
  v1::StreamTranscriptResponse message_;         // Being written.
  std::atomic<bool> stale_{true};                // The call had events since the last read.

  base::Mutex mutex_;
  std::map<std::string, size_t> sent_ ABSL_GUARDED_BY(mutex_);      // By item_id: a hash of what was sent last.
  std::deque<v1::TranscriptItem> changed_ ABSL_GUARDED_BY(mutex_);  // Read, not yet written.
  std::map<std::string, size_t> said_ ABSL_GUARDED_BY(mutex_);      // By item_id: bytes taken, or kMissed.
  std::deque<v1::TranscriptDelta> words_ ABSL_GUARDED_BY(mutex_);  // Taken, not yet written; of each item in one piece.
  size_t words_bytes_ ABSL_GUARDED_BY(mutex_) = 0;                 // Of their texts.
  absl::optional<absl::Time> call_end_ ABSL_GUARDED_BY(mutex_);    // As of the last read.
  bool begun_ ABSL_GUARDED_BY(mutex_) = false;                     // The first read succeeded.
  bool hello_due_ ABSL_GUARDED_BY(mutex_) = true;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;  // Nothing comes after what was read.
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;  // The write under way took longer than write_timeout.
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<absl::Status> closing_ ABSL_GUARDED_BY(mutex_);
  absl::Time last_write_ ABSL_GUARDED_BY(mutex_);                 // Begin of the last write, or of the stream.
  std::unique_ptr<Following> following_ ABSL_GUARDED_BY(mutex_);  // Words of another node's call.
};

}  // namespace

grpc::ServerWriteReactor<v1::StreamTranscriptResponse>* OpenTranscriptStream(
    EventStreams& streams, grpc::CallbackServerContext* context, absl::StatusOr<TranscriptRequest> request) {
  if (!request.ok()) return new RefusedStream<v1::StreamTranscriptResponse>(request.status());
  const auto stream = std::make_shared<TranscriptStream>(streams, context, *std::move(request));
  if (const absl::Status status = streams.Admit(stream); !status.ok())
    return new RefusedStream<v1::StreamTranscriptResponse>(status);
  stream->Start();
  return stream.get();
}

}  // namespace callbridge::control
