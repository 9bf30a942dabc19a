#ifndef CALLBRIDGE_SRC_EVENTS_EVENT_HUB_H_
#define CALLBRIDGE_SRC_EVENTS_EVENT_HUB_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "src/base/mutex.h"
#include "src/events/stored_event.h"

namespace callbridge::events {

// The most recent committed events of all calls, in memory, and who wants to be woken for new ones.
//
// There is no queue per subscriber: a subscriber is a cursor (EventPump) that reads the ring, or the store when the
// ring no longer reaches back to it. A slow one costs nothing but its cursor. Thread-safe.
class EventHub {
 public:
  // `head`: the store's HeadPosition() before the first Publish(); what is at or before it is in the store only.
  explicit EventHub(int64_t head, size_t capacity = 4096);
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  // Adds events that are committed, each position above all that were published before, and wakes. Every event of the
  // store must come by, in order: readers take the ring for complete. Those at or below the head are repeats and are
  // left out.
  void Publish(std::vector<StoredEvent> events);

  // Puts into `out` up to `limit` events with a position above `position`, of `call_id` or of all calls if it is empty,
  // in order; and into `through` up to which position that is all there is. False: the ring does not reach back to
  // `position`; read the store.
  bool ReadAfter(int64_t position, absl::string_view call_id, int limit, std::vector<StoredEvent>* out,
                 int64_t* through) const;

  // The highest position that was published or that the hub began with.
  int64_t head() const;

 private:
  struct Waker {
    std::string call_id;  // Empty: all.
    std::function<void()> wake;
  };
  // Who is to be woken; outlives the hub if a handle does.
  struct Wakers {
    base::Mutex mutex;
    int64_t next_id ABSL_GUARDED_BY(mutex) = 1;
    std::map<int64_t, Waker> by_id ABSL_GUARDED_BY(mutex);
    std::function<void()> on_subscriber ABSL_GUARDED_BY(mutex);
    std::atomic<int> subscribers{0};
  };

 public:
  // A subscription, for as long as it lives. Movable. Once its destructor has returned, no wake runs and none will; the
  // destructor waits for one that runs on another thread.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription();

   private:
    friend class EventHub;
    Subscription(std::shared_ptr<Wakers> wakers, int64_t id) : wakers_(std::move(wakers)), id_(id) {}
    void End();

    std::shared_ptr<Wakers> wakers_;
    int64_t id_ = 0;
  };

  // Calls `wake` after each Publish() that brought events of `call_id`, of any call if it is empty; on the publisher's
  // thread, when ReadAfter() already gives them. `wake` must not block, and must neither call the hub nor destroy a
  // Subscription: it marks and posts. Subscribe before the first read, then nothing falls between.
  Subscription Subscribe(absl::string_view call_id, std::function<void()> wake);

  // How many subscriptions there are. Never blocks.
  int subscribers() const { return wakers_->subscribers; }

  // Calls `joined` after each Subscribe() from now on, on its thread; null: nothing. Once this has returned, the former
  // one does not run and will not. It must not block, nor subscribe or unsubscribe.
  void OnSubscriber(std::function<void()> joined);

 private:
  const size_t capacity_;
  mutable base::Mutex mutex_;
  std::deque<StoredEvent> ring_ ABSL_GUARDED_BY(mutex_);
  int64_t floor_ ABSL_GUARDED_BY(mutex_);  // The highest position that the ring does not have.
  int64_t head_ ABSL_GUARDED_BY(mutex_);
  const std::shared_ptr<Wakers> wakers_ = std::make_shared<Wakers>();
};

}  // namespace callbridge::events

#endif  // CALLBRIDGE_SRC_EVENTS_EVENT_HUB_H_
