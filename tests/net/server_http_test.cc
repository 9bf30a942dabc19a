#include <sys/socket.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/net/server.h"
#include "tests/net/peers.h"

namespace callbridge::net {
namespace {

using ::callbridge::testing::Eventually;
using ::callbridge::testing::FunctionDelegate;
using ::callbridge::testing::OnLoop;
using ::callbridge::testing::RawPeer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

class ServerHttpTest : public ::testing::Test {
 protected:
  void Start() {
    auto server = Server::Start(options_, {loops_[0].get(), loops_[1].get()}, delegate_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string Ask(absl::string_view request) {
    RawPeer peer(server_->port());
    peer.Send(request);
    return peer.ReceiveAll();
  }

  ServerOptions options_;
  FunctionDelegate delegate_;
  std::vector<std::unique_ptr<EventLoop>> loops_ = [] {
    std::vector<std::unique_ptr<EventLoop>> loops;
    loops.push_back(EventLoop::Start("loop-0"));
    loops.push_back(EventLoop::Start("loop-1"));
    return loops;
  }();
  std::unique_ptr<Server> server_;
};

TEST_F(ServerHttpTest, AnswersAndClosesAndSaysSo) {
  Start();
  const std::string answer = Ask("POST /answer?call=1 HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("POST /answer?call=1 on "));
  EXPECT_THAT(answer, HasSubstr(": hello"));
  EXPECT_THAT(answer, Not(HasSubstr("Server:")));
}

TEST_F(ServerHttpTest, GivesTheRequestAsItWasSent) {
  base::HttpRequest seen;
  delegate_.on_request = [&](int, const base::HttpRequest& request, ServerDelegate::Respond respond) {
    seen = request;
    base::HttpResponse response;
    response.status = 204;
    response.headers = {{"X-One", "1"}};
    respond(response);
  };
  Start();
  const std::string answer =
      Ask("PUT /a%20b?x=1&y HTTP/1.1\r\nHost: test\r\nX-B: 2\r\nx-a:  1 \r\nX-B: 3\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(answer, HasSubstr("X-One: 1\r\n"));
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.target, "/a%20b?x=1&y");
  EXPECT_EQ(seen.body, "hi");
  EXPECT_EQ(seen.peer_address, "127.0.0.1");
  EXPECT_THAT(seen.headers, ElementsAre(Pair("Host", "test"), Pair("X-B", "2"), Pair("x-a", "1"), Pair("X-B", "3"),
                                        Pair("Content-Length", "2")));
}

TEST_F(ServerHttpTest, RefusesWhatItWouldMisread) {
  options_.max_body_bytes = 1000;
  Start();
  const std::map<std::string, std::pair<std::string, std::string>> rows = {
      {"chunked", {"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "411"}},
      {"chunked and length",
       {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411"}},
      {"any encoding", {"POST / HTTP/1.1\r\nHost: t\r\ntransfer-encoding: gzip\r\n\r\n", "411"}},
      {"length not a number", {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5x\r\n\r\nhello", "400"}},
      {"negative length", {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n", "400"}},
      {"two lengths", {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi", "400"}},
      {"body too large",
       {"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'), "413"}},
      {"no host", {"GET / HTTP/1.1\r\n\r\n", "400"}},
      {"not HTTP", {"hello\r\n\r\n", "400"}},
      {"header too large", {"GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(20000, 'x') + "\r\n\r\n", "431"}},
      {"first line too large", {"GET /" + std::string(20000, 'x') + " HTTP/1.1\r\nHost: t\r\n\r\n", "431"}},
      {"folded header", {"GET / HTTP/1.1\r\nHost: t\r\nX: 1\r\n 2: 3\r\n\r\n", "400"}},
      {"blank before the colon", {"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding : chunked\r\n\r\n", "400"}},
      {"old WebSocket",
       {"GET / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key1: x\r\n\r\n",
        "426"}},
      {"WebSocket without key",
       {"GET / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "400"}},
      {"WebSocket by POST",
       {"POST / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "400"}},
  };
  delegate_.on_request = [](int, const base::HttpRequest&, ServerDelegate::Respond respond) {
    ADD_FAILURE() << "a bad request reached the application";
    respond(base::HttpResponse());
  };
  for (const auto& [name, row] : rows) {
    SCOPED_TRACE(name);
    const std::string answer = Ask(row.first);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + row.second + " "));
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 0\r\n"));
  }
}

// Closing with unread bytes would reset the connection, and the peer might never see why it was refused.
TEST_F(ServerHttpTest, ARefusalReachesAPeerThatIsStillSending) {
  Start();
  RawPeer peer(server_->port());
  ASSERT_TRUE(peer.Send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n"));
  const std::string head = peer.ReceiveHead();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(peer.Send(std::string(500000, 'x')));
  EXPECT_TRUE(peer.Send(std::string(500000, 'x')));
  EXPECT_EQ(peer.ReceiveAll(), "");
}

TEST_F(ServerHttpTest, HeadHasTheLengthButNoBody) {
  Start();
  const std::string answer = Ask("HEAD /x HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr(absl::StrCat("Content-Length: ", absl::string_view("HEAD /x on 0: ").size())));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\n"));
}

TEST_F(ServerHttpTest, AnswersLater) {
  ServerDelegate::Respond later;
  std::atomic<bool> asked{false};
  delegate_.loop_for = [](absl::string_view, absl::string_view) { return 1; };
  delegate_.on_request = [&](int, const base::HttpRequest&, ServerDelegate::Respond respond) {
    later = std::move(respond);
    asked = true;
  };
  Start();
  RawPeer peer(server_->port());
  peer.Send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return asked.load(); }));
  OnLoop(*loops_[1], [&] {
    base::HttpResponse response;
    response.body = "at last";
    later(response);
    later(response);  // Nothing.
  });
  const std::string answer = peer.ReceiveAll();
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\nat last"));
  OnLoop(*loops_[1], [&] { later(base::HttpResponse()); });  // Nothing, the connection is gone.
}

TEST_F(ServerHttpTest, AnswersForAHandlerThatDoesNot) {
  options_.response_timeout = absl::Milliseconds(50);
  ServerDelegate::Respond never;
  delegate_.loop_for = [](absl::string_view, absl::string_view) { return 0; };
  delegate_.on_request = [&](int, const base::HttpRequest&, ServerDelegate::Respond respond) { never = respond; };
  Start();
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: t\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  OnLoop(*loops_[0], [&] { never(base::HttpResponse()); });
}

TEST_F(ServerHttpTest, CutsSlowPeers) {
  options_.header_timeout = absl::Milliseconds(100);
  Start();
  RawPeer silent(server_->port());
  RawPeer first_line(server_->port());
  first_line.Send("GET / HT");
  RawPeer headers(server_->port());
  headers.Send("GET / HTTP/1.1\r\nHost: t\r\nX");
  RawPeer body(server_->port());
  body.Send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(silent.ReceiveAll(), "");
  EXPECT_EQ(first_line.ReceiveAll(), "");
  EXPECT_EQ(headers.ReceiveAll(), "");
  EXPECT_EQ(body.ReceiveAll(), "");
  // A peer that trickles is cut too: what it sends does not set the deadline anew.
  RawPeer trickle(server_->port());
  trickle.Send("GET / HTTP/1.1\r\nX: ");
  EXPECT_TRUE(Eventually([&] { return !trickle.Send("x"); }));
}

TEST_F(ServerHttpTest, AFirstLineInPiecesFindsItsLoop) {
  delegate_.loop_for = [](absl::string_view method, absl::string_view target) {
    return method == "GET" && target == "/to?loop=1" ? 1 : 0;
  };
  Start();
  RawPeer peer(server_->port());
  for (const char c : std::string("GET /to?loop=1 HTTP/1.1\r\n")) {
    peer.Send(absl::string_view(&c, 1));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // So that the pieces come apart; nothing depends on it.
  }
  peer.Send("Host: t\r\n\r\n");
  EXPECT_THAT(peer.ReceiveAll(), HasSubstr("on 1: "));
}

TEST_F(ServerHttpTest, RequestsLandOnTheLoopThatTheDelegateNames) {
  delegate_.loop_for = [](absl::string_view, absl::string_view target) { return target == "/one" ? 1 : 0; };
  std::vector<bool> on_its_thread(2);
  delegate_.on_request = [&](int loop, const base::HttpRequest&, ServerDelegate::Respond respond) {
    on_its_thread[loop] = loops_[loop]->InLoop() && !loops_[1 - loop]->InLoop();
    base::HttpResponse response;
    response.body = absl::StrCat("on ", loop);
    respond(response);
  };
  Start();
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(Ask("GET /one HTTP/1.1\r\nHost: t\r\n\r\n"), HasSubstr("on 1"));
    EXPECT_THAT(Ask("GET /zero HTTP/1.1\r\nHost: t\r\n\r\n"), HasSubstr("on 0"));
  }
  EXPECT_THAT(on_its_thread, ElementsAre(true, true));
}

TEST_F(ServerHttpTest, StopsAcceptingAtItsLimitAndGoesOn) {
  options_.max_connections = 2;
  Start();
  RawPeer one(server_->port());
  auto two = std::make_unique<RawPeer>(server_->port());
  RawPeer three(server_->port());  // Waits in the kernel's queue.
  three.Send("GET /three HTTP/1.1\r\nHost: t\r\n\r\n");
  char byte;
  EXPECT_EQ(recv(three.fd(), &byte, 1, MSG_DONTWAIT), -1);
  two->Close();
  EXPECT_THAT(three.ReceiveAll(), HasSubstr("/three"));
}

TEST_F(ServerHttpTest, SaysWhyItCannotListen) {
  Start();
  const std::string listen = absl::StrCat("127.0.0.1:", server_->port());
  const auto start = [&](const std::string& where) {
    ServerOptions options;
    options.listen = where;
    return Server::Start(options, {loops_[0].get()}, delegate_).status();
  };
  const absl::Status in_use = start(listen);
  EXPECT_EQ(in_use.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(in_use.message()), HasSubstr(listen));
  EXPECT_THAT(std::string(in_use.message()), HasSubstr("in use"));
  for (const char* bad : {"", "8080", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80",
                          "[::1]", "192.0.2.1:0"}) {
    SCOPED_TRACE(bad);
    const absl::Status status = start(bad);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("listen"));
  }
  EXPECT_EQ(Server::Start(ServerOptions(), {}, delegate_).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(start("localhost:0").ok());
}

TEST_F(ServerHttpTest, StopAcceptingRefusesNewConnectionsAndServesTheOpenOnes) {
  std::atomic<bool> asked{false};
  ServerDelegate::Respond later;
  delegate_.loop_for = [](absl::string_view, absl::string_view) { return 0; };
  delegate_.on_request = [&](int, const base::HttpRequest&, ServerDelegate::Respond respond) {
    later = respond;
    asked = true;
  };
  Start();
  RawPeer open(server_->port());
  open.Send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return asked.load(); }));
  server_->StopAccepting();
  server_->StopAccepting();
  EXPECT_LT(RawPeer(server_->port()).fd(), 0);
  OnLoop(*loops_[0], [&] { later(base::HttpResponse()); });
  EXPECT_THAT(open.ReceiveAll(), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerHttpTest, StopCutsRequestsThatAreOpen) {
  std::atomic<bool> asked{false};
  ServerDelegate::Respond later;
  delegate_.loop_for = [](absl::string_view, absl::string_view) { return 0; };
  delegate_.on_request = [&](int, const base::HttpRequest&, ServerDelegate::Respond respond) {
    later = respond;
    asked = true;
  };
  Start();
  RawPeer open(server_->port());
  open.Send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(Eventually([&] { return asked.load(); }));
  server_->Stop();
  EXPECT_EQ(open.ReceiveAll(), "");
  OnLoop(*loops_[0], [&] { later(base::HttpResponse()); });
  server_->Stop();
}

TEST_F(ServerHttpTest, TheLoopsMayStopFirst) {
  Start();
  RawPeer open(server_->port());
  open.Send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf");
  RawPeer silent(server_->port());
  loops_[0]->Stop();
  loops_[1]->Stop();
  RawPeer late(server_->port());
  late.Send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(late.ReceiveAll(), "");
  server_->Stop();
  EXPECT_EQ(silent.ReceiveAll(), "");
}

}  // namespace
}  // namespace callbridge::net
