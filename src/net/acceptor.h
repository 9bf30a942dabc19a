#ifndef CALLBRIDGE_SRC_NET_ACCEPTOR_H_
#define CALLBRIDGE_SRC_NET_ACCEPTOR_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace callbridge::net {

// A file descriptor that is closed when nobody has taken it.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.Release()) {}
  OwnedFd& operator=(OwnedFd&&) = delete;
  ~OwnedFd();
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

// A connection that has sent the first line of a request, which is still to be read from the socket.
struct AcceptedSocket {
  OwnedFd fd;
  bool ipv6 = false;
  absl::Time accepted_at;
  std::string method;          // "GET"; empty if the first line is none of HTTP's, or longer than 16 KB.
  std::string target;          // "/media-stream?token=..."
  std::shared_ptr<void> slot;  // Counts against max_connections; let go of it when the socket is closed.
};

struct AcceptorOptions {
  std::string listen;
  int max_connections = 0;
  absl::Duration first_line_timeout;
};

// Listens, waits on a thread of its own for each connection's first line, and gives the socket away. Accepts nothing while
// max_connections are open or the process has no descriptors left, and goes on when there are; the kernel's queue holds those
// that wait. Drops connections that do not send a first line in time.
class Acceptor {
 public:
  // `give` runs on the acceptor's thread. Errors as Server::Start.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(const AcceptorOptions& options,
                                                          std::function<void(AcceptedSocket)> give);
  virtual ~Acceptor() = default;  // Stops.
  virtual int port() const = 0;
  virtual void Stop() = 0;  // Returns when the thread has ended. Repeats do nothing.
};

}  // namespace callbridge::net

#endif  // CALLBRIDGE_SRC_NET_ACCEPTOR_H_
