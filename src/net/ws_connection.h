#ifndef CALLBRIDGE_SRC_NET_WS_CONNECTION_H_
#define CALLBRIDGE_SRC_NET_WS_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "src/base/http_message.h"

namespace callbridge::net {

// How a WebSocket ended, or why it never opened.
struct WsClose {
  bool opened = false;  // Whether the upgrade had succeeded.
  int code = 0;  // RFC 6455 close code as received or sent: 1000, ..., 1006 without a close frame. 0: never opened.
  std::string reason;   // The close frame's text.
  bool by_us = false;   // Close() or Abort() came first.
  int http_status = 0;  // Of a refused upgrade, client side: 401, 503, ...; else 0.
  // In words for an operator: why it never opened ("connection refused", "certificate: host name ..."), or why we gave
  // it up ("nothing heard for 10s"). Else empty.
  std::string error;
};

// One WebSocket, either side. All methods on the connection's loop only.
class WsConnection {
 public:
  // What arrives. Called on the loop, never from inside a method of the connection. Views are valid during the call
  // only.
  class Listener {
   public:
    virtual ~Listener() = default;

    // The upgrade is complete; from now on Send() works. A server's `connection` is good until OnClosed returns or,
    // after Detach(), until control returns to the loop.
    virtual void OnOpen(WsConnection& connection) = 0;
    virtual void OnText(absl::string_view message) = 0;
    virtual void OnBinary(size_t bytes) = 0;

    // Exactly once and last, whatever happened before; also when the upgrade failed (then without OnOpen). The listener
    // may be destroyed in or after this call, not before, except by first calling Detach() on the connection.
    virtual void OnClosed(const WsClose& close) = 0;
  };

  virtual ~WsConnection() = default;

  // Sends one text message made of `parts` in order, which together must be UTF-8 (not checked: peers close with 1007).
  // False, and nothing is sent: not open, or the unsent bytes would pass the limit that the connection was made with
  // (the peer reads too slowly).
  virtual bool Send(absl::Span<const absl::string_view> parts) = 0;
  bool Send(std::initializer_list<absl::string_view> parts) {
    return Send(absl::Span<const absl::string_view>(parts.begin(), parts.size()));
  }

  // Bytes of frames that the socket has not taken yet, pings and pongs included. The write in flight counts in full
  // until it is complete.
  virtual size_t unsent_bytes() const = 0;

  // When the last whole message, ping or pong came from the peer; before the first, when the connection opened.
  virtual absl::Time last_heard() const = 0;

  // Starts the closing handshake; the socket is cut if the peer has not answered in three seconds (then OnClosed says
  // 1006). What the peer still sends is not heard. Not open yet, or a code that must not be sent (1005, 1006): as
  // Abort(). Repeats do nothing.
  virtual void Close(uint16_t code, absl::string_view reason) = 0;

  // Cuts the socket at once.
  virtual void Abort() = 0;

  // The listener hears nothing any more, not even OnClosed.
  virtual void Detach() = 0;
};

// How a dead peer is found out. Whole messages, pings and pongs of the peer count; one that answers no pings but sends
// is alive.
struct WsHealth {
  // Nothing was heard for so long: a ping asks the peer, again after each further such time. Zero: none are sent.
  absl::Duration ping_after = absl::Seconds(4);
  // Nothing was heard for so long, nor since a ping that had the time between the two to be answered: the socket is
  // cut, and OnClosed says 1006 and why. More than `ping_after`. Zero: never.
  absl::Duration dead_after = absl::Seconds(10);
};

// What a client connection needs.
struct WsClientOptions {
  std::string url;            // ws:// or wss://, with path and query.
  base::HttpHeaders headers;  // Besides those of the upgrade itself.
  std::string
      ca_file;  // PEM; empty: the system's certificates. wss:// verifies the chain and the host name, TLS 1.2 or newer.
  absl::Duration connect_timeout = absl::Seconds(3);  // For each of: name lookup and TCP together, TLS, upgrade.
  size_t max_message_bytes = 8 << 20;
  size_t max_unsent_bytes = 1 << 20;
  WsHealth health;
};

// Opens client connections on one loop. On that loop only.
class WsConnector {
 public:
  virtual ~WsConnector() = default;

  // Begins to connect; `listener` hears OnOpen or OnClosed later, never inside this call. A malformed URL too is an
  // OnClosed. Letting go of the pointer does not close the connection.
  virtual std::shared_ptr<WsConnection> Connect(const WsClientOptions& options, WsConnection::Listener& listener) = 0;
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_WS_CONNECTION_H_
