// A request that reaches a node that does not have the call: over real connections with mTLS.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/control/status_map.h"
#include "tests/nodes/node_under_test.h"

namespace callbridge::nodes {
namespace {

using control::Details;
using control::DetailsOf;
using control::Eventually;
using control::ForwardOutcome;
using control::kCall;
using grpc::StatusCode;

const char kTransferId[] = "aaaaaaaa-2222-4333-8444-555555555555";

// Stands where a node's own service stands, notes what arrives and answers as it is told.
class SpyService final : public v1::CallService::CallbackService {
 public:
  struct Request {
    std::map<std::string, std::string> metadata;
    std::chrono::milliseconds left{0};
    std::string reason;
  };

  grpc::ServerUnaryReactor* EndCall(grpc::CallbackServerContext* context, const v1::EndCallRequest* request,
                                    v1::EndCallResponse* response) override {
    Request noted;
    for (const auto& [key, value] : context->client_metadata())
      noted.metadata[std::string(key.data(), key.size())] = std::string(value.data(), value.size());
    noted.left =
        std::chrono::duration_cast<std::chrono::milliseconds>(context->deadline() - std::chrono::system_clock::now());
    noted.reason = request->reason();
    base::MutexLock lock(mutex_);
    requests_.push_back(noted);
    auto* const reactor = new Reactor(cancelled_);
    if (holding_) return reactor;
    if (on_request_) on_request_();
    reactor->Finish(requests_.size() <= answers_.size() ? answers_[requests_.size() - 1] : last_answer_);
    return reactor;
  }

  // Knows its ids, and has lost the call each time.
  grpc::ServerUnaryReactor* TransferCall(grpc::CallbackServerContext* context, const v1::TransferCallRequest* request,
                                         v1::TransferCallResponse* response) override {
    base::MutexLock lock(mutex_);
    transfer_ids_.push_back(request->request_id());
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(last_answer_);
    return reactor;
  }
  std::vector<std::string> transfer_ids() const {
    base::MutexLock lock(mutex_);
    return transfer_ids_;
  }

  void Hold() {
    base::MutexLock lock(mutex_);
    holding_ = true;
  }
  void Answer(std::vector<grpc::Status> answers, grpc::Status last = grpc::Status::OK) {
    base::MutexLock lock(mutex_);
    answers_ = std::move(answers);
    last_answer_ = std::move(last);
  }
  void OnRequest(std::function<void()> on_request) {
    base::MutexLock lock(mutex_);
    on_request_ = std::move(on_request);
  }
  std::vector<Request> requests() const {
    base::MutexLock lock(mutex_);
    return requests_;
  }
  int cancelled() const { return cancelled_; }

 private:
  class Reactor final : public grpc::ServerUnaryReactor {
   public:
    explicit Reactor(std::atomic<int>& cancelled) : cancelled_(cancelled) {}
    void OnCancel() override {
      ++cancelled_;
      Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    std::atomic<int>& cancelled_;
  };

  mutable base::Mutex mutex_;
  std::vector<std::string> transfer_ids_ ABSL_GUARDED_BY(mutex_);
  std::vector<Request> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<grpc::Status> answers_ ABSL_GUARDED_BY(mutex_);
  grpc::Status last_answer_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> on_request_ ABSL_GUARDED_BY(mutex_);
  bool holding_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<int> cancelled_{0};
};

class ForwardingTest : public ::testing::Test {
 protected:
  ForwardingTest() { base::SetLogEnabled(false); }

  // A call that that node has.
  void Create(const std::string& owner, const std::string& call_id = kCall) {
    store::CallRecord call;
    call.call_id = call_id;
    call.from = "+15550001111";
    call.to = "+15559990000";
    call.state = call::State::kRinging;
    call.create_time = control::kEpoch;
    if (!owner.empty()) call.owner = {owner, 1};
    ASSERT_TRUE(store_.CreateCall(call, {{call_id, 1, call.create_time, call::CallCreated{}}}, absl::nullopt).ok());
  }
  void EndInStore(const std::string& owner) {
    store::CallWrite write;
    write.call_id = kCall;
    write.owner = store::Owner{owner, 1};
    write.events = {{kCall, 2, control::kEpoch, call::CallEnded{}}};
    write.end.emplace();
    write.end->end_time = control::kEpoch;
    ASSERT_TRUE(store_.Apply(write, nullptr).ok());
  }

