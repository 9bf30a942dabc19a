#include "src/net/acceptor.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "asio.hpp"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/base/mutex.h"

namespace callbridge::net {
namespace {

using asio::ip::tcp;

constexpr size_t kMaxFirstLine = 16 << 10;
constexpr auto kRetryAccept = std::chrono::milliseconds(100);
constexpr auto kFirstPeekAgain = std::chrono::milliseconds(2);
constexpr auto kLastPeekAgain = std::chrono::milliseconds(100);

// How many connections are open, and whom to wake when one ends. Outlives the acceptor, as slots may.
class Gate {
 public:
  explicit Gate(int limit) : limit_(limit) {}

  bool full() const {
    base::MutexLock lock(mutex_);
    return open_ >= limit_;
  }
  void SetWake(std::function<void()> wake) {
    base::MutexLock lock(mutex_);
    wake_ = std::move(wake);
  }
  static std::shared_ptr<void> Enter(const std::shared_ptr<Gate>& gate) {
    base::MutexLock lock(gate->mutex_);
    ++gate->open_;
    return std::shared_ptr<void>(nullptr, [gate](void*) { gate->Leave(); });
  }

 private:
  void Leave() {
    base::MutexLock lock(mutex_);
    const bool was_full = open_-- >= limit_;
    if (was_full && wake_) wake_();
  }

  const int limit_;
  mutable base::Mutex mutex_;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
};

absl::Status ListenError(absl::string_view listen, absl::string_view doing, const asio::error_code& error) {
  const std::string text = absl::StrCat("listen ", listen, ": ", doing, ": ", error.message());
  if (error == asio::error::address_in_use) {
    return absl::AlreadyExistsError(
        absl::StrCat("listen ", listen, ": the port is in use; stop the other process or choose another port"));
  }
  if (error == asio::error::access_denied) return absl::PermissionDeniedError(text);
  if (error.value() == EADDRNOTAVAIL) return absl::InvalidArgumentError(text);
  return absl::UnavailableError(text);
}

absl::StatusOr<tcp::endpoint> ParseListen(absl::string_view listen) {
  const auto bad = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen '", listen, "': ", why, "; it must be host:port or [IPv6]:port"));
  };
  const size_t colon = listen.rfind(':');
  if (colon == absl::string_view::npos) return bad("no port");
  absl::string_view host = listen.substr(0, colon);
  int port = 0;
  if (!absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 || port > 65535) {
    return bad("the port must be 0 to 65535");
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != absl::string_view::npos) {
    return bad("an IPv6 address needs brackets");
  }
  if (host.empty()) return bad("no host");
  asio::error_code error;
  const auto address = asio::ip::make_address(std::string(host), error);
  if (!error) return tcp::endpoint(address, static_cast<uint16_t>(port));
  asio::io_context io;
  tcp::resolver resolver(io);
  const auto results = resolver.resolve(std::string(host), std::to_string(port), error);
  if (error || results.empty()) return bad(absl::StrCat("cannot find the host: ", error.message()));
  return results.begin()->endpoint();
}

class AsioAcceptor final : public Acceptor {
 public:
  AsioAcceptor(const AcceptorOptions& options, std::function<void(AcceptedSocket)> give)
      : options_(options), give_(std::move(give)), gate_(std::make_shared<Gate>(options.max_connections)) {}
  ~AsioAcceptor() override { Stop(); }

  absl::Status Start();
  int port() const override { return port_; }
  void Stop() override;

 private:
  // A connection whose first line is awaited.
  struct Pending {
    explicit Pending(tcp::socket s)
        : socket(std::move(s)), deadline(socket.get_executor()), again(socket.get_executor()) {}
    tcp::socket socket;
    asio::steady_timer deadline;
    asio::steady_timer again;
    std::chrono::milliseconds pause = kFirstPeekAgain;
    absl::Time accepted_at;
    std::shared_ptr<void> slot;
  };
  using PendingPtr = std::shared_ptr<Pending>;

  void Run();
  void Accept();
  void OnAccept(const asio::error_code& error, tcp::socket socket);
  void AwaitReadable(const PendingPtr& pending);
  void Peek(const PendingPtr& pending);
  void PeekAgainLater(const PendingPtr& pending);
  void Give(const PendingPtr& pending, absl::string_view first_line);
  void Drop(const PendingPtr& pending);

