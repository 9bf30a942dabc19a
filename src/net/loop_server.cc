#include "src/net/loop_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/net/ws_config.h"
#include "src/net/ws_socket.h"

namespace callbridge::net {
namespace {

using asio::ip::tcp;
using ConnectionPtr = ServerEndpoint::connection_ptr;
namespace status_code = websocketpp::http::status_code;

constexpr auto kLinger = std::chrono::seconds(1);
constexpr size_t kMaxLingerBytes = 4 << 20;

// What one adopted socket needs of its server.
struct PeerContext {
  AsioLoop& loop;
  const int index;
  const ServerOptions& options;
  ServerDelegate& delegate;
};

// One accepted socket, from the first byte of the request until the descriptor is closed.
//
//   request --> answer --> linger --> gone          plain HTTP, refused upgrades
//           \-> WebSocket --> linger --> gone
//           \-> gone                                too slow, cut
//
// To linger is to read and drop what the peer still sends until it closes, for a second at most: closing a socket with
// unread bytes sends a reset, which can destroy the answer or the close frame on its way.
class Peer final : public std::enable_shared_from_this<Peer> {
 public:
  Peer(const PeerContext& context, std::shared_ptr<void> slot, base::Task gone)
      : context_(context), slot_(std::move(slot)), gone_(std::move(gone)), timer_(context.loop.io()) {}

  void Start(const ConnectionPtr& connection, AcceptedSocket& accepted);
  void Cut();

 private:
  using Handle = websocketpp::connection_hdl;

  void OnHttp();
  bool OnUpgrade();
  void Respond(const base::HttpResponse& response);
  void WriteHead(const base::HttpResponse& response);
  void OnTerminated();
  void Drain();
  void Gone();
  base::HttpRequest MakeRequest() const;
  template <typename Then>
  void After(absl::Duration wait, Then then);

