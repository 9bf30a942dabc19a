#ifndef CALLBRIDGE_SRC_NET_WS_CONFIG_H_
#define CALLBRIDGE_SRC_NET_WS_CONFIG_H_

// How we use websocketpp: without its locks and logs, one thread per endpoint, with our own timeouts where it has fixed
// ones. Included by the few .cc files of this room that instantiate the library.

#include <cstdint>
#include <memory>

#include "src/net/http_parsing.h"
#include "websocketpp/client.hpp"
#include "websocketpp/concurrency/none.hpp"
#include "websocketpp/config/asio.hpp"
#include "websocketpp/config/asio_client.hpp"
#include "websocketpp/logger/stub.hpp"
#include "websocketpp/server.hpp"

namespace callbridge::net {

// Sends FIN at the end but goes on receiving: the library's shutdown of both sides makes the kernel answer late bytes
// of the peer with a reset, which can destroy our last answer before the peer has read it.
class HalfClosingSocket : public websocketpp::transport::asio::basic_socket::connection {
 protected:
  void async_shutdown(websocketpp::transport::asio::socket::shutdown_handler done) {
    asio::error_code error;
    get_socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
    done(error);
  }
};

class HalfClosingEndpoint : public websocketpp::transport::asio::basic_socket::endpoint {
 public:
  typedef HalfClosingSocket socket_con_type;
  typedef std::shared_ptr<HalfClosingSocket> socket_con_ptr;
};

constexpr long kCloseHandshakeMs = 3000;  // NOLINT(runtime/int): the library's type.

// clang-format off
template <typename Base, typename Request, typename Response, typename SocketType>
struct QuietConfig : public Base {
  typedef QuietConfig type;
  typedef websocketpp::concurrency::none concurrency_type;
  typedef websocketpp::log::stub alog_type;
  typedef websocketpp::log::stub elog_type;
  typedef Request request_type;
  typedef Response response_type;
  typedef websocketpp::random::random_device::int_generator<uint32_t, concurrency_type> rng_type;
  static const bool enable_multithreading = false;
  static const long timeout_open_handshake = 0;                  // NOLINT(runtime/int): we set one per connection.
  static const long timeout_close_handshake = kCloseHandshakeMs; // NOLINT(runtime/int)

  struct transport_config : public Base::transport_config {
    typedef websocketpp::concurrency::none concurrency_type;
    typedef websocketpp::log::stub alog_type;
    typedef websocketpp::log::stub elog_type;
    typedef Request request_type;
    typedef Response response_type;
    typedef SocketType socket_type;
    static const bool enable_multithreading = false;
    static const long timeout_socket_post_init = 0;              // NOLINT(runtime/int): we have our own.
    static const long timeout_socket_shutdown = 1000;            // NOLINT(runtime/int): TLS's close_notify.
  };
  typedef websocketpp::transport::asio::endpoint<transport_config> transport_type;
};
// clang-format on

using ServerEndpoint =
    websocketpp::server<QuietConfig<websocketpp::config::asio, RequestParser, ResponseWriter, HalfClosingEndpoint>>;
using PlainClientEndpoint = websocketpp::client<
    QuietConfig<websocketpp::config::asio_client, websocketpp::http::parser::request,
                websocketpp::http::parser::response, websocketpp::transport::asio::basic_socket::endpoint>>;
using TlsClientEndpoint = websocketpp::client<
    QuietConfig<websocketpp::config::asio_client, websocketpp::http::parser::request,
                websocketpp::http::parser::response, websocketpp::transport::asio::tls_socket::endpoint>>;

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_WS_CONFIG_H_
