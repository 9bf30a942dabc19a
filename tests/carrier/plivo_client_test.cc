#include "src/carrier/plivo_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/mutex.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"
#include "tests/net/peers.h"

namespace callbridge::carrier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kUuid[] = "6f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10";

// A REST API over a real socket that answers with the statuses given, the last one for ever.
class Api {
 public:
  Api() : loop_(net::EventLoop::Start("api")) {
    delegate_.on_request = [this](int, const base::HttpRequest& request, net::ServerDelegate::Respond respond) {
      base::HttpResponse response;
      {
        base::MutexLock lock(mutex_);
        seen_.push_back(absl::StrCat(request.method, " ", request.target));
        last_ = request;
        response.status = statuses_.empty() ? 200 : statuses_.front();
        if (statuses_.size() > 1) statuses_.erase(statuses_.begin());
        response.body = body_;
      }
      response.content_type = "application/json";
      respond(response);
    };
    net::ServerOptions options;
    auto started = net::Server::Start(options, {loop_.get()}, delegate_);
    server_ = *std::move(started);
  }
  ~Api() {
    server_->Stop();
    loop_->Stop();
  }

  void Answer(std::vector<int> statuses, std::string body) {
    base::MutexLock lock(mutex_);
    statuses_ = std::move(statuses);
    body_ = std::move(body);
  }
  std::vector<std::string> seen() {
    base::MutexLock lock(mutex_);
    return seen_;
  }
  base::HttpRequest last() {
    base::MutexLock lock(mutex_);
    return last_;
  }
  int port() const { return server_->port(); }

 private:
  std::unique_ptr<net::EventLoop> loop_;
  testing::FunctionDelegate delegate_;
  base::Mutex mutex_;
  std::vector<int> statuses_ ABSL_GUARDED_BY(mutex_);
  std::string body_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> seen_ ABSL_GUARDED_BY(mutex_);
  base::HttpRequest last_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<net::Server> server_;
};

class PlivoClientTest : public ::testing::Test {
 protected:
  static std::unique_ptr<CarrierApi> ClientOf(int port) {
    PlivoOptions options;
    options.api_url = absl::StrCat("http://127.0.0.1:", port);
    options.auth_id = "MA1";
    options.auth_token = "secret";
    options.request_timeout = absl::Milliseconds(700);
    options.retry_pause = absl::Milliseconds(5);
    return MakePlivoClient(options);
  }
  static CarrierApi::Dial ADial() {
    CarrierApi::Dial dial;
    dial.from = "+14155550100";
    dial.to = "+14155550122";
    dial.answer_url = "https://h/answer?call=t";
    dial.ring_url = "https://h/ring?call=t";
    dial.hangup_url = "https://h/hangup?call=t";
    return dial;
  }

  Api api_;
  std::unique_ptr<CarrierApi> client_ = ClientOf(api_.port());
};

TEST_F(PlivoClientTest, PlacesACall) {
  api_.Answer({201}, R"({"message":"call fired","request_uuid":"r-1","api_id":"a"})");
  const auto placed = client_->Place(ADial());
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_EQ(*placed, "r-1");
  EXPECT_THAT(api_.seen(), ElementsAre("POST /v1/Account/MA1/Call/"));
  EXPECT_EQ(api_.last().Header("Authorization"), "Basic TUExOnNlY3JldA==");
  EXPECT_THAT(api_.last().body, HasSubstr("\"https://h/hangup?call=t\""));
}

