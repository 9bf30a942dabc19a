#include "src/web/web_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/fakes/http_endpoint.h"
#include "tests/net/peers.h"

namespace callbridge::web {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kSecret[] = "Bearer sk-top-secret";

TEST(CheckUrlTest, OnlyTlsAndThisMachine) {
  const struct {
    const char* name;
    const char* url;
    bool allowed;
  } rows[] = {
      {"tls", "https://tools.example.com/book?x=1", true},
      {"tls with a port", "https://tools.example.com:8443/book", true},
      {"this machine", "http://127.0.0.1:8080/", true},
      {"this machine, another address", "http://127.9.0.1/", true},
      {"this machine by name", "http://localhost:1/", true},
      {"this machine, v6", "http://[::1]:8080/", true},
      {"plain elsewhere", "http://tools.example.com/", false},
      {"a name like an address", "http://127.0.0.1.example.com/", false},
      {"an address behind a user", "http://127.0.0.1@example.com/", false},
      {"a user", "https://user@example.com/", false},
      {"a password", "https://user:pass@example.com/", false},
      {"the network's address", "http://10.0.0.1/", false},
      {"a file", "file:///etc/passwd", false},
      {"ftp", "ftp://127.0.0.1/", false},
      {"no scheme", "tools.example.com/book", false},
      {"no host", "https://", false},
      {"empty", "", false},
      {"words", "not a url", false},
  };
  for (const auto& row : rows) EXPECT_EQ(CheckUrl(row.url).ok(), row.allowed) << row.name;
  EXPECT_FALSE(CheckUrl(std::string("https://a.example.com/\0b", 24)).ok());
}

TEST(CheckUrlTest, DoesNotQuoteTheUrl) {
  EXPECT_THAT(std::string(CheckUrl("http://example.com/?key=abc").message()), Not(HasSubstr("abc")));
}

class WebClientTest : public ::testing::Test {
 protected:
  WebRequest ARequest(const std::string& url) {
    WebRequest request;
    request.url = url;
    request.headers = {{"Content-Type", "application/json"}, {"Authorization", kSecret}};
    request.body = R"({"a":1})";
    request.timeout = absl::Seconds(10);
    return request;
  }

  testing::HttpEndpoint endpoint_;
  std::unique_ptr<WebClient> client_ = MakeWebClient();
};

TEST_F(WebClientTest, PostsAndGivesTheAnswer) {
  endpoint_.SetAnswer(200, "done", {{"Retry-After", "7"}});
  const auto answer = client_->Post(ARequest(endpoint_.url("/x?y=1")));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "done");
  EXPECT_EQ(answer->Header("retry-after"), "7");
  EXPECT_EQ(answer->Header("x-none"), "");
  ASSERT_THAT(endpoint_.requests(), SizeIs(1));
  const base::HttpRequest request = endpoint_.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/x?y=1");
  EXPECT_EQ(request.body, R"({"a":1})");
  EXPECT_EQ(request.Header("Authorization"), kSecret);
  EXPECT_EQ(request.Header("Expect"), "");
}

TEST_F(WebClientTest, EveryStatusIsAnAnswerAndIsAskedForOnce) {
  size_t asked = 0;
  for (const int status : {204, 301, 302, 307, 400, 401, 404, 429, 500, 503}) {
    endpoint_.SetAnswer(status, "", {{"Location", endpoint_.url("/elsewhere")}});
    const auto answer = client_->Post(ARequest(endpoint_.url()));
    ASSERT_TRUE(answer.ok()) << status << ": " << answer.status();
    EXPECT_EQ(answer->status, status);
    EXPECT_THAT(endpoint_.requests(), SizeIs(++asked)) << "HTTP " << status << " was followed or repeated";
  }
}

