#ifndef CALLBRIDGE_SRC_NET_LOOP_SERVER_H_
#define CALLBRIDGE_SRC_NET_LOOP_SERVER_H_

#include <memory>

#include "src/net/acceptor.h"
#include "src/net/asio_loop.h"
#include "src/net/server.h"

namespace callbridge::net {

// One loop's part of a Server: speaks HTTP and WebSocket on the sockets it is given. All but New() on the loop.
class LoopServer {
 public:
  // `index` is the loop's in the delegate's eyes.
  static std::shared_ptr<LoopServer> New(AsioLoop& loop, int index, const ServerOptions& options,
                                         ServerDelegate& delegate);
  virtual ~LoopServer() = default;

  virtual void Adopt(AcceptedSocket accepted) = 0;

  // Cuts every connection; listeners hear OnClosed inside this call. What is adopted later is dropped.
  virtual void CutAll() = 0;
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_LOOP_SERVER_H_