TEST_F(PlivoClientTest, ListensForMachinesOnlyWhenAsked) {
  api_.Answer({201, 201}, R"({"message":"call fired","request_uuid":"r-1","api_id":"a"})");
  CarrierApi::Dial dial = ADial();
  ASSERT_TRUE(client_->Place(dial).ok());
  EXPECT_THAT(api_.last().body, Not(HasSubstr("machine_detection")));
  dial.machine_detection_url = "https://h/amd?call=t";
  dial.machine_detection_time = absl::Milliseconds(3500);
  ASSERT_TRUE(client_->Place(dial).ok());
  for (const char* part :
       {R"("machine_detection":"true")", R"("machine_detection_time":3500)",
        R"("machine_detection_url":"https://h/amd?call=t")", R"("machine_detection_method":"POST")"}) {
    EXPECT_THAT(api_.last().body, HasSubstr(part));
  }
}

TEST_F(PlivoClientTest, ADialIsAskedForOnceWhateverIsAnswered) {
  const struct {
    int status;
    absl::StatusCode code;
  } rows[] = {{400, absl::StatusCode::kInvalidArgument},  {401, absl::StatusCode::kUnauthenticated},
              {403, absl::StatusCode::kPermissionDenied}, {429, absl::StatusCode::kResourceExhausted},
              {500, absl::StatusCode::kUnknown},          {503, absl::StatusCode::kUnknown}};
  size_t requests = 0;
  for (const auto& row : rows) {
    api_.Answer({row.status}, R"({"error":"no"})");
    EXPECT_EQ(client_->Place(ADial()).status().code(), row.code) << row.status;
    EXPECT_EQ(api_.seen().size(), ++requests) << "a POST is never repeated";
  }
  // 201 without an id: the phone may ring.
  api_.Answer({201}, "{}");
  EXPECT_EQ(client_->Place(ADial()).status().code(), absl::StatusCode::kUnknown);
}

TEST_F(PlivoClientTest, NotSentAndNotAnsweredAreToldApart) {
  const int nobody = [] {
    testing::RawListener listener;
    return listener.port();
  }();
  EXPECT_EQ(ClientOf(nobody)->Place(ADial()).status().code(), absl::StatusCode::kUnavailable)
      << "nobody listens: not sent";
  // Takes the request and never answers.
  testing::RawListener silent;
  EXPECT_EQ(ClientOf(silent.port())->Place(ADial()).status().code(), absl::StatusCode::kUnknown);
}

TEST_F(PlivoClientTest, HangsUpOneLegAndNeverTheAccount) {
  for (const char* id : {"", "/", "..", "a/b", "*", "Call", "6f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10/../"}) {
    EXPECT_EQ(client_->HangUp(id).code(), absl::StatusCode::kInvalidArgument) << id;
    EXPECT_EQ(client_->Transfer(id, "https://h/t").code(), absl::StatusCode::kInvalidArgument) << id;
  }
  EXPECT_THAT(api_.seen(), IsEmpty());
  api_.Answer({204}, "");
  EXPECT_TRUE(client_->HangUp(kUuid).ok());
  EXPECT_THAT(api_.seen(), ElementsAre(absl::StrCat("DELETE /v1/Account/MA1/Call/", kUuid, "/")));
}

TEST_F(PlivoClientTest, AHangUpIsRepeatedAndOneThatIsGoneIsDone) {
  api_.Answer({500, 503, 204}, "");
  EXPECT_TRUE(client_->HangUp(kUuid).ok());
  EXPECT_EQ(api_.seen().size(), 3u);
  api_.Answer({404}, "{}");
  EXPECT_TRUE(client_->HangUp(kUuid).ok());
  EXPECT_EQ(api_.seen().size(), 4u);
  api_.Answer({500}, "");
  EXPECT_FALSE(client_->HangUp(kUuid).ok());
  EXPECT_EQ(api_.seen().size(), 7u) << "three tries, then it is left";
}

TEST_F(PlivoClientTest, TransfersOnce) {
  api_.Answer({202}, R"({"message":"call transferred","api_id":"a"})");
  EXPECT_TRUE(client_->Transfer(kUuid, "https://h/transfer/t").ok());
  EXPECT_THAT(api_.last().body, HasSubstr("https://h/transfer/t"));
  api_.Answer({404}, "{}");
  EXPECT_EQ(client_->Transfer(kUuid, "https://h/transfer/t").code(), absl::StatusCode::kNotFound);
  api_.Answer({500}, "");
  EXPECT_EQ(client_->Transfer(kUuid, "https://h/transfer/t").code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(api_.seen().size(), 3u);
}

}  // namespace
}  // namespace callbridge::carrier
