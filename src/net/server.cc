#include "src/net/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "src/net/acceptor.h"
#include "src/net/asio_loop.h"
#include "src/net/loop_server.h"
#include "src/net/relay.h"

namespace callbridge::net {
namespace {

int DefaultMaxConnections() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1 << 20;
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur / 10 * 9, 1 << 20));
}

class ServerImpl final : public Server {
 public:
  ServerImpl(const ServerOptions& options, const std::vector<EventLoop*>& loops, ServerDelegate& delegate)
      : delegate_(delegate) {
    for (size_t i = 0; i < loops.size(); ++i) {
      AsioLoop& loop = *static_cast<AsioLoop*>(loops[i]);  // EventLoop::Start() makes no others.
      RelayOptions relay;
      relay.idle_limit = options.health.dead_after;
      parts_.push_back({&loop, LoopServer::New(loop, static_cast<int>(i), options, delegate), Relay::New(loop, relay)});
    }
  }
  ~ServerImpl() override { Stop(); }

  absl::Status Listen(const ServerOptions& options) {
    AcceptorOptions acceptor;
    acceptor.listen = options.listen;
    acceptor.max_connections = options.max_connections > 0 ? options.max_connections : DefaultMaxConnections();
    acceptor.first_line_timeout = options.header_timeout;
    auto listening = Acceptor::Listen(acceptor, [this](AcceptedSocket accepted) { Route(std::move(accepted)); });
    if (!listening.ok()) return listening.status();
    acceptor_ = *std::move(listening);
    return absl::OkStatus();
  }

  int port() const override { return acceptor_->port(); }
  void StopAccepting() override {
    if (acceptor_ != nullptr) acceptor_->Stop();
  }
  void Stop() override {
    StopAccepting();
    for (auto& part : parts_) {
      part.loop->RunAndWait([&part] {
        part.server->CutAll();
        part.relay->CutAll();
      });
    }
  }

 private:
  struct Part {
    AsioLoop* loop;
    std::shared_ptr<LoopServer> server;
    std::shared_ptr<Relay> relay;
  };

  // On the acceptor's thread.
  void Route(AcceptedSocket accepted) {
    std::string relay_to = accepted.method.empty() ? "" : delegate_.RelayTo(accepted.method, accepted.target);
    if (!relay_to.empty()) {
      Part& part = parts_[next_++ % parts_.size()];
      return part.loop->Post([relay = part.relay, accepted = std::move(accepted), to = std::move(relay_to)]() mutable {
        relay->Adopt(std::move(accepted), to);
      });
    }
    int index = accepted.method.empty() ? -1 : delegate_.LoopFor(accepted.method, accepted.target);
    if (index < 0 || index >= static_cast<int>(parts_.size())) index = static_cast<int>(next_++ % parts_.size());
    Part& part = parts_[index];
    part.loop->Post(
        [server = part.server, accepted = std::move(accepted)]() mutable { server->Adopt(std::move(accepted)); });
  }

  ServerDelegate& delegate_;
  std::vector<Part> parts_;
  size_t next_ = 0;  // On the acceptor's thread.
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, std::vector<EventLoop*> loops,
                                                      ServerDelegate& delegate) {
  if (loops.empty()) return absl::InvalidArgumentError("a server needs at least one loop");
  auto server = std::make_unique<ServerImpl>(options, loops, delegate);
  const absl::Status status = server->Listen(options);
  if (!status.ok()) return status;
  return absl::StatusOr<std::unique_ptr<Server>>(std::move(server));
}

}  // namespace callbridge::net
