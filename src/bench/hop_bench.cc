// What passing a stream on to another node costs: round trips of a frame's size through a relay beside direct ones, in
// turns in one run. Prints one line for each and their difference.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"

namespace {

constexpr size_t kFrameBytes = 300;  // 20 ms of mu-law as the carrier sends it.
constexpr int kRounds = 20;
constexpr int kTripsPerRound = 1000;

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int Listen(int* port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 8) != 0) Fail("listen");
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  *port = ntohs(address.sin_port);
  return fd;
}

void SetNoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

// Sends back what comes.
void Echo(int fd) {
  SetNoDelay(fd);
  std::array<char, 4096> buffer;
  ssize_t got;
  while ((got = recv(fd, buffer.data(), buffer.size(), 0)) > 0) {
    if (send(fd, buffer.data(), static_cast<size_t>(got), MSG_NOSIGNAL) != got) break;
  }
  close(fd);
}

class Client {
 public:
  explicit Client(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) Fail("connect");
    SetNoDelay(fd_);
    Trip("GET / HTTP/1.1\r\n\r\n");
  }
  ~Client() { close(fd_); }

  void Trip(const std::string& frame) {
    if (send(fd_, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) Fail("send");
    std::array<char, 4096> buffer;
    for (size_t got = 0; got < frame.size();) {
      const ssize_t n = recv(fd_, buffer.data(), buffer.size(), 0);
      if (n <= 0) Fail("recv");
      got += static_cast<size_t>(n);
    }
  }
  void Measure(std::vector<double>* micros) {
    const std::string frame(kFrameBytes, 'x');
    for (int i = 0; i < kTripsPerRound; ++i) {
      const absl::Time began = absl::Now();
      Trip(frame);
      micros->push_back(absl::ToDoubleMicroseconds(absl::Now() - began));
    }
  }

 private:
  const int fd_;
};

double Quantile(std::vector<double>& values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

class ToEcho final : public callbridge::net::ServerDelegate {
 public:
  explicit ToEcho(int port) : to_(absl::StrCat("127.0.0.1:", port)) {}
  std::string RelayTo(absl::string_view, absl::string_view) override { return to_; }
  int LoopFor(absl::string_view, absl::string_view) override { return -1; }
  void OnRequest(int, const callbridge::base::HttpRequest&, Respond respond) override { respond({}); }
  callbridge::net::UpgradeDecision OnUpgrade(int, const callbridge::base::HttpRequest&) override { return {}; }

 private:
  const std::string to_;
};

}  // namespace

int main() {
  int echo_port = 0;
  const int listener = Listen(&echo_port);
  std::thread echo([listener] {
    std::vector<std::thread> peers;
    for (int i = 0; i < 2; ++i) peers.emplace_back(Echo, accept(listener, nullptr, nullptr));
    for (std::thread& peer : peers) peer.join();
  });
  const auto loop = callbridge::net::EventLoop::Start("relay");
  ToEcho delegate(echo_port);
  auto server = callbridge::net::Server::Start(callbridge::net::ServerOptions(), {loop.get()}, delegate);
  if (!server.ok()) return 1;
  std::vector<double> direct, relayed;
  {
    Client straight(echo_port), around((*server)->port());
    for (int i = 0; i < kRounds; ++i) {
      straight.Measure(&direct);
      around.Measure(&relayed);
    }
  }
  for (const double q : {0.5, 0.99}) {
    const double d = Quantile(direct, q), r = Quantile(relayed, q);
    std::printf("p%g: direct %.0f us, relayed %.0f us, ratio %.2f, added %.0f us a round trip\n", q * 100, d, r, r / d,
                r - d);
  }
  echo.join();
  (*server)->Stop();
  loop->Stop();
  close(listener);
}
