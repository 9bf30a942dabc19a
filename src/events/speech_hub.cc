#include "src/events/speech_hub.h"

#include <pthread.h>

#include <utility>

namespace callbridge::events {

SpeechHub::SpeechHub() : last_(new Node), first_(last_.load()) {
  sem_init(&wake_, 0, 0);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "speech-hub");
}

SpeechHub::~SpeechHub() {
  stopping_ = true;
  sem_post(&wake_);
  thread_.join();
  while (Pop() != nullptr) {
  }
  delete first_;
  sem_destroy(&wake_);
}

void SpeechHub::Publish(absl::string_view call_id, absl::string_view item_id, call::Role role, size_t offset,
                        absl::string_view text) {
  if (listening_.load(std::memory_order_relaxed) == 0) return;
  if (waiting_.fetch_add(1) >= kMostWaiting) {
    waiting_.fetch_sub(1);
    return;
  }
  auto node = std::make_unique<Node>();
  node->words = {std::string(call_id), std::string(item_id), role, offset, std::string(text)};
  Push(std::move(node));
  // One post for all that comes until the thread looks again.
  if (!woken_.exchange(true)) sem_post(&wake_);
}

void SpeechHub::Push(std::unique_ptr<Node> node) {
  Node* const added = node.release();
  Node* const before = last_.exchange(added, std::memory_order_acq_rel);
  before->next.store(added, std::memory_order_release);
}

// Null: there is none, or its writer is between its two steps and will wake the thread again.
std::unique_ptr<SpeechHub::Node> SpeechHub::Pop() {
  Node* const next = first_->next.load(std::memory_order_acquire);
  if (next == nullptr) return nullptr;
  // The words move on to the node that was handed on, whose place `next` takes.
  std::unique_ptr<Node> popped(first_);
  popped->words = std::move(next->words);
  first_ = next;
  waiting_.fetch_sub(1);
  return popped;
}

void SpeechHub::Run() {
  while (true) {
    sem_wait(&wake_);
    if (stopping_) return;
    // Before the look: what comes from here on posts anew. An exchange, so that what was made before the last one who
    // did not post is seen.
    woken_.exchange(false);
    while (const std::unique_ptr<Node> node = Pop()) HandOn(node->words);
  }
}

void SpeechHub::HandOn(const SpokenWords& words) {
  base::MutexLock lock(mutex_);
  for (const auto& [id, listener] : listeners_) {
    if (listener.call_id == words.call_id) listener.take(words);
  }
}

SpeechHub::Subscription SpeechHub::Subscribe(const std::string& call_id, Take take) {
  base::MutexLock lock(mutex_);
  const int64_t id = next_id_++;
  listeners_[id] = {call_id, std::move(take)};
  listening_ = static_cast<int>(listeners_.size());
  return Subscription(this, id);
}

SpeechHub::Subscription::Subscription(Subscription&& other) noexcept
    : hub_(std::exchange(other.hub_, nullptr)), id_(other.id_) {}

SpeechHub::Subscription& SpeechHub::Subscription::operator=(Subscription&& other) noexcept {
  if (this == &other) return *this;
  End();
  hub_ = std::exchange(other.hub_, nullptr);
  id_ = other.id_;
  return *this;
}

SpeechHub::Subscription::~Subscription() { End(); }

void SpeechHub::Subscription::End() {
  SpeechHub* const hub = std::exchange(hub_, nullptr);
  if (hub == nullptr) return;
  base::MutexLock lock(hub->mutex_);
  hub->listeners_.erase(id_);
  hub->listening_ = static_cast<int>(hub->listeners_.size());
}

}  // namespace callbridge::events
