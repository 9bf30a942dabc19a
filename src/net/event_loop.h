#ifndef CALLBRIDGE_SRC_NET_EVENT_LOOP_H_
#define CALLBRIDGE_SRC_NET_EVENT_LOOP_H_

#include <memory>
#include <string>

#include "src/net/loop.h"
#include "src/net/ws_connection.h"

namespace callbridge::net {

// A Loop on a thread of its own, over Asio. The thread starts with the object and is joined by Stop() or the
// destructor. Its timers must be destroyed before it; after Stop() that may happen on any one thread.
class EventLoop : public Loop {
 public:
  // `name` is the thread's (15 characters at most).
  static std::unique_ptr<EventLoop> Start(const std::string& name);

  // Client connections on this loop.
  virtual WsConnector& connector() = 0;

  // Drops tasks that have not run, cuts the loop's connections (whose listeners hear OnClosed, on the loop) and joins.
  // Not on the loop. Repeats do nothing.
  virtual void Stop() = 0;
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_EVENT_LOOP_H_
