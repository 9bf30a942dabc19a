#include "src/events/event_hub.h"

#include <algorithm>
#include <set>
#include <utility>

namespace callbridge::events {

EventHub::EventHub(int64_t head, size_t capacity)
    : capacity_(std::max<size_t>(capacity, 1)), floor_(head), head_(head) {}

void EventHub::Publish(std::vector<StoredEvent> events) {
  std::set<std::string> calls;
  {
    base::MutexLock lock(mutex_);
    for (StoredEvent& event : events) {
      if (event.position <= head_) continue;
      head_ = event.position;
      calls.insert(event.event.call_id);
      ring_.push_back(std::move(event));
    }
    while (ring_.size() > capacity_) {
      floor_ = ring_.front().position;
      ring_.pop_front();
    }
  }
  if (calls.empty()) return;
  // Under a mutex of its own, so that readers do not wait for the wakes, and unsubscribing waits for no more than them.
  base::MutexLock lock(wakers_->mutex);
  for (const auto& [id, waker] : wakers_->by_id) {
    if (waker.call_id.empty() || calls.count(waker.call_id) > 0) waker.wake();
  }
}

bool EventHub::ReadAfter(int64_t position, absl::string_view call_id, int limit, std::vector<StoredEvent>* out,
                         int64_t* through) const {
  out->clear();
  base::MutexLock lock(mutex_);
  if (position < floor_) return false;
  *through = std::max(position, head_);
  auto it = std::upper_bound(ring_.begin(), ring_.end(), position,
                             [](int64_t value, const StoredEvent& event) { return value < event.position; });
  for (; it != ring_.end(); ++it) {
    if (!call_id.empty() && it->event.call_id != call_id) continue;
    if (out->size() >= static_cast<size_t>(std::max(limit, 1))) {
      *through = out->back().position;
      break;
    }
    out->push_back(*it);
  }
  return true;
}

int64_t EventHub::head() const {
  base::MutexLock lock(mutex_);
  return head_;
}

EventHub::Subscription EventHub::Subscribe(absl::string_view call_id, std::function<void()> wake) {
  base::MutexLock lock(wakers_->mutex);
  const int64_t id = wakers_->next_id++;
  wakers_->by_id.emplace(id, Waker{std::string(call_id), std::move(wake)});
  ++wakers_->subscribers;
  if (wakers_->on_subscriber) wakers_->on_subscriber();
  return Subscription(wakers_, id);
}

void EventHub::OnSubscriber(std::function<void()> joined) {
  base::MutexLock lock(wakers_->mutex);
  wakers_->on_subscriber = std::move(joined);
}

EventHub::Subscription::Subscription(Subscription&& other) noexcept
    : wakers_(std::move(other.wakers_)), id_(std::exchange(other.id_, 0)) {}

EventHub::Subscription& EventHub::Subscription::operator=(Subscription&& other) noexcept {
  if (this == &other) return *this;
  End();
  wakers_ = std::move(other.wakers_);
  id_ = std::exchange(other.id_, 0);
  return *this;
}

EventHub::Subscription::~Subscription() { End(); }

void EventHub::Subscription::End() {
  if (wakers_ == nullptr) return;
  std::map<int64_t, Waker>::node_type ended;  // Destroyed without the mutex: it owns what the subscriber put in.
  {
    base::MutexLock lock(wakers_->mutex);
    ended = wakers_->by_id.extract(id_);
    --wakers_->subscribers;
  }
  wakers_ = nullptr;
}

}  // namespace callbridge::events
