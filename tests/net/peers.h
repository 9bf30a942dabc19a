#ifndef CALLBRIDGE_TESTS_NET_PEERS_H_
#define CALLBRIDGE_TESTS_NET_PEERS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"
#include "src/net/ws_connection.h"

namespace callbridge::testing {

// How long a test waits for what must happen before it fails; what must not happen cannot be waited for.
constexpr absl::Duration kPatience = absl::Seconds(15);

// Waits until `condition`, asked every millisecond, is true. False: it was not, in kPatience.
bool Eventually(const std::function<bool()>& condition);

// Runs `task` on the loop and waits for it.
void OnLoop(net::EventLoop& loop, std::function<void()> task);

// A plain blocking TCP peer on 127.0.0.1, for what no library would send.
class RawPeer {
 public:
  explicit RawPeer(int port);
  explicit RawPeer(int fd, bool) : fd_(fd) {}
  RawPeer(RawPeer&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  ~RawPeer() { Close(); }

  // False: the peer has closed.
  bool Send(absl::string_view bytes);
  // Up to `size` bytes; fewer at end of stream, or when nothing comes for kPatience.
  std::string Receive(size_t size);
  // To the end of the stream.
  std::string ReceiveAll();
  // Up to and with the empty line behind a head.
  std::string ReceiveHead();
  // Performs a client's upgrade; returns the answer's head.
  std::string Upgrade(absl::string_view target, absl::string_view more_headers = "");
  // One unmasked frame's payload as a client receives it (up to 64 KB); `opcode` may be null.
  std::string ReceiveFrame(int* opcode = nullptr);
  // Sends RST.
  void Reset();
  void Close();
  int fd() const { return fd_; }

 private:
  int fd_;
};

// A listening socket whose connections the test serves by hand.
class RawListener {
 public:
  RawListener();
  ~RawListener();
  int port() const { return port_; }
  RawPeer Accept();

 private:
  int fd_;
  int port_ = 0;
};

// A masked frame as a client sends it.
std::string MaskedFrame(int opcode, absl::string_view payload);

// Records what a WebSocket's listener hears. The loop writes, the test reads.
class RecordingListener : public net::WsConnection::Listener {
 public:
  // Runs inside the calls, on the loop.
  std::function<void(net::WsConnection&)> on_open;
  std::function<void(net::WsConnection&, absl::string_view)> on_text;
  std::function<void()> on_closed;

  void OnOpen(net::WsConnection& connection) override;
  void OnText(absl::string_view message) override;
  void OnBinary(size_t bytes) override;
  void OnClosed(const net::WsClose& close) override;

  bool WaitForOpen();
  bool WaitForClosed();
  bool WaitForTexts(size_t count);

  net::WsConnection* connection() const;
  bool opened() const;
  std::vector<std::string> texts() const;
  std::vector<size_t> binaries() const;
  int closes() const;
  net::WsClose close() const;

 private:
  mutable base::Mutex mutex_;
  net::WsConnection* connection_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::vector<std::string> texts_ ABSL_GUARDED_BY(mutex_);
  std::vector<size_t> binaries_ ABSL_GUARDED_BY(mutex_);
  int closes_ ABSL_GUARDED_BY(mutex_) = 0;
  net::WsClose close_ ABSL_GUARDED_BY(mutex_);
};

// A delegate made of functions. Unset: "/ok" style defaults; see the .cc.
class FunctionDelegate : public net::ServerDelegate {
 public:
  std::function<int(absl::string_view, absl::string_view)> loop_for;
  std::function<void(int, const base::HttpRequest&, Respond)> on_request;
  std::function<net::UpgradeDecision(int, const base::HttpRequest&)> on_upgrade;
  std::function<std::string(absl::string_view, absl::string_view)> relay_to;

  std::string RelayTo(absl::string_view method, absl::string_view target) override {
    return relay_to ? relay_to(method, target) : "";
  }
  int LoopFor(absl::string_view method, absl::string_view target) override;
  void OnRequest(int loop, const base::HttpRequest& request, Respond respond) override;
  net::UpgradeDecision OnUpgrade(int loop, const base::HttpRequest& request) override;
};

}  // namespace callbridge::testing

#endif  // CALLBRIDGE_TESTS_NET_PEERS_H_
