#ifndef CALLBRIDGE_SRC_NET_SERVER_H_
#define CALLBRIDGE_SRC_NET_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/base/http_message.h"
#include "src/net/event_loop.h"
#include "src/net/ws_connection.h"

namespace callbridge::net {

// The answer to a WebSocket upgrade: a listener, or a refusal.
struct UpgradeDecision {
  // Set: accept. Owned by whoever decided; see WsConnection::Listener for how long it must live. OnOpen() hands it the
  // connection; OnClosed() comes without it if the peer vanishes before the upgrade is answered. Of several
  // subprotocols offered the first is chosen.
  WsConnection::Listener* listener = nullptr;
  base::HttpResponse refusal;  // Sent when there is no listener; a status below 300 becomes 403.
};

// What the server asks of the application.
class ServerDelegate {
 public:
  virtual ~ServerDelegate() = default;

  // On the acceptor's thread, with the first line of the request ("GET", "/media-stream?token=..."): the index of the
  // loop that the connection should live on, or -1 for any. Must not block.
  virtual int LoopFor(absl::string_view method, absl::string_view target) = 0;

  // Before LoopFor(), likewise: the host:port of another server that this connection is for, to which it is passed on
  // byte for byte, as are the answers; or empty: it is for this one. Never this server's own.
  virtual std::string RelayTo(absl::string_view method, absl::string_view target) { return ""; }

  // On the connection's loop. `respond` must be called exactly once, on that loop, now or later; without an answer in
  // ServerOptions::response_timeout the connection gets 503. A call after that does nothing.
  using Respond = std::function<void(base::HttpResponse)>;
  virtual void OnRequest(int loop, const base::HttpRequest& request, Respond respond) = 0;

  // On the connection's loop, before the upgrade is answered.
  virtual UpgradeDecision OnUpgrade(int loop, const base::HttpRequest& request) = 0;
};

struct ServerOptions {
  std::string listen = "127.0.0.1:0";                // host:port; [::1]:port; port 0 picks one.
  size_t max_body_bytes = 64 << 10;                  // Of a request; larger gets 413.
  size_t max_message_bytes = 256 << 10;              // Of a WebSocket message; larger closes with 1009.
  size_t max_unsent_bytes = 1 << 20;                 // See WsConnection::Send.
  int max_connections = 0;                           // 0: nine tenths of the descriptors the process may open.
  absl::Duration header_timeout = absl::Seconds(5);  // From accept to a complete request.
  absl::Duration response_timeout = absl::Seconds(10);
  WsHealth health;  // Of WebSockets; a relayed connection may be as silent as they.
};

// HTTP/1.1 and WebSockets on one port over several loops. One acceptor of ours takes each connection, reads the first
// line without consuming it, and hands the socket to the loop that the delegate names, so that all sockets of a call
// meet on one thread. Every HTTP answer carries Connection: close. Requests that the parser would misread are refused
// before the delegate sees them: any Transfer-Encoding 411 (its body would be lost), a doubtful Content-Length or
// header name 400, a body too large 413, headers beyond 16,000 bytes 431, a WebSocket version other than 13 426. Peers
// that are too slow with a request are cut without an answer.
class Server {
 public:
  // Listens and serves until Stop(). `delegate` and `loops` outlive the server. kAlreadyExists: the port is in use;
  // kInvalidArgument: `listen` is not host:port; kPermissionDenied: not allowed to bind.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options, std::vector<EventLoop*> loops,
                                                       ServerDelegate& delegate);
  virtual ~Server() = default;

  virtual int port() const = 0;

  // No new connections; those that are open live on. Any thread; returns when the acceptor has stopped.
  virtual void StopAccepting() = 0;

  // StopAccepting(), then cuts every connection. Returns when the last OnClosed was delivered. Not on a loop.
  virtual void Stop() = 0;
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_SERVER_H_
