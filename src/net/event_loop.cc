#include "src/net/event_loop.h"

#include "src/net/asio_loop.h"
#include "src/net/ws_client.h"

namespace callbridge::net {

std::unique_ptr<EventLoop> EventLoop::Start(const std::string& name) {
  auto loop = std::make_unique<AsioLoop>(name);
  loop->SetConnector(NewWsConnector(*loop));
  return loop;
}

}  // namespace callbridge::net