  // The node that is asked, which has no call.
  NodeUnderTest& asked(control::ControlServerOptions options = {}) {
    if (asked_ == nullptr) {
      asked_ = std::make_unique<NodeUnderTest>("a", NodeFiles("a", ca_), store_, addresses_, options);
      asked_->control().SetLive(false);
    }
    return *asked_;
  }
  NodeUnderTest& owner() {
    if (owner_ == nullptr) owner_ = std::make_unique<NodeUnderTest>("b", NodeFiles("b", ca_), store_, addresses_);
    return *owner_;
  }
  // The owner, with a spy on its port.
  SpyService& spy() {
    if (owner_ == nullptr) {
      spy_ = std::make_unique<SpyService>();
      owner_ = std::make_unique<NodeUnderTest>("b", NodeFiles("b", ca_), store_, addresses_,
                                               control::ControlServerOptions(), spy_.get());
    }
    return *spy_;
  }

  grpc::Status End(v1::CallService::Stub& stub, std::chrono::milliseconds limit = std::chrono::seconds(20),
                   const std::map<std::string, std::string>& metadata = {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + limit);
    for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
    v1::EndCallRequest request;
    request.set_call(kCall);
    request.set_reason("enough");
    v1::EndCallResponse response;
    return stub.EndCall(&context, request, &response);
  }
  grpc::Status End() { return End(asked().stub()); }

  void ExpectUnreachable(const grpc::Status& status) {
    EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE) << status.error_message();
    const Details details = DetailsOf(status);
    EXPECT_EQ(details.info.reason(), "OWNER_UNREACHABLE");
    EXPECT_EQ(details.info.metadata().at("node"), "nodes/b");
    EXPECT_EQ(details.info.metadata().at("call"), absl::StrCat("calls/", kCall));
    EXPECT_TRUE(details.retry);
  }

  const testing::Certificate ca_ = testing::Issue("nodes", "", nullptr);
  store::MemoryCallStore store_;
  Addresses addresses_;
  std::unique_ptr<SpyService> spy_;
  std::unique_ptr<NodeUnderTest> asked_;
  std::unique_ptr<NodeUnderTest> owner_;
};

TEST_F(ForwardingTest, TheOwnerCarriesItOut) {
  owner();
  Create("b");
  const grpc::Status status = End();
  EXPECT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(owner().control().ends().size(), 1);
  EXPECT_EQ(owner().control().ends()[0], std::make_pair(std::string(kCall), std::string("enough")));
  EXPECT_TRUE(asked().control().ends().empty());
  EXPECT_EQ(asked().count(ForwardOutcome::kAnswered), 1);
}

TEST_F(ForwardingTest, ALiveCallStaysHere) {
  owner();
  asked().control().SetLive(true);
  Create("b");
  EXPECT_TRUE(End().ok());
  EXPECT_EQ(asked().control().ends().size(), 1);
  EXPECT_TRUE(owner().control().ends().empty());
}

TEST_F(ForwardingTest, WhatNoOtherNodeHasIsAnsweredHere) {
  for (const char* owner_id : {"", "a"}) {
    SCOPED_TRACE(owner_id);
    store_.SetFault(nullptr);
    const std::string call_id = base::NewUuid();
    Create(owner_id, call_id);
    grpc::ClientContext context;
    v1::EndCallRequest request;
    request.set_call(call_id);
    v1::EndCallResponse response;
    EXPECT_TRUE(asked().stub().EndCall(&context, request, &response).ok());
  }
  EXPECT_EQ(asked().control().ends().size(), 2);
}

TEST_F(ForwardingTest, ACallThatIsOverIsAnsweredAnywhere) {
  owner();
  Create("b");
  EndInStore("b");
  EXPECT_TRUE(End().ok());
  EXPECT_EQ(asked().control().ends().size(), 1);
  EXPECT_TRUE(owner().control().ends().empty());
}

TEST_F(ForwardingTest, ACallThatNobodyKnows) {
  const grpc::Status status = End();
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(DetailsOf(status).info.reason(), "CALL_NOT_FOUND");
}

TEST_F(ForwardingTest, AStoreThatIsAwaySaysSo) {
  Create("b");
  store_.SetFault([](absl::string_view) { return absl::UnavailableError("away"); });
  const grpc::Status status = End();
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).info.reason(), "STORE_UNAVAILABLE");
  EXPECT_EQ(asked().count(ForwardOutcome::kUnreachable), 0);
}

