// Requests against a server that is not always there.

#include "src/client/client.h"

#include "absl/time/clock.h"
#include "src/client/errors.h"
#include "tests/client/fake_server.h"

namespace callbridge::client {
namespace {

v1::StartCallRequest To(const std::string& number) {
  v1::StartCallRequest request;
  request.mutable_call()->set_to(number);
  return request;
}

FakeServer::Starts FailingAtFirst(size_t times, const grpc::Status& how) {
  return [times, how](size_t nth) { return nth < times ? how : grpc::Status::OK; };
}

TEST(Client, RepeatsARequestWithTheSameIdWhileNobodyIsThere) {
  FakeServer server(nullptr, FailingAtFirst(3, Failing(grpc::StatusCode::UNAVAILABLE, "DRAINING")));
  Client client(server.Options());
  const auto answer = client.Ask(&Calls::StartCall, To("+14155550100"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  const auto asked = server.started();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_TRUE(base::IsCanonicalUuid(asked[0].request_id())) << asked[0].request_id();
  for (const auto& each : asked) EXPECT_EQ(each.request_id(), asked[0].request_id());
  EXPECT_EQ(answer->call().name(), "calls/" + asked[0].request_id());
  EXPECT_EQ(server.authorization(), "Bearer let-me-in");

  ASSERT_TRUE(client.Ask(&Calls::StartCall, To("+14155550100")).ok());
  EXPECT_NE(server.started().back().request_id(), asked[0].request_id()) << "another request is another call";
}

TEST(Client, KeepsARequestIdThatItWasGiven) {
  FakeServer server(nullptr, FailingAtFirst(0, {}));
  v1::StartCallRequest request = To("+14155550100");
  request.set_request_id("11111111-2222-4333-8444-555555555555");
  ASSERT_TRUE(Client(server.Options()).Ask(&Calls::StartCall, request).ok());
  EXPECT_EQ(server.started()[0].request_id(), request.request_id());
}

TEST(Client, GivesUpAfterItsAttempts) {
  FakeServer server(nullptr, FailingAtFirst(99, Failing(grpc::StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE")));
  const auto answer = Client(server.Options()).Ask(&Calls::StartCall, To("+1"));
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Explain(answer.status()).reason, "STORE_UNAVAILABLE");
  EXPECT_EQ(server.started().size(), 4u);
}

TEST(Client, WaitsAsLongAsTheServerAsksAndNotBeyondTheDeadline) {
  FakeServer server(nullptr, FailingAtFirst(1, Failing(grpc::StatusCode::UNAVAILABLE, "DRAINING", {}, 300)));
  const absl::Time began = absl::Now();
  ASSERT_TRUE(Client(server.Options()).Ask(&Calls::StartCall, To("+1")).ok());
  EXPECT_GE(absl::Now() - began, absl::Milliseconds(300));

  FakeServer hurried(nullptr, FailingAtFirst(99, Failing(grpc::StatusCode::UNAVAILABLE, "DRAINING", {}, 900)));
  ClientOptions options = hurried.Options();
  options.deadline = absl::Milliseconds(800);
  EXPECT_EQ(Explain(Client(options).Ask(&Calls::StartCall, To("+1")).status()).reason, "DRAINING");
  EXPECT_EQ(hurried.started().size(), 1u);
}

class NoRetry : public ::testing::TestWithParam<grpc::StatusCode> {};

TEST_P(NoRetry, IsAnsweredAtOnce) {
  FakeServer server(nullptr, FailingAtFirst(1, Failing(GetParam(), "SOME_REASON")));
  const auto answer = Client(server.Options()).Ask(&Calls::StartCall, To("+1"));
  EXPECT_EQ(answer.status().code(), static_cast<absl::StatusCode>(GetParam()));
  EXPECT_EQ(Explain(answer.status()).reason, "SOME_REASON");
  EXPECT_EQ(server.started().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Codes, NoRetry,
                         ::testing::Values(grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::FAILED_PRECONDITION,
                                           grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::INTERNAL,
                                           grpc::StatusCode::UNAUTHENTICATED, grpc::StatusCode::DEADLINE_EXCEEDED));

TEST(Client, SaysThatNobodyAnswers) {
  FakeServer server(nullptr, FailingAtFirst(0, {}));
  server.Stop();
  Client client(server.Options());
  EXPECT_EQ(client.WaitUntilConnected(absl::Milliseconds(50)).code(), absl::StatusCode::kUnavailable);
  const auto answer = client.Ask(&Calls::StartCall, To("+1"));
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Explain(answer.status()).reason, "") << "not the server's word";
  server.Start();
  EXPECT_TRUE(client.WaitUntilConnected(absl::Seconds(20)).ok());
  EXPECT_TRUE(client.Ask(&Calls::StartCall, To("+1")).ok());
}

TEST(Client, WantsTlsUnlessTold) {
  FakeServer server(nullptr, FailingAtFirst(0, {}));
  ClientOptions options = server.Options();
  options.plaintext = false;
  EXPECT_EQ(Client(options).Ask(&Calls::StartCall, To("+1")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(server.started().empty());
}

TEST(Explain, NamesTheFieldThatIsWrong) {
  google::rpc::Status status;
  google::rpc::BadRequest bad_request;
  bad_request.add_field_violations()->set_field("call.to");
  status.add_details()->PackFrom(bad_request);
  const absl::Status converted =
      ToStatus(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no number", status.SerializeAsString()));
  EXPECT_EQ(converted.message(), "no number");
  EXPECT_EQ(Explain(converted).field, "call.to");
  EXPECT_EQ(Explain(absl::InternalError("ours")).reason, "");
  EXPECT_TRUE(ToStatus(grpc::Status::OK).ok());
}

TEST(PauseAfter, DoublesUpToItsLimitGiveOrTakeAFifth) {
  ClientOptions options;
  for (const auto& [failures, seconds] : {std::pair{1, 0.2}, {2, 0.4}, {3, 0.8}, {6, 5.0}, {1000, 5.0}}) {
    for (int i = 0; i < 20; ++i) {
      const double pause = absl::ToDoubleSeconds(PauseAfter(failures, options));
      EXPECT_GE(pause, seconds * 0.799) << failures;
      EXPECT_LE(pause, seconds * 1.201) << failures;
    }
  }
}

}  // namespace
}  // namespace callbridge::client