  const PeerContext context_;
  std::shared_ptr<void> slot_;
  base::Task gone_;
  ConnectionPtr connection_;
  std::shared_ptr<WsSocket<ServerEndpoint>> socket_;  // Set: the upgrade was accepted.
  asio::steady_timer timer_;
  std::string peer_address_;
  bool responded_ = false;
  size_t drained_ = 0;
};

std::string AddressOf(const tcp::socket& socket) {
  asio::error_code error;
  const asio::ip::address address = socket.remote_endpoint(error).address();
  if (error) return "";
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

void Peer::Start(const ConnectionPtr& connection, AcceptedSocket& accepted) {
  connection_ = connection;
  asio::error_code error;
  const int fd = accepted.fd.Release();
  connection_->get_raw_socket().assign(accepted.ipv6 ? tcp::v6() : tcp::v4(), fd, error);
  if (error) {
    OwnedFd closes(fd);
    return Gone();
  }
  connection_->get_raw_socket().set_option(tcp::no_delay(true), error);
  peer_address_ = AddressOf(connection_->get_raw_socket());
  const absl::Duration left = context_.options.header_timeout - (context_.loop.clock().Now() - accepted.accepted_at);
  connection_->set_open_handshake_timeout(std::max<int64_t>(1, absl::ToInt64Milliseconds(left)));
  connection_->set_max_http_body_size(context_.options.max_body_bytes);
  connection_->set_max_message_size(context_.options.max_message_bytes);
  const std::weak_ptr<Peer> weak = weak_from_this();
  connection_->set_http_handler([weak](Handle) {
    if (auto self = weak.lock()) self->OnHttp();
  });
  connection_->set_validate_handler([weak](Handle) {
    auto self = weak.lock();
    return self != nullptr && self->OnUpgrade();
  });
  connection_->set_termination_handler([weak](const ConnectionPtr&) {
    if (auto self = weak.lock()) self->OnTerminated();
  });
  connection_->start();
}

base::HttpRequest Peer::MakeRequest() const {
  const RequestParser& parsed = connection_->get_request();
  base::HttpRequest request;
  request.method = parsed.get_method();
  request.target = parsed.get_uri();
  request.headers = parsed.headers_as_sent();
  request.body = parsed.get_body();
  request.peer_address = peer_address_;
  return request;
}

template <typename Then>
void Peer::After(absl::Duration wait, Then then) {
  timer_.expires_after(absl::ToChronoNanoseconds(wait));
  timer_.async_wait([weak = weak_from_this(), then](const asio::error_code& error) {
    auto self = weak.lock();
    if (!error && self && self->connection_ != nullptr) then(*self);
  });
}

void Peer::OnHttp() {
  connection_->defer_http_response();  // Ends the library's deadline for the request, too.
  After(context_.options.response_timeout, [](Peer& self) {
    base::HttpResponse late;
    late.status = 503;
    late.body = "no answer in time\n";
    self.Respond(late);
  });
  auto respond = [weak = weak_from_this()](const base::HttpResponse& response) {
    if (auto self = weak.lock()) self->Respond(response);
  };
  try {
    context_.delegate.OnRequest(context_.index, MakeRequest(), respond);
  } catch (const std::exception& error) {
    base::Log(base::LogKind::kTrouble, "", "exception in a request's handler", {{"what", error.what()}});
    base::HttpResponse failed;
    failed.status = 500;
    respond(failed);
  }
}

void Peer::Respond(const base::HttpResponse& response) {
  if (responded_ || connection_ == nullptr) return;
  responded_ = true;
  // The peer must take the answer in time, as it had to send the request.
  After(context_.options.header_timeout, [](Peer& self) { self.Cut(); });
  WriteHead(response);
  websocketpp::lib::error_code error;
  connection_->send_http_response(error);
}

void Peer::WriteHead(const base::HttpResponse& response) {
  try {
    connection_->set_status(static_cast<status_code::value>(response.status));
    for (const auto& [name, value] : response.headers) connection_->append_header(name, value);
    if (!response.content_type.empty()) connection_->replace_header("Content-Type", response.content_type);
    if (connection_->get_request().get_method() == "HEAD") {
      connection_->replace_header("Content-Length", std::to_string(response.body.size()));
    } else {
      connection_->set_body(response.body);
    }
  } catch (const std::exception& error) {
    base::Log(base::LogKind::kTrouble, "", "a response could not be written", {{"what", error.what()}});
  }
}

bool Peer::OnUpgrade() {
  UpgradeDecision decision;
  try {
    decision = context_.delegate.OnUpgrade(context_.index, MakeRequest());
  } catch (const std::exception& error) {
    base::Log(base::LogKind::kTrouble, "", "exception in an upgrade's handler", {{"what", error.what()}});
    decision.refusal.status = 500;
  }
  if (decision.listener == nullptr) {
    if (decision.refusal.status < 300) decision.refusal.status = 403;
    WriteHead(decision.refusal);
    responded_ = true;
    return false;
  }
  const std::vector<std::string>& offered = connection_->get_requested_subprotocols();
  websocketpp::lib::error_code error;
  if (!offered.empty()) connection_->select_subprotocol(offered[0], error);
  WsSocketOptions options;
  options.max_unsent_bytes = context_.options.max_unsent_bytes;
  options.health = context_.options.health;
  socket_ = std::make_shared<WsSocket<ServerEndpoint>>(context_.loop, options, *decision.listener, nullptr);
  socket_->Bind(connection_);
  return true;
}

void Peer::OnTerminated() {
  if (connection_ == nullptr) return;
  const bool answered = responded_ || socket_ != nullptr || connection_->get_request().refused();
  if (!answered) return Gone();
  After(absl::FromChrono(kLinger), [](Peer& self) { self.Gone(); });
  Drain();
}

void Peer::Drain() {
  char dropped[16 << 10];
  while (true) {
    const ssize_t got = recv(connection_->get_raw_socket().native_handle(), dropped, sizeof(dropped), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got <= 0) return Gone();
    drained_ += static_cast<size_t>(got);
    if (drained_ > kMaxLingerBytes) return Gone();
  }
  connection_->get_raw_socket().async_wait(tcp::socket::wait_read,
                                           [weak = weak_from_this()](const asio::error_code& error) {
                                             auto self = weak.lock();
                                             if (!error && self && self->connection_ != nullptr) self->Drain();
                                           });
}

void Peer::Cut() {
  const auto self = shared_from_this();
  if (connection_ == nullptr) return;
  const ConnectionPtr connection = connection_;
  const auto socket = socket_;
  Gone();
  if (socket != nullptr) socket->CutNow();
  connection->terminate(make_error_code(websocketpp::error::operation_canceled));
}

void Peer::Gone() {
  if (connection_ == nullptr) return;
  timer_.cancel();
  asio::error_code ignored;
  connection_->get_raw_socket().close(ignored);
  connection_ = nullptr;
  slot_ = nullptr;
  std::exchange(gone_, nullptr)();
}

class WsppLoopServer final : public LoopServer {
 public:
  WsppLoopServer(AsioLoop& loop, int index, const ServerOptions& options, ServerDelegate& delegate)
      : options_(options), context_{loop, index, options_, delegate} {
    endpoint_.init_asio(&loop.io());
    endpoint_.set_user_agent("");
    stop_hook_ = loop.AddStopHook([this] { CutAll(); });
  }
  ~WsppLoopServer() override { context_.loop.RemoveStopHook(stop_hook_); }

  void Adopt(AcceptedSocket accepted) override {
    if (cut_) return;
    try {
      const ConnectionPtr connection = endpoint_.get_connection();
      if (!connection) return;
      const int id = next_id_++;
      auto peer = std::make_shared<Peer>(context_, std::move(accepted.slot), [this, id] { peers_.erase(id); });
      peers_.emplace(id, peer);
      peer->Start(connection, accepted);
    } catch (const std::exception& error) {
      base::Log(base::LogKind::kTrouble, "", "a connection could not be taken", {{"what", error.what()}});
    }
  }

  void CutAll() override {
    cut_ = true;
    const auto peers = std::move(peers_);
    peers_.clear();
    for (const auto& [id, peer] : peers) peer->Cut();
  }

 private:
  const ServerOptions options_;
  const PeerContext context_;
  ServerEndpoint endpoint_;
  int stop_hook_ = 0;
  int next_id_ = 0;
  bool cut_ = false;
  std::unordered_map<int, std::shared_ptr<Peer>> peers_;
};

}  // namespace

std::shared_ptr<LoopServer> LoopServer::New(AsioLoop& loop, int index, const ServerOptions& options,
                                            ServerDelegate& delegate) {
  return std::make_shared<WsppLoopServer>(loop, index, options, delegate);
}

}  // namespace callbridge::net
