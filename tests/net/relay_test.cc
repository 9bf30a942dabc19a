// Connections that one server passes on to another, over real sockets.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/log.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"
#include "tests/net/peers.h"

namespace callbridge::net {
namespace {

using ::callbridge::testing::FunctionDelegate;
using ::callbridge::testing::OnLoop;
using ::callbridge::testing::RawListener;
using ::callbridge::testing::RawPeer;
using ::callbridge::testing::RecordingListener;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kRequest[] = "GET /media-stream?token=x HTTP/1.1\r\nHost: a\r\n\r\n";

// Whether the stream of a peer that sends nothing more has an end; RawPeer::ReceiveAll() does not tell that from
// silence.
bool Ends(RawPeer& peer) {
  char byte;
  const ssize_t got = recv(peer.fd(), &byte, 1, 0);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

// A server that passes everything on to `to_`.
class RelayTest : public ::testing::Test {
 protected:
  RelayTest() {
    base::SetLogEnabled(false);
    delegate_.relay_to = [this](absl::string_view, absl::string_view) { return to_; };
    delegate_.on_request = [this](int, const base::HttpRequest&, auto respond) {
      ++asked_here_;
      respond({});
    };
  }
  ~RelayTest() override {
    if (server_ != nullptr) server_->Stop();
    loop_->Stop();
  }

  void Start() {
    auto server = Server::Start(options_, {loop_.get()}, delegate_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  void StartFor(const RawListener& owner) {
    to_ = absl::StrCat("127.0.0.1:", owner.port());
    Start();
  }

  std::unique_ptr<EventLoop> loop_ = EventLoop::Start("relay");
  FunctionDelegate delegate_;
  ServerOptions options_;
  std::string to_;
  std::atomic<int> asked_here_{0};
  std::unique_ptr<Server> server_;
};

TEST_F(RelayTest, PassesOnFromTheFirstByteAndBack) {
  RawListener owner;
  StartFor(owner);
  RawPeer carrier(server_->port());
  ASSERT_TRUE(carrier.Send(kRequest));
  RawPeer other = owner.Accept();
  EXPECT_EQ(other.Receive(sizeof(kRequest) - 1), kRequest);
  ASSERT_TRUE(other.Send("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_EQ(carrier.ReceiveHead(), "HTTP/1.1 200 OK\r\n\r\n");
  ASSERT_TRUE(carrier.Send("more"));
  EXPECT_EQ(other.Receive(4), "more");
  EXPECT_EQ(asked_here_, 0);
}

TEST_F(RelayTest, DoesNotHoldSmallPiecesBack) {
  RawListener owner;
  StartFor(owner);
  RawPeer carrier(server_->port());
  ASSERT_TRUE(carrier.Send(kRequest));
  RawPeer other = owner.Accept();
  ASSERT_EQ(other.Receive(sizeof(kRequest) - 1), kRequest);
  // With Nagle's algorithm the second piece would wait for the first's delayed acknowledgement, 40 ms each time.
  const absl::Time began = absl::Now();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(carrier.Send("a"));
    ASSERT_TRUE(carrier.Send("b"));
    ASSERT_EQ(other.Receive(2), "ab");
  }
  RecordProperty("us_per_round", static_cast<int>(absl::ToInt64Microseconds(absl::Now() - began) / 100));
}

TEST_F(RelayTest, PassesTheEndOfOneDirectionOn) {
  RawListener owner;
  StartFor(owner);
  RawPeer carrier(server_->port());
  ASSERT_TRUE(carrier.Send(kRequest));
  RawPeer other = owner.Accept();
  shutdown(carrier.fd(), SHUT_WR);
  EXPECT_EQ(other.Receive(sizeof(kRequest) - 1), kRequest);
  EXPECT_TRUE(Ends(other));
  ASSERT_TRUE(other.Send("still talking"));
  EXPECT_EQ(carrier.Receive(13), "still talking");
  other.Close();
  EXPECT_TRUE(Ends(carrier));
}

TEST_F(RelayTest, EndsWithEitherSide) {
  for (const bool carrier_dies : {true, false}) {
    SCOPED_TRACE(carrier_dies);
    RawListener owner;
    to_ = absl::StrCat("127.0.0.1:", owner.port());
    if (server_ == nullptr) Start();
    RawPeer carrier(server_->port());
    ASSERT_TRUE(carrier.Send(kRequest));
    RawPeer other = owner.Accept();
    ASSERT_EQ(other.Receive(sizeof(kRequest) - 1), kRequest);
    (carrier_dies ? carrier : other).Reset();
    EXPECT_TRUE(Ends(carrier_dies ? other : carrier));
  }
}

TEST_F(RelayTest, SaysThatTheNodeCannotBeReached) {
  struct Row {
    std::string name, to;
  };
  int closed_port = 0;
  {
    RawListener gone;
    closed_port = gone.port();
  }
  for (const Row& row : std::vector<Row>{{"nobody listens", absl::StrCat("127.0.0.1:", closed_port)},
                                         {"no such host", "nowhere.invalid:80"},
                                         {"not an address", "nowhere"},
                                         {"no port", "127.0.0.1:0"}}) {
    SCOPED_TRACE(row.name);
    to_ = row.to;
    if (server_ == nullptr) Start();
    RawPeer carrier(server_->port());
    ASSERT_TRUE(carrier.Send(kRequest));
    const std::string answer = carrier.ReceiveAll();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: 1\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    const size_t body = answer.find("\r\n\r\n") + 4;
    EXPECT_THAT(answer, HasSubstr(absl::StrCat("\r\nContent-Length: ", answer.size() - body, "\r\n")));
  }
}

TEST_F(RelayTest, DoesNotWaitLongForANodeThatDoesNotAnswer) {
  // A queue for connections that is full: the kernel drops what comes further.
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(fd, 0), 0);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  std::vector<int> queued;
  for (int i = 0; i < 4; ++i) {
    queued.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    connect(queued.back(), reinterpret_cast<sockaddr*>(&address), size);
  }
  to_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  Start();
  RawPeer carrier(server_->port());
  ASSERT_TRUE(carrier.Send(kRequest));
  EXPECT_THAT(carrier.ReceiveAll(), StartsWith("HTTP/1.1 503 "));
  for (const int each : queued) close(each);
  close(fd);
}

TEST_F(RelayTest, HoldsNoMoreThanBuffersForAReceiverThatDoesNotRead) {
  RawListener owner;
  StartFor(owner);
  RawPeer carrier(server_->port());
  ASSERT_TRUE(carrier.Send(kRequest));
  RawPeer other = owner.Accept();
  ASSERT_EQ(other.Receive(sizeof(kRequest) - 1), kRequest);
  const std::string piece(64 << 10, 'x');
  size_t sent = 0;
  // Until the kernel's buffers on both legs are full; a relay that queued would take all.
  constexpr size_t kTooMuch = 64 << 20;
  for (int idle = 0; idle < 20 && sent < kTooMuch;) {
    const ssize_t took = send(carrier.fd(), piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (took > 0) {
      sent += static_cast<size_t>(took);
      idle = 0;
    } else {
      ++idle;
      absl::SleepFor(absl::Milliseconds(10));
    }
  }
  EXPECT_LT(sent, kTooMuch);
  // The other direction flows meanwhile, and nothing is lost.
  ASSERT_TRUE(other.Send("back"));
  EXPECT_EQ(carrier.Receive(4), "back");
  size_t received = 0;
  while (received < sent) {
    const size_t got = other.Receive(std::min(sent - received, piece.size())).size();
    ASSERT_GT(got, 0u);
    received += got;
  }
}

TEST_F(RelayTest, StopCutsBothSides) {
  RawListener owner;
  StartFor(owner);
  RawPeer carrier(server_->port());
  ASSERT_TRUE(carrier.Send(kRequest));
  RawPeer other = owner.Accept();
  ASSERT_EQ(other.Receive(sizeof(kRequest) - 1), kRequest);
  server_->Stop();
  EXPECT_TRUE(Ends(other));
  EXPECT_TRUE(Ends(carrier));
}

TEST_F(RelayTest, CutsWhatIsIdleOnBothSides) {
  options_.health.dead_after = absl::Milliseconds(200);
  RawListener owner;
  StartFor(owner);
  RawPeer carrier(server_->port());
  ASSERT_TRUE(carrier.Send(kRequest));
  RawPeer other = owner.Accept();
  ASSERT_EQ(other.Receive(sizeof(kRequest) - 1), kRequest);
  // One side is enough to keep it.
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(other.Send("a"));
    ASSERT_EQ(carrier.Receive(1), "a");
    absl::SleepFor(absl::Milliseconds(20));
  }
  EXPECT_TRUE(Ends(other));
  EXPECT_TRUE(Ends(carrier));
}

TEST_F(RelayTest, CountsAgainstTheLimitOfConnections) {
  options_.max_connections = 1;
  RawListener owner;
  StartFor(owner);
  RawPeer first(server_->port());
  ASSERT_TRUE(first.Send(kRequest));
  RawPeer other = owner.Accept();
  ASSERT_EQ(other.Receive(sizeof(kRequest) - 1), kRequest);
  to_ = "";
  RawPeer second(server_->port());
  ASSERT_TRUE(second.Send(kRequest));
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_EQ(asked_here_, 0);
  first.Close();
  other.Close();
  EXPECT_THAT(second.ReceiveAll(), StartsWith("HTTP/1.1 200 "));
}

// Our own server and client with a relay between.
class RelayedWebSocketTest : public RelayTest {
 protected:
  RelayedWebSocketTest() {
    owner_delegate_.on_upgrade = [this](int, const base::HttpRequest&) {
      UpgradeDecision decision;
      decision.listener = &served_;
      return decision;
    };
    auto owner = Server::Start(ServerOptions(), {owner_loop_.get()}, owner_delegate_);
    EXPECT_TRUE(owner.ok()) << owner.status();
    owner_ = *std::move(owner);
    to_ = absl::StrCat("127.0.0.1:", owner_->port());
    Start();
    WsClientOptions client;
    client.url = absl::StrCat("ws://127.0.0.1:", server_->port(), "/media-stream?token=x");
    OnLoop(*client_loop_, [&] { connection_ = client_loop_->connector().Connect(client, client_); });
    EXPECT_TRUE(client_.WaitForOpen());
    EXPECT_TRUE(served_.WaitForOpen());
  }
  ~RelayedWebSocketTest() override {
    owner_->Stop();
    client_loop_->Stop();
    owner_loop_->Stop();
  }

  std::unique_ptr<EventLoop> owner_loop_ = EventLoop::Start("owner");
  std::unique_ptr<EventLoop> client_loop_ = EventLoop::Start("client");
  FunctionDelegate owner_delegate_;
  RecordingListener served_;
  RecordingListener client_;
  std::unique_ptr<Server> owner_;
  std::shared_ptr<WsConnection> connection_;
};

TEST_F(RelayedWebSocketTest, CarriesMessagesBothWays) {
  const std::string large(200 << 10, 'x');
  OnLoop(*client_loop_, [&] {
    EXPECT_TRUE(connection_->Send({"hello"}));
    EXPECT_TRUE(connection_->Send({large}));
  });
  ASSERT_TRUE(served_.WaitForTexts(2));
  EXPECT_THAT(served_.texts(), ElementsAre("hello", large));
  OnLoop(*owner_loop_, [&] {
    EXPECT_TRUE(served_.connection()->Send({large}));
    EXPECT_TRUE(served_.connection()->Send({"there"}));
  });
  ASSERT_TRUE(client_.WaitForTexts(2));
  EXPECT_THAT(client_.texts(), ElementsAre(large, "there"));
}

TEST_F(RelayedWebSocketTest, ClosesCleanly) {
  OnLoop(*client_loop_, [&] { connection_->Close(1000, "bye"); });
  ASSERT_TRUE(served_.WaitForClosed());
  ASSERT_TRUE(client_.WaitForClosed());
  EXPECT_EQ(served_.close().code, 1000);
  EXPECT_EQ(served_.close().reason, "bye");
  EXPECT_EQ(client_.close().code, 1000);
}

TEST_F(RelayedWebSocketTest, EndsWithTheOwner) {
  owner_->Stop();
  ASSERT_TRUE(client_.WaitForClosed());
  EXPECT_EQ(client_.close().code, 1006);
}

}  // namespace
}  // namespace callbridge::net
