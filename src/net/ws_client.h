#ifndef CALLBRIDGE_SRC_NET_WS_CLIENT_H_
#define CALLBRIDGE_SRC_NET_WS_CLIENT_H_

#include <memory>

#include "src/net/asio_loop.h"
#include "src/net/ws_connection.h"

namespace callbridge::net {

// The connector of `loop`, which must own it.
std::unique_ptr<WsConnector> NewWsConnector(AsioLoop& loop);

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_WS_CLIENT_H_