  const AcceptorOptions options_;
  const std::function<void(AcceptedSocket)> give_;
  const std::shared_ptr<Gate> gate_;
  asio::io_context io_{1};
  // At the limit of connections there may be nothing to wait for but a slot.
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  tcp::acceptor acceptor_{io_};
  asio::steady_timer retry_{io_};
  std::unordered_set<PendingPtr> pending_;
  bool accepting_ = false;  // Whether an accept is under way. On the thread only, as all that follows.
  bool out_of_descriptors_ = false;
  std::vector<char> peeked_ = std::vector<char>(kMaxFirstLine);
  int port_ = 0;
  std::thread thread_;
};

absl::Status AsioAcceptor::Start() {
  const auto endpoint = ParseListen(options_.listen);
  if (!endpoint.ok()) return endpoint.status();
  asio::error_code error;
  acceptor_.open(endpoint->protocol(), error);
  if (error) return ListenError(options_.listen, "socket", error);
  acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(*endpoint, error);
  if (error) return ListenError(options_.listen, "bind", error);
  acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return ListenError(options_.listen, "listen", error);
  port_ = acceptor_.local_endpoint(error).port();
  if (error) return ListenError(options_.listen, "local address", error);
  gate_->SetWake([this] { asio::post(io_, [this] { Accept(); }); });
  asio::post(io_, [this] { Accept(); });
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void AsioAcceptor::Run() {
  pthread_setname_np(pthread_self(), "acceptor");
  while (true) {
    try {
      io_.run();
      return;
    } catch (const std::exception& error) {
      base::Log(base::LogKind::kTrouble, "", "exception in the acceptor", {{"what", error.what()}});
    }
  }
}

void AsioAcceptor::Stop() {
  if (!thread_.joinable()) return;
  gate_->SetWake(nullptr);
  asio::post(io_, [this] {
    asio::error_code ignored;
    acceptor_.close(ignored);
    while (!pending_.empty()) Drop(*pending_.begin());
    io_.stop();
  });
  thread_.join();
}

void AsioAcceptor::Accept() {
  if (accepting_ || gate_->full() || !acceptor_.is_open()) return;
  accepting_ = true;
  acceptor_.async_accept([this](const asio::error_code& error, tcp::socket socket) {
    accepting_ = false;
    OnAccept(error, std::move(socket));
  });
}

void AsioAcceptor::OnAccept(const asio::error_code& error, tcp::socket socket) {
  if (error == asio::error::operation_aborted) return;
  if (error && error != asio::error::connection_aborted) {
    // Out of descriptors or memory: the connection stays in the kernel's queue, and trying at once would only burn the
    // core.
    if (!out_of_descriptors_) {
      base::Log(base::LogKind::kTrouble, "", "cannot accept connections for now", {{"error", error.message()}});
    }
    out_of_descriptors_ = true;
    retry_.expires_after(kRetryAccept);
    retry_.async_wait([this](const asio::error_code& cancelled) {
      if (!cancelled) Accept();
    });
    return;
  }
  out_of_descriptors_ = false;
  if (!error) {
    auto pending = std::make_shared<Pending>(std::move(socket));
    pending->accepted_at = base::SystemClock().Now();
    pending->slot = Gate::Enter(gate_);
    pending->deadline.expires_after(absl::ToChronoNanoseconds(options_.first_line_timeout));
    pending_.insert(pending);
    pending->deadline.async_wait([this, pending](const asio::error_code& cancelled) {
      if (!cancelled) Drop(pending);
    });
    AwaitReadable(pending);
  }
  Accept();
}

void AsioAcceptor::AwaitReadable(const PendingPtr& pending) {
  pending->socket.async_wait(tcp::socket::wait_read, [this, pending](const asio::error_code& error) {
    if (error) return Drop(pending);
    Peek(pending);
  });
}

void AsioAcceptor::Peek(const PendingPtr& pending) {
  if (!pending->socket.is_open()) return;
  const ssize_t got = recv(pending->socket.native_handle(), peeked_.data(), peeked_.size(), MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return AwaitReadable(pending);
  if (got <= 0) return Drop(pending);
  const absl::string_view text(peeked_.data(), static_cast<size_t>(got));
  const size_t end = text.find('\n');
  if (end != absl::string_view::npos) return Give(pending, text.substr(0, end));
  if (text.size() == kMaxFirstLine) return Give(pending, "");  // The loop's parser refuses it.
  PeekAgainLater(pending);
}

// The bytes that were peeked stay in the socket, so that it remains readable: waiting for that would spin.
void AsioAcceptor::PeekAgainLater(const PendingPtr& pending) {
  pending->again.expires_after(pending->pause);
  pending->pause = std::min(pending->pause * 2, kLastPeekAgain);
  pending->again.async_wait([this, pending](const asio::error_code& cancelled) {
    if (!cancelled) Peek(pending);
  });
}

void AsioAcceptor::Give(const PendingPtr& pending, absl::string_view first_line) {
  const std::vector<absl::string_view> words = absl::StrSplit(first_line, ' ');
  asio::error_code error;
  const bool ipv6 = pending->socket.local_endpoint(error).protocol() == tcp::v6();
  pending->deadline.cancel();
  const int fd = error ? -1 : pending->socket.release(error);
  if (error) return Drop(pending);
  pending_.erase(pending);
  AcceptedSocket accepted{OwnedFd(fd), ipv6, pending->accepted_at, "", "", std::exchange(pending->slot, nullptr)};
  if (words.size() == 3) {
    accepted.method = std::string(words[0]);
    accepted.target = std::string(words[1]);
  }
  give_(std::move(accepted));
}

void AsioAcceptor::Drop(const PendingPtr& by_reference) {
  const PendingPtr pending = by_reference;  // Which may be the set's own.
  pending_.erase(pending);
  pending->deadline.cancel();
  pending->again.cancel();
  asio::error_code ignored;
  pending->socket.close(ignored);
  pending->slot = nullptr;
}

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(const AcceptorOptions& options,
                                                           std::function<void(AcceptedSocket)> give) {
  auto acceptor = std::make_unique<AsioAcceptor>(options, std::move(give));
  const absl::Status status = acceptor->Start();
  if (!status.ok()) return status;
  return absl::StatusOr<std::unique_ptr<Acceptor>>(std::move(acceptor));
}

}  // namespace callbridge::net
