#ifndef CALLBRIDGE_SRC_NET_RELAY_H_
#define CALLBRIDGE_SRC_NET_RELAY_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "src/net/acceptor.h"
#include "src/net/asio_loop.h"

namespace callbridge::net {

struct RelayOptions {
  absl::Duration connect_timeout = absl::Seconds(1);  // The look-up of the host's name included.
  // Neither side sent anything for so long, or up to half as long again: both are cut. Zero: never. A loop that stood
  // still for long does not take its own sleep for theirs.
  absl::Duration idle_limit = absl::Seconds(10);
};

// Passes what comes on accepted sockets on to another server, and what comes from there back, byte for byte. Of each
// direction a buffer of fixed size is held; when the receiver does not take it, nothing more is read. The end of one
// direction is passed on, too; the other goes on. All but New() on the loop.
class Relay {
 public:
  static std::shared_ptr<Relay> New(AsioLoop& loop, const RelayOptions& options);
  virtual ~Relay() = default;

  // `to` is host:port or [IPv6]:port. If it cannot be reached the socket gets 503 with Retry-After, so that a proxy
  // tries another server. The slot is held until the socket is closed.
  virtual void Adopt(AcceptedSocket accepted, const std::string& to) = 0;

  // Cuts every connection. What is adopted later is dropped.
  virtual void CutAll() = 0;
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_RELAY_H_
