#include "src/nodes/speech_service.h"

#include <deque>
#include <string>
#include <utility>

#include "src/base/mutex.h"
#include "src/control/refused_stream.h"

namespace callbridge::nodes {
namespace {

using node::v1::FollowSpeechResponse;

// Said and not yet written. What does not fit is left out, which the next piece's offset shows.
constexpr size_t kMostBytes = 16 * 1024;

// Lives until OnDone(). At most one write is under way, and Finish comes when none is.
class Feed final : public grpc::ServerWriteReactor<FollowSpeechResponse> {
 public:
  Feed(events::SpeechHub& hub, const std::string& call_id)
      : subscription_(hub.Subscribe(call_id, [this](const events::SpokenWords& words) { Take(words); })) {}

 private:
  // On the hub's thread.
  void Take(const events::SpokenWords& words) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      base::MutexLock lock(mutex_);
      if (ending_ || bytes_ + words.text.size() > kMostBytes) return;
      FollowSpeechResponse& next = waiting_.emplace_back();
      next.set_item_id(words.item_id);
      next.set_by_caller(words.role == call::Role::kCaller);
      next.set_offset(static_cast<int64_t>(words.offset));
      next.set_text(words.text);
      bytes_ += words.text.size();
      if (std::exchange(writing_, true)) return;
      TakeNext();
    }
    StartWrite(&message_);
  }

  void TakeNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    message_ = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_ -= message_.text().size();
  }

  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_) {
    bool more = false;
    {
      base::MutexLock lock(mutex_);
      ending_ = ending_ || !ok;
      more = !ending_ && !waiting_.empty();
      writing_ = more;
      if (more) TakeNext();
      if (!more && !ending_) return;
    }
    if (more) return StartWrite(&message_);
    FinishOnce();
  }

  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      base::MutexLock lock(mutex_);
      ending_ = true;
      if (writing_) return;
    }
    FinishOnce();
  }

  void FinishOnce() ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      base::MutexLock lock(mutex_);
      if (std::exchange(finished_, true)) return;
    }
    Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the other node went away"));
  }

  void OnDone() override {
    // Waits for a Take() that runs.
    subscription_ = events::SpeechHub::Subscription();
    delete this;
  }

  FollowSpeechResponse message_;  // Being written.
  base::Mutex mutex_;
  std::deque<FollowSpeechResponse> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // Of their texts.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  events::SpeechHub::Subscription subscription_;  // Last: words come as soon as it is there.
};

}  // namespace

grpc::ServerWriteReactor<FollowSpeechResponse>* SpeechService::FollowSpeech(
    grpc::CallbackServerContext* context, const node::v1::FollowSpeechRequest* request) {
  const auto peer = authorizer_.Authorize(*context, "/callbridge.node.v1.SpeechService/FollowSpeech");
  if (!peer.ok()) return new control::RefusedStream<FollowSpeechResponse>(peer.status());
  return new Feed(hub_, request->call_id());
}

}  // namespace callbridge::nodes
