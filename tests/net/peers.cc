#include "tests/net/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace callbridge::testing {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void SetPatience(int fd) {
  timeval patience{};
  patience.tv_sec = absl::ToInt64Seconds(kPatience);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

}  // namespace

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(kPatience);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

void OnLoop(net::EventLoop& loop, std::function<void()> task) {
  base::Mutex mutex;
  base::CondVar changed;
  bool done = false;
  loop.Post([&] {
    task();
    base::MutexLock lock(mutex);
    done = true;
    changed.NotifyOne();
  });
  base::MutexLock lock(mutex);
  while (!done) changed.Wait(mutex);
}

RawPeer::RawPeer(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  SetPatience(fd_);
  const sockaddr_in address = Loopback(port);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) Close();
}

bool RawPeer::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string RawPeer::Receive(size_t size) {
  std::string all(size, '\0');
  size_t got = 0;
  while (got < size) {
    const ssize_t n = recv(fd_, &all[got], size - got, 0);
    if (n <= 0) break;
    got += static_cast<size_t>(n);
  }
  all.resize(got);
  return all;
}

std::string RawPeer::ReceiveAll() {
  std::string all;
  char buffer[4096];
  ssize_t n;
  while ((n = recv(fd_, buffer, sizeof(buffer), 0)) > 0) all.append(buffer, static_cast<size_t>(n));
  return all;
}

std::string RawPeer::ReceiveHead() {
  std::string head;
  while (head.size() < 4 || head.compare(head.size() - 4, 4, "\r\n\r\n") != 0) {
    const std::string byte = Receive(1);
    if (byte.empty()) break;
    head += byte;
  }
  return head;
}

std::string RawPeer::Upgrade(absl::string_view target, absl::string_view more_headers) {
  Send(absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", more_headers,
                    "\r\n"));
  return ReceiveHead();
}

std::string RawPeer::ReceiveFrame(int* opcode) {
  const std::string head = Receive(2);
  if (head.size() < 2) return "end of stream";
  if (opcode != nullptr) *opcode = head[0] & 0x0f;
  size_t size = static_cast<unsigned char>(head[1]);
  if (size == 126) {
    const std::string extended = Receive(2);
    size = static_cast<unsigned char>(extended[0]) * 256u + static_cast<unsigned char>(extended[1]);
  }
  return Receive(size);
}

void RawPeer::Reset() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  Close();
}

void RawPeer::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

RawListener::RawListener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = Loopback(0);
  bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  listen(fd_, 16);
  socklen_t size = sizeof(address);
  getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  SetPatience(fd_);
}

RawListener::~RawListener() { close(fd_); }

RawPeer RawListener::Accept() {
  const int fd = accept(fd_, nullptr, nullptr);
  SetPatience(fd);
  return RawPeer(fd, true);
}

std::string MaskedFrame(int opcode, absl::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    const bool wide = payload.size() > 0xffff;
    frame.push_back(static_cast<char>(0x80 | (wide ? 127 : 126)));
    for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8) {
      frame.push_back(static_cast<char>(static_cast<uint64_t>(payload.size()) >> shift));
    }
  }
  const char mask[4] = {1, 2, 3, 4};
  frame.append(mask, 4);
  for (size_t i = 0; i < payload.size(); ++i) frame.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return frame;
}

void RecordingListener::OnOpen(net::WsConnection& connection) {
  if (on_open) on_open(connection);
  base::MutexLock lock(mutex_);
  connection_ = &connection;
}

void RecordingListener::OnText(absl::string_view message) {
  net::WsConnection* connection;
  {
    base::MutexLock lock(mutex_);
    connection = connection_;
    texts_.emplace_back(message);
  }
  if (on_text) on_text(*connection, message);
}

void RecordingListener::OnBinary(size_t bytes) {
  base::MutexLock lock(mutex_);
  binaries_.push_back(bytes);
}

void RecordingListener::OnClosed(const net::WsClose& close) {
  if (on_closed) on_closed();
  base::MutexLock lock(mutex_);
  ++closes_;
  close_ = close;
}

bool RecordingListener::WaitForOpen() {
  return Eventually([this] { return opened(); });
}
bool RecordingListener::WaitForClosed() {
  return Eventually([this] { return closes() > 0; });
}
bool RecordingListener::WaitForTexts(size_t count) {
  return Eventually([this, count] { return texts().size() >= count; });
}

net::WsConnection* RecordingListener::connection() const {
  base::MutexLock lock(mutex_);
  return connection_;
}
bool RecordingListener::opened() const { return connection() != nullptr; }
std::vector<std::string> RecordingListener::texts() const {
  base::MutexLock lock(mutex_);
  return texts_;
}
std::vector<size_t> RecordingListener::binaries() const {
  base::MutexLock lock(mutex_);
  return binaries_;
}
int RecordingListener::closes() const {
  base::MutexLock lock(mutex_);
  return closes_;
}
net::WsClose RecordingListener::close() const {
  base::MutexLock lock(mutex_);
  return close_;
}

int FunctionDelegate::LoopFor(absl::string_view method, absl::string_view target) {
  return loop_for ? loop_for(method, target) : -1;
}

void FunctionDelegate::OnRequest(int loop, const base::HttpRequest& request, Respond respond) {
  if (on_request) return on_request(loop, request, std::move(respond));
  base::HttpResponse response;
  response.body = absl::StrCat(request.method, " ", request.target, " on ", loop, ": ", request.body);
  respond(response);
}

net::UpgradeDecision FunctionDelegate::OnUpgrade(int loop, const base::HttpRequest& request) {
  return on_upgrade ? on_upgrade(loop, request) : net::UpgradeDecision();
}

}  // namespace callbridge::testing
