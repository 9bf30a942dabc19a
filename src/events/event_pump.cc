#include "src/events/event_pump.h"

#include <algorithm>
#include <utility>

namespace callbridge::events {
namespace {

EventPump::Options Checked(EventPump::Options options) {
  options.batch = std::max(options.batch, 1);
  options.after = std::max<int64_t>(options.after, 0);
  return options;
}

}  // namespace

EventPump::EventPump(const EventHub& hub, Options options)
    : hub_(hub), options_(Checked(std::move(options))), cursor_(options_.after) {
  if (options_.call_id.empty()) position_ = options_.after;
}

EventPump::Step EventPump::Plan() {
  using Kind = Step::Kind;
  if (reading_) return {};
  if (!pending_.empty()) return {Kind::kSend, std::exchange(pending_, {}), 0, 0};
  // Bounded: each turn moves the position on, and ends at the head as the first turn sees it or a little later.
  while (position_) {
    std::vector<StoredEvent> events;
    int64_t through = 0;
    if (!hub_.ReadAfter(*position_, options_.call_id, options_.batch, &events, &through)) return ReadStore();
    const bool end = events.empty();
    std::vector<StoredEvent> shown;
    if (!Continues(events)) return ReadStore();
    Take(std::move(events), &shown);
    position_ = through;
    if (options_.call_id.empty()) cursor_ = std::max(cursor_, through);
    if (!shown.empty()) return {Kind::kSend, std::move(shown), 0, 0};
    if (!end) continue;
    if (std::exchange(caught_up_, true)) return {};
    return {Kind::kCaughtUp, {}, 0, 0};
  }
  return ReadStore();
}

EventPump::Step EventPump::ReadStore() {
  reading_ = true;
  // Events are published after their commit: the read that follows sees at least all up to here.
  head_before_read_ = hub_.head();
  return {Step::Kind::kReadStore, {}, cursor_, options_.batch};
}

void EventPump::OnStoreEvents(std::vector<StoredEvent> events) {
  reading_ = false;
  const bool all = events.size() < static_cast<size_t>(options_.batch);
  const absl::optional<int64_t> last = events.empty() ? absl::nullopt : absl::make_optional(events.back().position);
  std::vector<StoredEvent> shown;
  Take(std::move(events), &shown);
  pending_ = std::move(shown);
  if (all) {
    position_ = std::max({head_before_read_, position_.value_or(0), last.value_or(0)});
    if (options_.call_id.empty()) cursor_ = *position_;
  } else {
    position_ = last;  // More of it is in the ring or, if that does not reach back so far, still in the store.
  }
}

void EventPump::OnStoreFailed() { reading_ = false; }

int64_t EventPump::NumberOf(const StoredEvent& event) const {
  return options_.call_id.empty() ? event.position : event.event.sequence;
}

bool EventPump::Continues(const std::vector<StoredEvent>& events) const {
  if (options_.call_id.empty()) return true;
  int64_t last = cursor_;
  for (const StoredEvent& event : events) {
    if (event.event.sequence > last + 1) return false;
    last = std::max(last, event.event.sequence);
  }
  return true;
}

void EventPump::Take(std::vector<StoredEvent> events, std::vector<StoredEvent>* shown) {
  for (StoredEvent& event : events) {
    const int64_t number = NumberOf(event);
    if (number <= cursor_) continue;
    cursor_ = number;
    if (options_.types.empty() || options_.types.count(std::string(call::TypeName(event.event.body))) > 0) {
      shown->push_back(std::move(event));
    }
  }
}

int64_t EventPump::cursor() const { return pending_.empty() ? cursor_ : NumberOf(pending_.front()) - 1; }

}  // namespace callbridge::events
