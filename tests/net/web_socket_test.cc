#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"
#include "tests/net/peers.h"

namespace callbridge::net {
namespace {

using ::callbridge::testing::Eventually;
using ::callbridge::testing::FunctionDelegate;
using ::callbridge::testing::MaskedFrame;
using ::callbridge::testing::OnLoop;
using ::callbridge::testing::RawListener;
using ::callbridge::testing::RawPeer;
using ::callbridge::testing::RecordingListener;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// Our server on one loop; our client on another.
class WebSocketTest : public ::testing::Test {
 protected:
  WebSocketTest() {
    delegate_.on_upgrade = [this](int, const base::HttpRequest& request) {
      seen_ = request;
      UpgradeDecision decision;
      decision.listener = &served_;
      return decision;
    };
  }
  ~WebSocketTest() override {
    if (server_ != nullptr) server_->Stop();
    client_loop_->Stop();
    server_loop_->Stop();
  }

  void Start() {
    auto server = Server::Start(options_, {server_loop_.get()}, delegate_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    if (client_options_.url.empty())
      client_options_.url = absl::StrCat("ws://127.0.0.1:", server_->port(), "/media?token=1");
  }
  void Connect() {
    OnLoop(*client_loop_, [this] { connection_ = client_loop_->connector().Connect(client_options_, client_); });
  }
  void StartAndConnect() {
    Start();
    Connect();
    ASSERT_TRUE(client_.WaitForOpen());
    ASSERT_TRUE(served_.WaitForOpen());
  }
  void OnServer(std::function<void(WsConnection&)> task) {
    OnLoop(*server_loop_, [&] { task(*served_.connection()); });
  }
  void OnClient(std::function<void(WsConnection&)> task) {
    OnLoop(*client_loop_, [&] { task(*connection_); });
  }
  // Connects to a port that is not ours and returns why that failed.
  WsClose FailureOf(const std::string& url) {
    client_options_.url = url;
    Connect();
    EXPECT_TRUE(client_.WaitForClosed());
    EXPECT_FALSE(client_.opened());
    EXPECT_EQ(client_.closes(), 1);
    return client_.close();
  }

  ServerOptions options_;
  WsClientOptions client_options_;
  FunctionDelegate delegate_;
  base::HttpRequest seen_;
  RecordingListener served_;
  RecordingListener client_;
  std::unique_ptr<EventLoop> server_loop_ = EventLoop::Start("server");
  std::unique_ptr<EventLoop> client_loop_ = EventLoop::Start("client");
  std::unique_ptr<Server> server_;
  std::shared_ptr<WsConnection> connection_;
};

TEST_F(WebSocketTest, CarriesTextOfAllSizesBothWays) {
  client_options_.headers = {{"Authorization", "Bearer secret"}, {"X-Two", "2"}};
  options_.max_message_bytes = 1 << 20;
  StartAndConnect();
  EXPECT_EQ(seen_.target, "/media?token=1");
  EXPECT_EQ(std::string(seen_.Header("authorization")), "Bearer secret");
  std::vector<std::string> messages;
  for (const size_t size : {0, 1, 125, 126, 127, 65535, 65536, 300000})
    messages.push_back(std::string(size, 'a' + size % 26));
  OnClient([&](WsConnection& connection) {
    for (const auto& message : messages) {
      EXPECT_TRUE(connection.Send({absl::string_view(message).substr(0, 3), "",
                                   absl::string_view(message).substr(std::min<size_t>(3, message.size()))}));
    }
  });
  OnServer([&](WsConnection& connection) {
    for (const auto& message : messages) EXPECT_TRUE(connection.Send({message}));
  });
  ASSERT_TRUE(served_.WaitForTexts(messages.size()));
  ASSERT_TRUE(client_.WaitForTexts(messages.size()));
  EXPECT_EQ(served_.texts(), messages);
  EXPECT_EQ(client_.texts(), messages);
}

TEST_F(WebSocketTest, SendsFromOnOpenBothSides) {
  served_.on_open = [](WsConnection& connection) { EXPECT_TRUE(connection.Send({"from ", "server"})); };
  client_.on_open = [](WsConnection& connection) { EXPECT_TRUE(connection.Send({"from ", "client"})); };
  StartAndConnect();
  ASSERT_TRUE(served_.WaitForTexts(1));
  ASSERT_TRUE(client_.WaitForTexts(1));
  EXPECT_THAT(served_.texts(), ElementsAre("from client"));
  EXPECT_THAT(client_.texts(), ElementsAre("from server"));
}

TEST_F(WebSocketTest, NothingIsLostThatComesWithTheUpgradeRequest) {
  Start();
  RawPeer peer(server_->port());
  peer.Send(absl::StrCat(
      "GET / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: "
      "13\r\n",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", MaskedFrame(1, "one"), MaskedFrame(1, "two")));
  EXPECT_THAT(peer.ReceiveHead(), HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
  ASSERT_TRUE(served_.WaitForTexts(2));
  EXPECT_THAT(served_.texts(), ElementsAre("one", "two"));
}

TEST_F(WebSocketTest, NothingIsLostThatComesWithTheUpgradesAnswer) {
  // Found by asking our own server what the accept key is: the client must not see that this peer is another.
  Start();
  RawListener listener;
  client_options_.url = absl::StrCat("ws://127.0.0.1:", listener.port(), "/");
  Connect();
  RawPeer peer = listener.Accept();
  const std::string request = peer.ReceiveHead();
  RawPeer real(server_->port());
  real.Send(request);
  std::string answer = real.ReceiveHead();
  ASSERT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  peer.Send(answer + std::string("\x81\x03one\x81\x03two", 10));
  ASSERT_TRUE(client_.WaitForTexts(2));
  EXPECT_THAT(client_.texts(), ElementsAre("one", "two"));
}

TEST_F(WebSocketTest, ReportsBinaryWithoutItsContent) {
  Start();
  RawPeer peer(server_->port());
  peer.Upgrade("/");
  peer.Send(MaskedFrame(2, "12345"));
  ASSERT_TRUE(Eventually([&] { return !served_.binaries().empty(); }));
  EXPECT_THAT(served_.binaries(), ElementsAre(5));
  EXPECT_THAT(served_.texts(), IsEmpty());
}

TEST_F(WebSocketTest, ChoosesTheFirstSubprotocolOffered) {
  Start();
  RawPeer offers(server_->port());
  EXPECT_THAT(offers.Upgrade("/", "Sec-WebSocket-Protocol: audio.v2, audio.v1\r\n"),
              HasSubstr("Sec-WebSocket-Protocol: audio.v2\r\n"));
  RecordingListener second;
  delegate_.on_upgrade = [&](int, const base::HttpRequest&) {
    UpgradeDecision decision;
    decision.listener = &second;
    return decision;
  };
  RawPeer offers_none(server_->port());
  EXPECT_THAT(offers_none.Upgrade("/"), Not(HasSubstr("Sec-WebSocket-Protocol")));
  server_->Stop();
}

TEST_F(WebSocketTest, NoCompressionThoughOffered) {
  Start();
  RawPeer peer(server_->port());
  EXPECT_THAT(peer.Upgrade("/", "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
              Not(HasSubstr("Sec-WebSocket-Extensions")));
}

TEST_F(WebSocketTest, SetsNoDelayOnAcceptedAndConnectedSockets) {
  StartAndConnect();
  int checked = 0;
  for (int fd = 3; fd < 256; ++fd) {
    sockaddr_in local{}, remote{};
    socklen_t size = sizeof(local), remote_size = sizeof(remote);
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0 || local.sin_family != AF_INET) continue;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &remote_size) != 0) continue;
    int no_delay = 0;
    socklen_t option_size = sizeof(no_delay);
    ASSERT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &option_size), 0);
    EXPECT_NE(no_delay, 0) << "from port " << ntohs(local.sin_port) << " to " << ntohs(remote.sin_port);
    ++checked;
  }
  EXPECT_EQ(checked, 2);
}

TEST_F(WebSocketTest, ClosingHandshakeFromTheServer) {
  StartAndConnect();
  OnServer([](WsConnection& connection) {
    connection.Close(1001, "going");
    connection.Close(1011, "not this");
    EXPECT_FALSE(connection.Send({"late"}));
  });
  ASSERT_TRUE(client_.WaitForClosed());
  ASSERT_TRUE(served_.WaitForClosed());
  EXPECT_EQ(client_.close().code, 1001);
  EXPECT_EQ(client_.close().reason, "going");
  EXPECT_TRUE(client_.close().opened);
  EXPECT_FALSE(client_.close().by_us);
  EXPECT_EQ(served_.close().code, 1001);
  EXPECT_EQ(served_.close().reason, "going");
  EXPECT_TRUE(served_.close().by_us);
}

TEST_F(WebSocketTest, ClosingHandshakeFromTheClient) {
  StartAndConnect();
  OnClient([](WsConnection& connection) {
    EXPECT_TRUE(connection.Send({"before the close"}));
    connection.Close(1000, "bye");
  });
  ASSERT_TRUE(client_.WaitForClosed());
  ASSERT_TRUE(served_.WaitForClosed());
  EXPECT_THAT(served_.texts(), ElementsAre("before the close"));
  EXPECT_EQ(served_.close().code, 1000);
  EXPECT_EQ(served_.close().reason, "bye");
  EXPECT_FALSE(served_.close().by_us);
  EXPECT_EQ(client_.close().code, 1000);
  EXPECT_TRUE(client_.close().by_us);
  EXPECT_EQ(client_.closes(), 1);
  EXPECT_EQ(served_.closes(), 1);
}

TEST_F(WebSocketTest, CutsAPeerThatDoesNotAnswerTheClose) {
  Start();
  RawPeer peer(server_->port());
  peer.Upgrade("/");
  ASSERT_TRUE(served_.WaitForOpen());
  OnServer([](WsConnection& connection) { connection.Close(1000, ""); });
  ASSERT_TRUE(served_.WaitForClosed());
  EXPECT_EQ(served_.close().code, 1006);
  EXPECT_TRUE(served_.close().by_us);
  int opcode = 0;
  peer.ReceiveFrame(&opcode);
  EXPECT_EQ(opcode, 8);
  EXPECT_EQ(peer.ReceiveAll(), "");
}

TEST_F(WebSocketTest, AnAbruptEndIs1006) {
  Start();
  RawPeer peer(server_->port());
  peer.Upgrade("/");
  ASSERT_TRUE(served_.WaitForOpen());
  peer.Reset();
  ASSERT_TRUE(served_.WaitForClosed());
  EXPECT_EQ(served_.close().code, 1006);
  EXPECT_TRUE(served_.close().opened);
  EXPECT_FALSE(served_.close().by_us);
}

TEST_F(WebSocketTest, AnEndWithoutCloseFrameIs1006) {
  Start();
  RawPeer peer(server_->port());
  peer.Upgrade("/");
  ASSERT_TRUE(served_.WaitForOpen());
  peer.Close();
  ASSERT_TRUE(served_.WaitForClosed());
  EXPECT_EQ(served_.close().code, 1006);
}

TEST_F(WebSocketTest, AbortCutsAndDeliversNothingMore) {
  client_.on_text = [](WsConnection& connection, absl::string_view) { connection.Abort(); };
  served_.on_open = [](WsConnection& connection) {
    for (int i = 0; i < 5; ++i) connection.Send({"message"});
  };
  StartAndConnect();
  ASSERT_TRUE(client_.WaitForClosed());
  ASSERT_TRUE(served_.WaitForClosed());
  EXPECT_EQ(client_.texts().size(), 1);
  EXPECT_EQ(client_.close().code, 1006);
  EXPECT_TRUE(client_.close().by_us);
  EXPECT_EQ(served_.close().code, 1006);
}

TEST_F(WebSocketTest, AbortFromOnOpenAndOnBothSides) {
  served_.on_open = [](WsConnection& connection) {
    connection.Abort();
    connection.Abort();
    connection.Close(1000, "");
    EXPECT_FALSE(connection.Send({"x"}));
  };
  Start();
  Connect();
  ASSERT_TRUE(served_.WaitForClosed());
  ASSERT_TRUE(client_.WaitForClosed());
  EXPECT_EQ(served_.closes(), 1);
  EXPECT_TRUE(served_.close().by_us);
}

TEST_F(WebSocketTest, ADetachedListenerHearsNothing) {
  StartAndConnect();
  OnClient([](WsConnection& connection) {
    connection.Detach();
    connection.Close(1000, "");
  });
  ASSERT_TRUE(served_.WaitForClosed());
  OnLoop(*client_loop_, [] {});
  client_loop_->Stop();
  EXPECT_EQ(client_.closes(), 0);
}

TEST_F(WebSocketTest, ALargeMessageCloses1009AndThePeerLearnsIt) {
  options_.max_message_bytes = 1000;
  StartAndConnect();
  OnClient([](WsConnection& connection) {
    EXPECT_TRUE(connection.Send({std::string(1000, 'x')}));
    EXPECT_TRUE(connection.Send({std::string(500000, 'x')}));
  });
  ASSERT_TRUE(client_.WaitForClosed());
  ASSERT_TRUE(served_.WaitForClosed());
  EXPECT_EQ(served_.texts().size(), 1);
  EXPECT_EQ(served_.close().code, 1009);
  EXPECT_EQ(client_.close().code, 1009);
}

TEST_F(WebSocketTest, TextThatIsNotUtf8Closes1007) {
  Start();
  RawPeer peer(server_->port());
  peer.Upgrade("/");
  peer.Send(MaskedFrame(1, "\xff\xfe"));
  ASSERT_TRUE(served_.WaitForClosed());
  EXPECT_EQ(served_.close().code, 1007);
  EXPECT_THAT(served_.texts(), IsEmpty());
}

TEST_F(WebSocketTest, CountsWhatThePeerHasNotTakenAndRefusesBeyondTheLimit) {
  options_.max_unsent_bytes = 20 << 20;
  Start();
  RawPeer peer(server_->port());
  peer.Upgrade("/");
  ASSERT_TRUE(served_.WaitForOpen());
  const std::string megabyte(1 << 20, 'x');
  size_t accepted = 0;
  OnServer([&](WsConnection& connection) {
    EXPECT_EQ(connection.unsent_bytes(), 0);
    while (accepted < 19) accepted += connection.Send({megabyte}) ? 1 : 100;
  });
  ASSERT_EQ(accepted, 19);
  // The loop has begun to write: by the library's count nothing is left unsent, though the peer has read nothing. The
  // kernel's buffers hold a few megabytes at most.
  OnLoop(*server_loop_, [] {});
  OnServer([&](WsConnection& connection) {
    EXPECT_GE(connection.unsent_bytes(), 19 * megabyte.size());
    EXPECT_TRUE(connection.Send({absl::string_view(megabyte).substr(0, 1000)}));
    EXPECT_FALSE(connection.Send({megabyte}));
    EXPECT_LT(connection.unsent_bytes(), 20 * megabyte.size());
  });
  // The peer reads all: everything accepted arrives, and the count returns to zero.
  const size_t expected = 19 * (megabyte.size() + 10) + 1000 + 4;
  EXPECT_EQ(peer.Receive(expected).size(), expected);
  EXPECT_TRUE(Eventually([&] {
    size_t unsent = 1;
    OnServer([&](WsConnection& connection) { unsent = connection.unsent_bytes(); });
    return unsent == 0;
  }));
  OnServer([&](WsConnection& connection) { EXPECT_TRUE(connection.Send({megabyte})); });
}

TEST_F(WebSocketTest, APeerThatPingsWithoutReadingCannotFillTheMemory) {
  options_.max_unsent_bytes = 10000;
  Start();
  RawPeer peer(server_->port());
  peer.Upgrade("/");
  ASSERT_TRUE(served_.WaitForOpen());
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += MaskedFrame(9, std::string(125, 'p'));
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(peer.Send(pings));
  peer.Send(MaskedFrame(1, "still there"));
  ASSERT_TRUE(served_.WaitForTexts(1));
  OnServer([](WsConnection& connection) { EXPECT_LE(connection.unsent_bytes(), 10200); });
}

TEST_F(WebSocketTest, AnswersPingsAndSendsItsOwn) {
  options_.health.ping_after = absl::Milliseconds(10);
  Start();
  RawPeer peer(server_->port());
  peer.Upgrade("/");
  int opcode = 0;
  peer.ReceiveFrame(&opcode);
  EXPECT_EQ(opcode, 9);
  peer.Send(MaskedFrame(9, "are you there"));
  std::string payload;
  for (int i = 0; i < 1000 && opcode != 10; ++i) payload = peer.ReceiveFrame(&opcode);
  EXPECT_EQ(opcode, 10);
  EXPECT_EQ(payload, "are you there");
}

TEST_F(WebSocketTest, APongCountsAsHeard) {
  options_.health.ping_after = absl::ZeroDuration();
  client_options_.health.ping_after = absl::Milliseconds(5);  // Our server answers; nothing else is ever sent.
  StartAndConnect();
  const auto heard = [&] {
    absl::Time at;
    OnClient([&](WsConnection& connection) { at = connection.last_heard(); });
    return at;
  };
  const absl::Time first = heard();
  EXPECT_TRUE(Eventually([&] { return heard() > first; }));
}

TEST_F(WebSocketTest, AServerGivesUpAPeerThatIsSilent) {
  options_.health = {absl::Milliseconds(10), absl::Milliseconds(40)};
  Start();
  RawPeer peer(server_->port());
  peer.Upgrade("/");
  ASSERT_TRUE(served_.WaitForClosed());
  const WsClose close = served_.close();
  EXPECT_TRUE(close.opened);
  EXPECT_EQ(close.code, 1006);
  EXPECT_EQ(close.error, "nothing heard for 40ms");
  EXPECT_FALSE(close.by_us);
  EXPECT_THAT(peer.ReceiveAll(), StartsWith(std::string("\x89\x00", 2))) << "it was asked first, and then cut";
  EXPECT_EQ(served_.closes(), 1);
}

TEST_F(WebSocketTest, AClientGivesUpAPeerThatIsSilent) {
  Start();
  RawListener listener;
  client_options_.url = absl::StrCat("ws://127.0.0.1:", listener.port(), "/");
  client_options_.health = {absl::Milliseconds(10), absl::Milliseconds(40)};
  Connect();
  RawPeer peer = listener.Accept();
  RawPeer real(server_->port());
  real.Send(peer.ReceiveHead());
  peer.Send(real.ReceiveHead());
  ASSERT_TRUE(client_.WaitForClosed());
  EXPECT_TRUE(client_.opened());
  EXPECT_EQ(client_.close().code, 1006);
  EXPECT_EQ(client_.close().error, "nothing heard for 40ms");
}

TEST_F(WebSocketTest, APeerThatAnswersNoPingsButSpeaksIsAlive) {
  options_.health = {absl::Milliseconds(200), absl::Seconds(1)};
  Start();
  RawPeer peer(server_->port());
  peer.Upgrade("/");
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(peer.Send(MaskedFrame(1, "media")));
    absl::SleepFor(absl::Milliseconds(50));
  }
  EXPECT_TRUE(served_.WaitForTexts(30));
  EXPECT_EQ(served_.closes(), 0);
}

TEST_F(WebSocketTest, PeersThatOnlyAnswerPingsAreAlive) {
  options_.health = {absl::Milliseconds(100), absl::Seconds(1)};
  client_options_.health = {absl::Milliseconds(150), absl::Seconds(1)};
  StartAndConnect();
  absl::SleepFor(absl::Milliseconds(1500));
  EXPECT_EQ(served_.closes(), 0);
  EXPECT_EQ(client_.closes(), 0);
}

TEST_F(WebSocketTest, PingsEndWithTheConnection) {
  client_options_.health.ping_after = absl::Milliseconds(1);
  options_.health.ping_after = absl::Milliseconds(1);
  StartAndConnect();
  OnClient([](WsConnection& connection) { connection.Close(1000, ""); });
  ASSERT_TRUE(client_.WaitForClosed());
  ASSERT_TRUE(served_.WaitForClosed());
  // Timers that were armed meet a connection that is gone; ASan would tell.
  for (int i = 0; i < 10; ++i) {
    OnLoop(*client_loop_, [] { absl::SleepFor(absl::Milliseconds(1)); });
    OnLoop(*server_loop_, [] {});
  }
  EXPECT_EQ(client_.closes(), 1);
}

TEST_F(WebSocketTest, ARefusedUpgradeTellsTheClientItsStatus) {
  delegate_.on_upgrade = [](int, const base::HttpRequest&) {
    UpgradeDecision decision;
    decision.refusal.status = 401;
    decision.refusal.headers = {{"WWW-Authenticate", "Bearer"}};
    decision.refusal.body = "who are you?";
    return decision;
  };
  Start();
  Connect();
  ASSERT_TRUE(client_.WaitForClosed());
  EXPECT_FALSE(client_.close().opened);
  EXPECT_EQ(client_.close().http_status, 401);
  EXPECT_EQ(client_.close().code, 0);
  EXPECT_EQ(client_.close().error, "upgrade refused: 401 Unauthorized");
  RawPeer peer(server_->port());
  const std::string head = peer.Upgrade("/");
  EXPECT_THAT(head, HasSubstr("WWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(head, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(peer.ReceiveAll(), "who are you?");
}

TEST_F(WebSocketTest, ARefusalWithoutAStatusIs403) {
  delegate_.on_upgrade = [](int, const base::HttpRequest&) { return UpgradeDecision(); };
  Start();
  Connect();
  ASSERT_TRUE(client_.WaitForClosed());
  EXPECT_EQ(client_.close().http_status, 403);
}

TEST_F(WebSocketTest, StopDeliversOnClosedBeforeItReturns) {
  StartAndConnect();
  server_->Stop();
  EXPECT_EQ(served_.closes(), 1);
  EXPECT_EQ(served_.close().code, 1006);
  EXPECT_TRUE(served_.close().by_us);
  ASSERT_TRUE(client_.WaitForClosed());
}

TEST_F(WebSocketTest, ALoopThatStopsClosesItsConnections) {
  StartAndConnect();
  client_loop_->Stop();
  EXPECT_EQ(client_.closes(), 1);
  ASSERT_TRUE(served_.WaitForClosed());
  server_loop_->Stop();
  server_->Stop();
  EXPECT_EQ(served_.closes(), 1);
}

TEST_F(WebSocketTest, AClientClosedBeforeItOpens) {
  RawListener silent;
  client_options_.url = absl::StrCat("ws://127.0.0.1:", silent.port(), "/");
  Connect();
  RawPeer peer = silent.Accept();
  OnClient([](WsConnection& connection) { connection.Close(1000, ""); });
  ASSERT_TRUE(client_.WaitForClosed());
  EXPECT_FALSE(client_.opened());
  EXPECT_TRUE(client_.close().by_us);
  EXPECT_EQ(client_.close().code, 0);
  EXPECT_EQ(client_.close().error, "closed before it opened");
}

TEST_F(WebSocketTest, NothingIsHeardInsideConnect) {
  bool inside = true, heard_inside = false;
  client_.on_closed = [&] { heard_inside = inside; };
  OnLoop(*client_loop_, [&] {
    client_options_.url = "nonsense";
    connection_ = client_loop_->connector().Connect(client_options_, client_);
    inside = false;
  });
  ASSERT_TRUE(client_.WaitForClosed());
  EXPECT_FALSE(heard_inside);
}

TEST_F(WebSocketTest, SaysWhyAUrlIsBad) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "url"},
      {"nonsense", "ws://"},
      {"https://host/", "ws://"},
      {"ws://", "url"},
      {"ws:///path", "url"},
      {"ws://host:port/", "url"},
      {"ws://user:secret@host/", "url"},
      {"ws://host/with blank", "url"},
      {"ws://host/with\r\nX: header", "url"},
  };
  for (const auto& [url, part] : rows) {
    SCOPED_TRACE(url);
    RecordingListener listener;
    WsClientOptions options;
    options.url = url;
    OnLoop(*client_loop_, [&] { client_loop_->connector().Connect(options, listener); });
    ASSERT_TRUE(listener.WaitForClosed());
    EXPECT_THAT(listener.close().error, HasSubstr(part));
    EXPECT_FALSE(listener.opened());
  }
}