TEST_F(WebClientTest, SendsABodyWithZerosAndOneThatIsEmpty) {
  WebRequest request = ARequest(endpoint_.url());
  request.body = std::string("a\0b", 3);
  ASSERT_TRUE(client_->Post(request).ok());
  EXPECT_EQ(endpoint_.requests()[0].body, std::string("a\0b", 3));
  request.body = "";
  ASSERT_TRUE(client_->Post(request).ok());
  EXPECT_EQ(endpoint_.requests()[1].method, "POST");
  EXPECT_EQ(endpoint_.requests()[1].body, "");
}

TEST_F(WebClientTest, WhatIsNoRequestIsNotSent) {
  WebRequest request = ARequest(endpoint_.url());
  request.headers.emplace_back("X-A", "b\r\nX-Injected: c");
  EXPECT_TRUE(absl::IsInvalidArgument(client_->Post(request).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(client_->Post(ARequest("http://example.com/")).status()));
  EXPECT_THAT(endpoint_.requests(), IsEmpty());
}

TEST_F(WebClientTest, NobodyListens) {
  int port = 0;
  {
    testing::RawListener listener;
    port = listener.port();
  }
  const auto answer = client_->Post(ARequest(absl::StrCat("http://127.0.0.1:", port, "/?secret=abc")));
  EXPECT_TRUE(absl::IsUnavailable(answer.status())) << answer.status();
  EXPECT_THAT(std::string(answer.status().message()), Not(HasSubstr("secret")));
}

TEST_F(WebClientTest, AServerWithoutTlsGetsNothing) {
  testing::RawListener listener;
  std::thread peer([&listener] {
    testing::RawPeer accepted = listener.Accept();
    accepted.Send("HTTP/1.1 200 OK\r\n\r\n");
    accepted.Close();
  });
  const auto answer = client_->Post(ARequest(absl::StrCat("https://127.0.0.1:", listener.port(), "/")));
  EXPECT_TRUE(absl::IsUnavailable(answer.status())) << answer.status();
  peer.join();
}

TEST_F(WebClientTest, NoAnswerInTime) {
  endpoint_.Hold();
  WebRequest request = ARequest(endpoint_.url());
  request.timeout = absl::Milliseconds(200);
  const auto answer = client_->Post(request);
  EXPECT_TRUE(absl::IsDeadlineExceeded(answer.status())) << answer.status();
  EXPECT_THAT(std::string(answer.status().message()), Not(HasSubstr("secret")));
  EXPECT_THAT(endpoint_.requests(), SizeIs(1));
}

TEST_F(WebClientTest, ABrokenConnectionLeavesItUnknown) {
  testing::RawListener listener;
  std::thread peer([&listener] {
    testing::RawPeer accepted = listener.Accept();
    accepted.ReceiveHead();
    accepted.Close();
  });
  const auto answer = client_->Post(ARequest(absl::StrCat("http://127.0.0.1:", listener.port(), "/")));
  peer.join();
  EXPECT_TRUE(absl::IsUnknown(answer.status())) << answer.status();
}

TEST_F(WebClientTest, AnAnswerThatIsTooLong) {
  endpoint_.SetAnswer(200, std::string(5000, 'x'));
  WebRequest request = ARequest(endpoint_.url());
  request.max_response_bytes = 4999;
  EXPECT_TRUE(absl::IsResourceExhausted(client_->Post(request).status()));
  request.max_response_bytes = 5000;
  EXPECT_TRUE(client_->Post(request).ok());
}

TEST_F(WebClientTest, StopEndsWhatIsUnderWayAndRefusesMore) {
  endpoint_.Hold();
  absl::StatusOr<WebResponse> answer;
  std::thread asking([&] { answer = client_->Post(ARequest(endpoint_.url())); });
  EXPECT_TRUE(testing::Eventually([&] { return endpoint_.requests().size() == 1; }));
  client_->Stop();
  asking.join();
  EXPECT_TRUE(absl::IsCancelled(answer.status())) << answer.status();
  EXPECT_TRUE(absl::IsCancelled(client_->Post(ARequest(endpoint_.url())).status()));
  EXPECT_THAT(endpoint_.requests(), SizeIs(1));
}

}  // namespace
}  // namespace callbridge::web
