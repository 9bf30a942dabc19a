#ifndef CALLBRIDGE_SRC_EVENTS_EVENT_PUMP_H_
#define CALLBRIDGE_SRC_EVENTS_EVENT_PUMP_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "src/events/event_hub.h"
#include "src/events/stored_event.h"

namespace callbridge::events {

// What one subscriber sees: all events behind its cursor, in order, each once, from the hub's ring or from the store.
//
//   pump.Plan() --> kSend      hand `events` on, call Plan() again when they are written
//              --> kReadStore  read the store on its executor, give the result to OnStoreEvents(), call Plan() again
//              --> kCaughtUp   once: everything that was committed when the subscriber came has been sent
//              --> kWait       call Plan() again when the hub wakes
//
// Decides only: never blocks, reads no store. Not thread-safe: one thread at a time. The hub outlives it.
class EventPump {
 public:
  struct Options {
    std::string call_id;          // Empty: all calls.
    int64_t after = 0;            // Begin behind this: a sequence of the call, or a position if all calls are shown.
    std::set<std::string> types;  // TypeName()s that are shown; empty: all.
    int batch = 256;              // The most events of one kSend or one read of the store; 1 or more.
  };
  EventPump(const EventHub& hub, Options options);

  struct Step {
    enum class Kind { kSend, kReadStore, kCaughtUp, kWait };
    Kind kind = Kind::kWait;
    std::vector<StoredEvent> events;  // kSend: at least one.
    int64_t after = 0;                // kReadStore: `after` and `limit` of ReadCallEvents(call_id) or ReadEvents().
    int limit = 0;
  };
  // What to do next. While a read of the store is out, kWait.
  Step Plan();

  // The result of the last kReadStore, as the store gave it.
  void OnStoreEvents(std::vector<StoredEvent> events);

  // The last kReadStore failed; Plan() asks for it again.
  void OnStoreFailed();

  // Where to go on after a reconnect: all up to here was in a kSend, or left out by the filter. A sequence or a
  // position as `after`.
  int64_t cursor() const;

 private:
  // Whether no sequence is missing between the cursor and the last of `events`: the sequences of a call are dense. The
  // store has what is missing.
  bool Continues(const std::vector<StoredEvent>& events) const;

  // Moves the cursor over `events` and adds those that are shown.
  void Take(std::vector<StoredEvent> events, std::vector<StoredEvent>* shown);
  int64_t NumberOf(const StoredEvent& event) const;
  Step ReadStore();

  const EventHub& hub_;
  const Options options_;
  int64_t cursor_;

  // Up to which position of the log everything was looked at. Unknown for one call until the store was read: its cursor
  // is a sequence.
  absl::optional<int64_t> position_;
  std::vector<StoredEvent> pending_;  // Read from the store and to be sent.
  bool reading_ = false;
  int64_t head_before_read_ = 0;
  bool caught_up_ = false;
};

}  // namespace callbridge::events

#endif  // CALLBRIDGE_SRC_EVENTS_EVENT_PUMP_H_
