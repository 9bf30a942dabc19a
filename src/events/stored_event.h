#ifndef CALLBRIDGE_SRC_EVENTS_STORED_EVENT_H_
#define CALLBRIDGE_SRC_EVENTS_STORED_EVENT_H_

#include <cstdint>

#include "src/call/event.h"

namespace callbridge::events {

// An event with its place in the log of all calls. Exists only once the event is committed.
struct StoredEvent {
  int64_t position = 0;  // Grows in the order in which readers may see events; not dense; from 1.
  call::Event event;
  bool erased = false;  // A tombstone: the body has its type, and nothing of what was in it.
};

}  // namespace callbridge::events

#endif  // CALLBRIDGE_SRC_EVENTS_STORED_EVENT_H_
