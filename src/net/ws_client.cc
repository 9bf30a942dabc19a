#include "src/net/ws_client.h"

#include <algorithm>
#include <map>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "asio/ssl.hpp"
#include "src/net/ws_config.h"
#include "src/net/ws_socket.h"

namespace callbridge::net {
namespace {

using asio::ip::tcp;
using TlsContext = std::shared_ptr<asio::ssl::context>;

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(c) || absl::string_view("-._:").find(c) != std::string::npos;
}

// What the library's parser lets pass and should not: other schemes, an empty host, user:password@.
absl::StatusOr<websocketpp::uri_ptr> ParseUrl(const std::string& url) {
  const auto uri = std::make_shared<websocketpp::uri>(url);
  if (!absl::StartsWith(url, "ws://") && !absl::StartsWith(url, "wss://")) {
    return absl::InvalidArgumentError("url: must begin with ws:// or wss://");
  }
  if (!uri->get_valid()) return absl::InvalidArgumentError("url: must be ws[s]://host[:port][/path]");
  const std::string& host = uri->get_host();
  if (host.empty() || !std::all_of(host.begin(), host.end(), IsHostCharacter)) {
    return absl::InvalidArgumentError("url: the host must be a name or an IP address");
  }
  const std::string& path = uri->get_resource();
  if (std::any_of(path.begin(), path.end(), [](unsigned char c) { return c <= ' ' || c == 127; })) {
    return absl::InvalidArgumentError("url: blanks and control characters in the path must be percent-encoded");
  }
  return uri;
}

absl::Status CheckHeaders(const base::HttpHeaders& headers) {
  for (const auto& [name, value] : headers) {
    const bool token = !name.empty() && std::none_of(name.begin(), name.end(), websocketpp::http::is_not_token_char);
    if (!token) return absl::InvalidArgumentError(absl::StrCat("header: '", name, "' is not a header's name"));
    if (value.find_first_of(std::string("\r\n\0", 3)) != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("header ", name, ": the value must be one line"));
    }
  }
  return absl::OkStatus();
}

class Connector final : public WsConnector {
 public:
  explicit Connector(AsioLoop& loop) : loop_(loop) {
    plain_.init_asio(&loop.io());
    plain_.set_user_agent("callbridge");
    tls_.init_asio(&loop.io());
    tls_.set_user_agent("callbridge");
    loop.AddStopHook([this] { CutAll(); });
  }

  std::shared_ptr<WsConnection> Connect(const WsClientOptions& options, WsConnection::Listener& listener) override {
    const auto uri = ParseUrl(options.url);
    if (uri.ok() && (*uri)->get_secure()) return ConnectTls(*uri, options, listener);
    auto socket = NewSocket<PlainClientEndpoint>(options, listener);
    if (uri.ok()) {
      Begin(plain_, *uri, options, socket, [](auto&) {});
    } else {
      socket->PostFailure(std::string(uri.status().message()));
    }
    return socket;
  }

 private:
  template <typename Endpoint>
  std::shared_ptr<WsSocket<Endpoint>> NewSocket(const WsClientOptions& options, WsConnection::Listener& listener) {
    WsSocketOptions socket_options;
    socket_options.is_client = true;
    socket_options.max_unsent_bytes = options.max_unsent_bytes;
    socket_options.health = options.health;
    const int id = next_id_++;
    auto socket = std::make_shared<WsSocket<Endpoint>>(loop_, socket_options, listener, [this, id] { cut_.erase(id); });
    cut_.emplace(id, [socket] { socket->CutNow(); });
    return socket;
  }

  std::shared_ptr<WsConnection> ConnectTls(const websocketpp::uri_ptr& uri, const WsClientOptions& options,
                                           WsConnection::Listener& listener);
  template <typename Endpoint, typename Prepare>
  void Begin(Endpoint& endpoint, const websocketpp::uri_ptr& uri, const WsClientOptions& options,
             const std::shared_ptr<WsSocket<Endpoint>>& socket, Prepare prepare);
  absl::StatusOr<TlsContext> ContextFor(const std::string& ca_file);
  void CutAll();

  AsioLoop& loop_;
  PlainClientEndpoint plain_;
  TlsClientEndpoint tls_;
  std::map<std::string, TlsContext> contexts_;  // By CA file: reading the system's certificates takes milliseconds.
  int next_id_ = 0;
  std::unordered_map<int, std::function<void()>> cut_;  // Each owns its socket, until that is gone.
};

// Resolves and connects; then the library goes on. By ourselves, because the library has fixed deadlines, shares one
// resolver (whose timeout cancels the others' lookups) and tells no reasons.
template <typename Endpoint>
class Dial : public std::enable_shared_from_this<Dial<Endpoint>> {
 public:
  using ConnectionPtr = typename Endpoint::connection_ptr;

  Dial(AsioLoop& loop, websocketpp::uri_ptr uri, absl::Duration timeout, ConnectionPtr connection,
       std::shared_ptr<WsSocket<Endpoint>> socket)
      : uri_(std::move(uri)),
        timeout_(timeout),
        connection_(std::move(connection)),
        socket_(std::move(socket)),
        resolver_(loop.io()) {}

  void Start() {
    socket_->SetConnectDeadline(timeout_, absl::StrCat("name lookup and TCP connect of ", uri_->get_host_port()));
    asio::error_code not_numeric;
    const auto address = asio::ip::make_address(uri_->get_host(), not_numeric);
    if (!not_numeric) return Connect({tcp::endpoint(address, uri_->get_port())});
    resolver_.async_resolve(
        uri_->get_host(), uri_->get_port_str(),
        [self = this->shared_from_this()](const asio::error_code& error, tcp::resolver::results_type results) {
          if (error) return self->Fail("name lookup of", error);
          self->Connect(std::vector<tcp::endpoint>(results.begin(), results.end()));
        });
  }