TEST_F(WebSocketTest, SaysWhichHeaderIsBad) {
  client_options_.headers = {{"Bad Name", "x"}};
  EXPECT_THAT(FailureOf("ws://127.0.0.1:1/").error, HasSubstr("Bad Name"));
}

TEST_F(WebSocketTest, RefusesAHeaderValueOfTwoLines) {
  client_options_.headers = {{"X-A", "x\r\nX-B: y"}};
  EXPECT_THAT(FailureOf("ws://127.0.0.1:1/").error, HasSubstr("X-A"));
}

TEST_F(WebSocketTest, SaysThatTheConnectionWasRefused) {
  int port;
  { port = RawListener().port(); }
  const WsClose close = FailureOf(absl::StrCat("ws://127.0.0.1:", port, "/"));
  EXPECT_THAT(close.error, HasSubstr("refused"));
  EXPECT_THAT(close.error, HasSubstr(absl::StrCat("127.0.0.1:", port)));
  EXPECT_EQ(close.http_status, 0);
  EXPECT_FALSE(close.by_us);
}

TEST_F(WebSocketTest, SaysThatTheNameIsUnknown) {
  EXPECT_THAT(FailureOf("ws://name.invalid/").error, HasSubstr("name lookup"));
}

TEST_F(WebSocketTest, SaysThatNobodyAnsweredTheUpgrade) {
  RawListener silent;
  client_options_.connect_timeout = absl::Milliseconds(50);
  EXPECT_EQ(FailureOf(absl::StrCat("ws://127.0.0.1:", silent.port(), "/")).error,
            "timed out: no answer to the upgrade");
}