TEST_F(ForwardingTest, ATransferKeepsItsId) {
  owner();
  Create("b");
  call::Transfer made;
  made.transfer_id = kTransferId;
  made.destination = "sales";
  owner().control().SetTransferResult(made);
  for (const char* request_id : {kTransferId, ""}) {
    grpc::ClientContext context;
    v1::TransferCallRequest request;
    request.set_call(kCall);
    request.set_destination("sales");
    request.set_request_id(request_id);
    v1::TransferCallResponse response;
    const grpc::Status status = asked().stub().TransferCall(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.transfer().name(), absl::StrCat("calls/", kCall, "/transfers/", kTransferId));
  }
  const auto transfers = owner().control().transfers();
  ASSERT_EQ(transfers.size(), 2);
  EXPECT_EQ(transfers[0].transfer_id, kTransferId);
  EXPECT_EQ(transfers[0].destination, "sales");
  EXPECT_EQ(transfers[1].transfer_id.size(), 36) << "made by the node that was asked";
}

TEST_F(ForwardingTest, ErrorsOfTheOwnerKeepTheirDetails) {
  owner();
  Create("b");
  struct Row {
    absl::Status error;
    StatusCode code;
  };
  for (const Row& row :
       {Row{base::MakeError(absl::StatusCode::kFailedPrecondition, "TRANSFER_LIMIT", "enough"),
            StatusCode::FAILED_PRECONDITION},
        Row{base::FieldError("destination", "UNKNOWN_DESTINATION", "is not there"), StatusCode::INVALID_ARGUMENT},
        Row{base::MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE", "away"), StatusCode::UNAVAILABLE},
        Row{base::MakeError(absl::StatusCode::kAborted, "SOMETHING_ELSE", "moved"), StatusCode::ABORTED}}) {
    const std::string reason = base::GetErrorInfo(row.error).reason;
    SCOPED_TRACE(reason);
    owner().control().SetTransferResult(row.error);
    grpc::ClientContext context;
    v1::TransferCallRequest request;
    request.set_call(kCall);
    request.set_destination("sales");
    v1::TransferCallResponse response;
    const grpc::Status status = asked().stub().TransferCall(&context, request, &response);
    EXPECT_EQ(status.error_code(), row.code);
    EXPECT_EQ(status.error_message(), std::string(row.error.message()));
    EXPECT_EQ(status.error_details(), control::ToGrpcStatus(row.error).error_details());
    EXPECT_EQ(DetailsOf(status).info.reason(), reason);
  }
  EXPECT_EQ(asked().count(ForwardOutcome::kAnswered), 4);
}

TEST_F(ForwardingTest, ACancellationIsPassedOnToo) {
  owner();
  Create("b");
  grpc::ClientContext context;
  v1::CancelTransferRequest request;
  request.set_transfer(absl::StrCat("calls/", kCall, "/transfers/", kTransferId));
  v1::CancelTransferResponse response;
  EXPECT_TRUE(asked().stub().CancelTransfer(&context, request, &response).ok());
  ASSERT_EQ(owner().control().cancels().size(), 1);
  EXPECT_EQ(owner().control().cancels()[0].second, kTransferId);
}

TEST_F(ForwardingTest, CarriesTheHopThePrincipalAndTheTimeThatIsLeft) {
  spy();
  Create("b");
  control::ControlServerOptions options;
  options.api_tokens = {"secret"};
  ASSERT_TRUE(
      End(asked(options).stub(), std::chrono::seconds(7), {{"authorization", "Bearer secret"}, {"x-other", "1"}}).ok());
  ASSERT_EQ(spy().requests().size(), 1);
  const SpyService::Request request = spy().requests()[0];
  EXPECT_EQ(request.metadata.at("x-callbridge-hop"), "1");
  EXPECT_EQ(request.metadata.at("x-callbridge-principal").substr(0, 6), "token:");
  EXPECT_EQ(request.metadata.count("authorization"), 0) << "no secret leaves";
  EXPECT_EQ(request.metadata.count("x-other"), 0);
  // gRPC writes a time that is left in few digits, rounded up at each hop.
  EXPECT_LT(request.left, std::chrono::seconds(7) + std::chrono::milliseconds(200));
  EXPECT_GT(request.left, std::chrono::seconds(2));
  EXPECT_EQ(request.reason, "enough");
}

TEST_F(ForwardingTest, WithoutADeadlineItHasTheLongestThereIs) {
  spy();
  Create("b");
  control::ControlServerOptions options;
  options.longest_unary = absl::Seconds(9);
  grpc::ClientContext context;
  v1::EndCallRequest request;
  request.set_call(kCall);
  v1::EndCallResponse response;
  ASSERT_TRUE(asked(options).stub().EndCall(&context, request, &response).ok());
  ASSERT_EQ(spy().requests().size(), 1);
  EXPECT_LE(spy().requests()[0].left, std::chrono::seconds(9));
}

TEST_F(ForwardingTest, AnOwnerThatIsSlowCostsTheDeadlineOnly) {
  spy().Hold();
  Create("b");
  control::ControlServerOptions options;
  options.longest_unary = absl::Milliseconds(400);
  grpc::ClientContext context;
  v1::EndCallRequest request;
  request.set_call(kCall);
  v1::EndCallResponse response;
  const grpc::Status status = asked(options).stub().EndCall(&context, request, &response);
  EXPECT_EQ(status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(DetailsOf(status).info.reason(), "DEADLINE_EXCEEDED");
  EXPECT_TRUE(Eventually([&] { return spy().cancelled() == 1; }));
  EXPECT_TRUE(Eventually([&] { return asked().count(ForwardOutcome::kGivenUp) == 1; }));
}

TEST_F(ForwardingTest, AClientThatGoesAwayIsGoneAtTheOwnerToo) {
  spy().Hold();
  Create("b");
  grpc::ClientContext context;
  v1::EndCallRequest request;
  request.set_call(kCall);
  v1::EndCallResponse response;
  std::thread client([&] { EXPECT_FALSE(asked().stub().EndCall(&context, request, &response).ok()); });
  EXPECT_TRUE(Eventually([&] { return spy().requests().size() == 1; }));
  context.TryCancel();
  client.join();
  EXPECT_TRUE(Eventually([&] { return spy().cancelled() == 1; }));
}

grpc::Status OwnerChanged() {
  return control::ToGrpcStatus(base::MakeError(absl::StatusCode::kAborted, "OWNER_CHANGED", "not here"));
}

TEST_F(ForwardingTest, AStaleOwnerLeadsToOneMoreTry) {
  spy().Answer({OwnerChanged()});
  Create("b");
  EXPECT_TRUE(End().ok());
  EXPECT_EQ(spy().requests().size(), 2);
  EXPECT_EQ(asked().count(ForwardOutcome::kMoved), 1);
  EXPECT_EQ(asked().count(ForwardOutcome::kAnswered), 1);
}

TEST_F(ForwardingTest, AStaleOwnerTwiceIsUnreachable) {
  spy().Answer({}, OwnerChanged());
  Create("b");
  ExpectUnreachable(End());
  EXPECT_EQ(spy().requests().size(), 2) << "not for ever";
}

TEST_F(ForwardingTest, ASecondTryIsTheSameTransfer) {
  spy().Answer({}, OwnerChanged());
  Create("b");
  grpc::ClientContext context;
  v1::TransferCallRequest request;
  request.set_call(kCall);
  request.set_destination("sales");
  v1::TransferCallResponse response;
  ExpectUnreachable(asked().stub().TransferCall(&context, request, &response));
  ASSERT_EQ(spy().transfer_ids().size(), 2);
  EXPECT_EQ(spy().transfer_ids()[0].size(), 36);
  EXPECT_EQ(spy().transfer_ids()[0], spy().transfer_ids()[1]);
}

TEST_F(ForwardingTest, ACallThatEndedMeanwhileIsAnsweredHere) {
  spy().Answer({}, OwnerChanged());
  spy().OnRequest([this] { EndInStore("b"); });
  Create("b");
  EXPECT_TRUE(End().ok());
  EXPECT_EQ(spy().requests().size(), 1);
  EXPECT_EQ(asked().control().ends().size(), 1);
}

TEST_F(ForwardingTest, AnOwnerThatHasLostTheCallSaysSo) {
  owner().control().SetLive(false);
  Create("b");
  ExpectUnreachable(End());
  EXPECT_TRUE(owner().control().ends().empty());
  EXPECT_EQ(asked().count(ForwardOutcome::kMoved), 2);
}

TEST_F(ForwardingTest, AnOwnerThatHasJustEndedTheCallAnswers) {
  // The node that is asked reads a row from before the end.
  owner().control().SetLive(false);
  Create("b");
  EndInStore("b");
  grpc::ClientContext context;
  control::AddPeerMetadata("", context);
  v1::EndCallRequest request;
  request.set_call(kCall);
  v1::EndCallResponse response;
  const auto stub = v1::CallService::NewStub(asked().channels().To(*addresses_.Of("b")));
  EXPECT_TRUE(stub->EndCall(&context, request, &response).ok());
  EXPECT_EQ(owner().control().ends().size(), 1);
}

TEST_F(ForwardingTest, ADeadOwnerIsUnreachable) {
  owner();
  Create("b");
  addresses_.Remove("b");
  ExpectUnreachable(End());
  EXPECT_EQ(asked().count(ForwardOutcome::kUnreachable), 1);
  EXPECT_TRUE(owner().control().ends().empty());
}

TEST_F(ForwardingTest, AnOwnerThatHasJustJoinedIsWaitedFor) {
  owner();
  Create("b");
  const std::string address = *addresses_.Of("b");
  addresses_.Forget("b");
  asked();
  std::thread news([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    addresses_.Set("b", address);
  });
  const grpc::Status status = End();
  news.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(owner().control().ends().size(), 1);
}

TEST_F(ForwardingTest, AnOwnerOfWhomNobodyHearsIsUnreachable) {
  owner();
  Create("b");
  addresses_.Forget("b");
  ExpectUnreachable(End());
  EXPECT_EQ(asked().count(ForwardOutcome::kUnreachable), 1);
  EXPECT_TRUE(owner().control().ends().empty());
}

TEST_F(ForwardingTest, AClientThatHasNoTimeIsNotMadeToWaitForAStranger) {
  owner();
  Create("b");
  addresses_.Forget("b");
  const grpc::Status status = End(asked().stub(), std::chrono::milliseconds(250));
  EXPECT_EQ(status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(owner().control().ends().empty());
}

TEST_F(ForwardingTest, AnOwnerWhosePortIsClosedIsUnreachable) {
  owner();
  Create("b");
  ASSERT_TRUE(End().ok());
  owner().node_server().Shutdown(absl::ZeroDuration());
  ExpectUnreachable(End());
  EXPECT_EQ(asked().count(ForwardOutcome::kUnreachable), 1);
}

TEST_F(ForwardingTest, ANodeThatDoesNotKnowTheRpcYet) {
  spy();
  Create("b");
  grpc::ClientContext context;
  v1::CancelTransferRequest request;
  request.set_transfer(absl::StrCat("calls/", kCall, "/transfers/", kTransferId));
  v1::CancelTransferResponse response;
  const grpc::Status status = asked().stub().CancelTransfer(&context, request, &response);
  EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(DetailsOf(status).info.domain(), "callbridge") << "an error like all others";
}

// The node-to-node port, from nearby.
class NodePortTest : public ForwardingTest {
 protected:
  std::unique_ptr<v1::CallService::Stub> AsPeer() {
    return v1::CallService::NewStub(asked().channels().To(owner().node_server().address()));
  }
};

TEST_F(NodePortTest, WantsToBePassedARequestOnce) {
  Create("b");
  struct Row {
    const char* name;
    std::map<std::string, std::string> metadata;
    bool served;
  };
  for (const Row& row :
       {Row{"no hop", {{"x-callbridge-principal", "x"}}, false},
        Row{"no principal", {{"x-callbridge-hop", "1"}}, false},
        Row{"a second hop", {{"x-callbridge-hop", "2"}, {"x-callbridge-principal", "x"}}, false},
        Row{"a broken principal", {{"x-callbridge-hop", "1"}, {"x-callbridge-principal", "\\"}}, false},
        Row{"as nodes do it", {{"x-callbridge-hop", "1"}, {"x-callbridge-principal", ""}}, true}}) {
    SCOPED_TRACE(row.name);
    const grpc::Status status = End(*AsPeer(), std::chrono::seconds(20), row.metadata);
    EXPECT_EQ(status.ok(), row.served) << status.error_message();
    if (row.served) continue;
    EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(DetailsOf(status).info.reason(), "NOT_FORWARDED");
  }
  EXPECT_EQ(owner().control().ends().size(), 1);
}

TEST_F(NodePortTest, NeverPassesOn) {
  asked();
  Create("a");
  owner().control().SetLive(false);
  asked().control().SetLive(true);
  const grpc::Status status =
      End(*AsPeer(), std::chrono::seconds(20), {{"x-callbridge-hop", "1"}, {"x-callbridge-principal", ""}});
  EXPECT_EQ(status.error_code(), StatusCode::ABORTED);
  EXPECT_EQ(DetailsOf(status).info.reason(), "OWNER_CHANGED");
  EXPECT_EQ(DetailsOf(status).info.metadata().at("call"), absl::StrCat("calls/", kCall));
  EXPECT_TRUE(asked().control().ends().empty());
}

TEST_F(NodePortTest, ServesNothingElse) {
  Create("b");
  grpc::ClientContext context;
  control::AddPeerMetadata("", context);
  v1::GetCallRequest request;
  request.set_call(kCall);
  v1::GetCallResponse response;
  EXPECT_EQ(AsPeer()->GetCall(&context, request, &response).error_code(), StatusCode::UNIMPLEMENTED);
}

TEST_F(NodePortTest, LetsInOnlyWhoHasACertificateOfTheNodes) {
  Create("b");
  const testing::Certificate strangers = testing::Issue("strangers", "", nullptr);
  const auto ask = [&](const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("b.nodes.test");
    const auto stub =
        v1::CallService::NewStub(grpc::CreateCustomChannel(owner().node_server().address(), credentials, arguments));
    return End(*stub, std::chrono::seconds(5), {{"x-callbridge-hop", "1"}, {"x-callbridge-principal", ""}});
  };
  grpc::SslCredentialsOptions without;
  without.pem_root_certs = ca_.CertPem();
  grpc::SslCredentialsOptions with = without;
  const testing::Certificate own = testing::Issue("c", "", &ca_);
  with.pem_cert_chain = own.CertPem();
  with.pem_private_key = own.KeyPem();
  grpc::SslCredentialsOptions foreign = with;
  const testing::Certificate theirs = testing::Issue("c", "", &strangers);
  foreign.pem_cert_chain = theirs.CertPem();
  foreign.pem_private_key = theirs.KeyPem();
  EXPECT_FALSE(ask(grpc::InsecureChannelCredentials()).ok());
  EXPECT_FALSE(ask(grpc::SslCredentials(without)).ok());
  EXPECT_FALSE(ask(grpc::SslCredentials(foreign)).ok());
  EXPECT_TRUE(owner().control().ends().empty());
  EXPECT_TRUE(ask(grpc::SslCredentials(with)).ok());
}

TEST_F(NodePortTest, ANodeTrustsNoStrangerAtAnothersAddress) {
  Create("b");
  const testing::Certificate strangers = testing::Issue("strangers", "", nullptr);
  // It would let us in.
  control::TlsFiles files = NodeFiles("stranger", strangers);
  files.ca = NodeFiles("b", ca_).ca;
  owner_ = std::make_unique<NodeUnderTest>("b", files, store_, addresses_);
  ExpectUnreachable(End());
  EXPECT_TRUE(owner().control().ends().empty());
}

}  // namespace
}  // namespace callbridge::nodes