 private:
  void Connect(std::vector<tcp::endpoint> endpoints) {
    if (socket_->finished()) return;
    endpoints_ = std::move(endpoints);
    asio::async_connect(connection_->get_raw_socket(), endpoints_,
                        [self = this->shared_from_this()](const asio::error_code& error, const tcp::endpoint&) {
                          if (error) return self->Fail("connecting to", error);
                          self->GoOn();
                        });
  }

  void GoOn() {
    if (socket_->finished()) return;
    asio::error_code ignored;
    connection_->get_raw_socket().set_option(tcp::no_delay(true), ignored);
    connection_->set_tcp_post_init_handler(
        [socket = std::weak_ptr<WsSocket<Endpoint>>(socket_), timeout = timeout_](websocketpp::connection_hdl) {
          if (auto it = socket.lock()) it->SetConnectDeadline(timeout, "no answer to the upgrade");
        });
    if (uri_->get_secure()) socket_->SetConnectDeadline(timeout_, "TLS handshake");
    connection_->start();
  }

  void Fail(absl::string_view doing, const asio::error_code& error) {
    if (socket_->finished()) return;
    socket_->FailNow(absl::StrCat(doing, " ", uri_->get_host_port(), ": ", error.message()));
  }

  const websocketpp::uri_ptr uri_;
  const absl::Duration timeout_;
  const ConnectionPtr connection_;
  const std::shared_ptr<WsSocket<Endpoint>> socket_;
  tcp::resolver resolver_;
  std::vector<tcp::endpoint> endpoints_;
};

template <typename Endpoint, typename Prepare>
void Connector::Begin(Endpoint& endpoint, const websocketpp::uri_ptr& uri, const WsClientOptions& options,
                      const std::shared_ptr<WsSocket<Endpoint>>& socket, Prepare prepare) {
  const absl::Status headers = CheckHeaders(options.headers);
  if (!headers.ok()) return socket->PostFailure(std::string(headers.message()));
  try {
    websocketpp::lib::error_code error;
    const auto connection = endpoint.get_connection(uri, error);
    if (error || !connection) return socket->PostFailure(absl::StrCat("no connection object: ", error.message()));
    for (const auto& [name, value] : options.headers) connection->append_header(name, value);
    connection->set_max_message_size(options.max_message_bytes);
    // The transport's own copy of the address, from which the library takes the server name for TLS.
    static_cast<typename Endpoint::transport_con_type&>(*connection).set_uri(uri);
    prepare(*connection);
    socket->Bind(connection);
    std::make_shared<Dial<Endpoint>>(loop_, uri, options.connect_timeout, connection, socket)->Start();
  } catch (const std::exception& error) {
    socket->PostFailure(absl::StrCat("cannot connect: ", error.what()));
  }
}

std::shared_ptr<WsConnection> Connector::ConnectTls(const websocketpp::uri_ptr& uri, const WsClientOptions& options,
                                                    WsConnection::Listener& listener) {
  auto socket = NewSocket<TlsClientEndpoint>(options, listener);
  auto context = ContextFor(options.ca_file);
  if (!context.ok()) {
    socket->PostFailure(std::string(context.status().message()));
    return socket;
  }
  tls_.set_tls_init_handler([context = *context](websocketpp::connection_hdl) { return context; });
  const std::string host = uri->get_host();
  Begin(tls_, uri, options, socket, [&host, why = socket->tls_error()](auto& connection) {
    connection.get_socket().set_verify_callback([host, why, names = asio::ssl::host_name_verification(host)](
                                                    bool trusted, asio::ssl::verify_context& verifying) {
      if (!trusted) {
        const int code = X509_STORE_CTX_get_error(verifying.native_handle());
        *why = absl::StrCat("certificate: ", X509_verify_cert_error_string(code));
        return false;
      }
      if (names(trusted, verifying)) return true;
      *why = absl::StrCat("certificate: it is not for the host name ", host);
      return false;
    });
    connection.set_tcp_pre_init_handler([&connection, host](websocketpp::connection_hdl) {
      asio::error_code not_numeric;
      asio::ip::make_address(host, not_numeric);
      // RFC 6066 allows names only; the library sends IP addresses as well.
      if (!not_numeric) SSL_set_tlsext_host_name(connection.get_socket().native_handle(), nullptr);
    });
  });
  return socket;
}

absl::StatusOr<TlsContext> Connector::ContextFor(const std::string& ca_file) {
  const auto found = contexts_.find(ca_file);
  if (found != contexts_.end()) return found->second;
  asio::error_code error;
  try {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    context->set_verify_mode(asio::ssl::verify_peer);
    if (ca_file.empty()) {
      context->set_default_verify_paths(error);
    } else {
      context->load_verify_file(ca_file, error);
    }
    if (error) return absl::InvalidArgumentError(absl::StrCat("ca_file ", ca_file, ": ", error.message()));
    return contexts_[ca_file] = context;
  } catch (const std::exception& failure) {
    return absl::InternalError(absl::StrCat("TLS: ", failure.what()));
  }
}

void Connector::CutAll() {
  auto cut = std::move(cut_);
  cut_.clear();
  for (auto& [id, cut_one] : cut) cut_one();
}

}  // namespace

std::unique_ptr<WsConnector> NewWsConnector(AsioLoop& loop) { return std::make_unique<Connector>(loop); }

}  // namespace callbridge::net