TEST_F(WebSocketTest, SaysThatTheTlsHandshakeTookTooLong) {
  RawListener silent;
  client_options_.connect_timeout = absl::Milliseconds(50);
  EXPECT_EQ(FailureOf(absl::StrCat("wss://127.0.0.1:", silent.port(), "/")).error, "timed out: TLS handshake");
}

TEST_F(WebSocketTest, SaysThatThePeerIsNoWebSocketServer) {
  delegate_.on_upgrade = nullptr;
  RawListener listener;
  client_options_.url = absl::StrCat("ws://127.0.0.1:", listener.port(), "/");
  Connect();
  RawPeer peer = listener.Accept();
  peer.ReceiveHead();
  peer.Send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
      "no\r\n\r\n");
  ASSERT_TRUE(client_.WaitForClosed());
  EXPECT_FALSE(client_.opened());
  EXPECT_THAT(client_.close().error, HasSubstr("upgrade failed"));
}

TEST_F(WebSocketTest, SaysThatThePeerHungUp) {
  RawListener listener;
  client_options_.url = absl::StrCat("ws://127.0.0.1:", listener.port(), "/");
  Connect();
  RawPeer peer = listener.Accept();
  peer.ReceiveHead();
  peer.Close();
  ASSERT_TRUE(client_.WaitForClosed());
  EXPECT_THAT(client_.close().error, HasSubstr("closed the connection"));
}

TEST_F(WebSocketTest, ConnectsByName) {
  Start();
  client_options_.url = absl::StrCat("ws://localhost:", server_->port(), "/");
  Connect();
  EXPECT_TRUE(client_.WaitForOpen());
  ASSERT_TRUE(served_.WaitForOpen());
}

TEST_F(WebSocketTest, SurvivesItsOwnerLettingGo) {
  StartAndConnect();
  OnLoop(*client_loop_, [&] { connection_ = nullptr; });
  OnServer([](WsConnection& connection) { connection.Send({"still"}); });
  ASSERT_TRUE(client_.WaitForTexts(1));
}

}  // namespace
}  // namespace callbridge::net
