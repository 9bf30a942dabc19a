#include "src/control/operations_service.h"

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "src/base/error.h"
#include "src/control/peer_authorizer.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

using grpc::StatusCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kSelf[] = "aaaaaaaa-2222-4333-8444-555555555555";
constexpr char kPeer[] = "bbbbbbbb-2222-4333-8444-555555555555";
constexpr char kDead[] = "cccccccc-2222-4333-8444-555555555555";

// Another node's port: what arrives there has been passed on.
class PeerNode {
 public:
  PeerNode() {
    operations_.the_facts.node_id = kPeer;
    control_.SetStanding({false, 4, 10, {}});
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    channel_ = grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
  }

  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  FakeOperations& operations() { return operations_; }
  void Stop() { server_->Shutdown(); }

 private:
  FakeOperations operations_;
  session::FakeCallControl control_;
  PeerAuthorizer authorizer_;
  OperationsService service_{operations_, control_, authorizer_, std::chrono::seconds(20),
                             OperationsService::Clients::kPeers};
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

class OperationsServiceTest : public ::testing::Test {
 protected:
  template <typename Request, typename Response>
  grpc::Status Ask(grpc::Status (v1::OperationsService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return (stub_.get()->*method)(&context, request, response);
  }
  grpc::Status Drain(const std::string& node, v1::DrainNodeResponse* response) {
    v1::DrainNodeRequest request;
    request.set_node(node);
    return Ask(&v1::OperationsService::Stub::DrainNode, request, response);
  }
  v1::EvaluateCallPolicyResponse Evaluate() {
    v1::EvaluateCallPolicyRequest request;
    request.mutable_call()->set_to("+14155550123");
    v1::EvaluateCallPolicyResponse response;
    const grpc::Status status = Ask(&v1::OperationsService::Stub::EvaluateCallPolicy, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  static Operations::Node NodeOf(const std::string& id, store::NodeState state, bool alive) {
    Operations::Node node;
    node.record.node_id = id;
    node.record.address = id.substr(0, 1) + ":5000";
    node.record.version = "schema 5";
    node.record.state = state;
    node.record.live_calls = 3;
    node.record.max_calls = 7;
    node.record.start_time = kEpoch;
    node.record.renew_time = kEpoch + absl::Seconds(9);
    node.alive = alive;
    return node;
  }

  ServerUnderTest server_;
  std::unique_ptr<v1::OperationsService::Stub> stub_ = v1::OperationsService::NewStub(
      grpc::CreateChannel(server_.server().address(), grpc::InsecureChannelCredentials()));
};

TEST_F(OperationsServiceTest, SaysWhatTheServerIs) {
  server_.operations().the_facts = {"schema 5", kSelf, kEpoch, "postgresql"};
  server_.control().SetStanding({true, 2, 9, {"desk", "seller"}});
  v1::GetServerInfoResponse info;
  const grpc::Status status = Ask(&v1::OperationsService::Stub::GetServerInfo, v1::GetServerInfoRequest(), &info);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(info.version(), "schema 5");
  EXPECT_EQ(info.node(), absl::StrCat("nodes/", kSelf));
  EXPECT_EQ(info.start_time().seconds(), absl::ToUnixSeconds(kEpoch));
  EXPECT_EQ(info.store(), "postgresql");
  EXPECT_TRUE(info.draining());
  EXPECT_EQ(info.live_calls(), 2);
  EXPECT_EQ(info.max_calls(), 9);
  EXPECT_THAT(info.agents(), ElementsAre("desk", "seller"));
  EXPECT_THAT(info.destinations(), ElementsAre("sales", "support"));
  EXPECT_EQ(info.principal(), "") << "the port is open";
}

TEST_F(OperationsServiceTest, AServerThatIsAloneListsItself) {
  server_.control().SetStanding({true, 2, 9, {}});
  v1::ListNodesResponse list;
  ASSERT_TRUE(Ask(&v1::OperationsService::Stub::ListNodes, v1::ListNodesRequest(), &list).ok());
  ASSERT_EQ(list.nodes_size(), 1);
  const v1::Node& alone = list.nodes(0);
  EXPECT_EQ(alone.name(), "");
  EXPECT_TRUE(alone.self());
  EXPECT_EQ(alone.state(), v1::NODE_STATE_DRAINING);
  EXPECT_EQ(alone.live_calls(), 2);
  EXPECT_EQ(alone.max_calls(), 9);
  EXPECT_FALSE(alone.has_renew_time());
}

TEST_F(OperationsServiceTest, NodesAreListedAsTheyAre) {
  server_.operations().the_facts.node_id = kSelf;
  // Of itself the database has old news.
  server_.operations().the_nodes = {NodeOf(kSelf, store::NodeState::kUp, true),
                                    NodeOf(kPeer, store::NodeState::kDraining, true),
                                    NodeOf(kDead, store::NodeState::kUp, false)};
  server_.control().SetStanding({true, 1, 8, {}});
  v1::ListNodesResponse list;
  ASSERT_TRUE(Ask(&v1::OperationsService::Stub::ListNodes, v1::ListNodesRequest(), &list).ok());
  std::vector<std::string> lines;
  for (const v1::Node& node : list.nodes()) {
    lines.push_back(absl::StrCat(node.name(), " ", node.address(), " ", v1::NodeState_Name(node.state()), " ",
                                 node.live_calls(), "/", node.max_calls(), node.self() ? " self" : ""));
    EXPECT_EQ(node.renew_time().seconds(), absl::ToUnixSeconds(kEpoch) + 9);
    EXPECT_EQ(node.version(), "schema 5");
  }
  EXPECT_THAT(lines, ElementsAre(absl::StrCat("nodes/", kSelf, " a:5000 NODE_STATE_DRAINING 1/8 self"),
                                 absl::StrCat("nodes/", kPeer, " b:5000 NODE_STATE_DRAINING 3/7"),
                                 absl::StrCat("nodes/", kDead, " c:5000 NODE_STATE_DEAD 3/7")));
}

TEST_F(OperationsServiceTest, DrainsItself) {
  server_.operations().the_facts.node_id = kSelf;
  server_.control().SetStanding({false, 6, 9, {}});
  for (const std::string& name : {std::string(), absl::StrCat("nodes/", kSelf)}) {
    v1::DrainNodeResponse response;
    ASSERT_TRUE(Drain(name, &response).ok());
    EXPECT_EQ(response.live_calls(), 6);
  }
  EXPECT_EQ(server_.operations().drains(), 2);
}

TEST_F(OperationsServiceTest, PassesADrainOnToItsNode) {
  PeerNode peer;
  server_.operations().the_facts.node_id = kSelf;
  server_.operations().channels[kPeer] = peer.channel();
  v1::DrainNodeResponse response;
  const grpc::Status status = Drain(absl::StrCat("nodes/", kPeer), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.live_calls(), 4);
  EXPECT_EQ(peer.operations().drains(), 1);
  EXPECT_EQ(server_.operations().drains(), 0);
}

TEST_F(OperationsServiceTest, SaysWhichNodeCannotBeDrained) {
  PeerNode peer;
  peer.operations().the_facts.node_id = kDead;  // Another process has that address now.
  server_.operations().channels[kPeer] = peer.channel();
  server_.operations().channels[kDead] = nullptr;
  const struct {
    const char* name;
    std::string node;
    StatusCode code;
    std::string reason;
  } rows[] = {
      {"no name", "peer", StatusCode::INVALID_ARGUMENT, "INVALID_NODE_NAME"},
      {"nobody", absl::StrCat("nodes/", kOther), StatusCode::NOT_FOUND, "NODE_NOT_FOUND"},
      {"dead", absl::StrCat("nodes/", kDead), StatusCode::UNAVAILABLE, "OWNER_UNREACHABLE"},
      {"somebody else", absl::StrCat("nodes/", kPeer), StatusCode::NOT_FOUND, "NODE_NOT_FOUND"},
  };
  v1::DrainNodeResponse response;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const grpc::Status status = Drain(row.node, &response);
    EXPECT_EQ(status.error_code(), row.code) << status.error_message();
    EXPECT_EQ(DetailsOf(status).info.reason(), row.reason);
    if (row.code != StatusCode::INVALID_ARGUMENT) {
      EXPECT_EQ(DetailsOf(status).info.metadata().at("node"), row.node);
    }
  }
  peer.Stop();
  EXPECT_EQ(DetailsOf(Drain(absl::StrCat("nodes/", kPeer), &response)).info.reason(), "OWNER_UNREACHABLE");
  EXPECT_EQ(peer.operations().drains() + server_.operations().drains(), 0);
}

TEST_F(OperationsServiceTest, APolicyThatAllowsNamesNoReason) {
  const v1::EvaluateCallPolicyResponse response = Evaluate();
  EXPECT_TRUE(response.allowed());
  EXPECT_THAT(response.refusals(), IsEmpty());
}

TEST_F(OperationsServiceTest, APolicyThatRefusesNamesAllReasons) {
  server_.control().SetEvaluation(std::vector<absl::Status>{
      base::MakeError(absl::StatusCode::kFailedPrecondition, "LEAD_SUPPRESSED", "to: must not be called",
                      {{"field", "to"}, {"lead", kOther}}),
      base::WithRetryDelay(base::MakeError(absl::StatusCode::kResourceExhausted, "DIAL_RATE_LIMIT", "too many",
                                           {{"limit", "calls_per_minute"}}),
                           absl::Milliseconds(1500)),
      base::MakeError(absl::StatusCode::kResourceExhausted, "CONCURRENCY_LIMIT", "too many")});
  const v1::EvaluateCallPolicyResponse response = Evaluate();
  EXPECT_FALSE(response.allowed());
  ASSERT_EQ(response.refusals_size(), 3);
  const v1::PolicyRefusal& lead = response.refusals(0);
  EXPECT_EQ(lead.reason(), "LEAD_SUPPRESSED");
  EXPECT_EQ(lead.field(), "call.to");
  EXPECT_EQ(lead.message(), "call.to: must not be called");
  EXPECT_EQ(lead.metadata().at("lead"), absl::StrCat("leads/", kOther));
  EXPECT_FALSE(lead.has_retry_delay());
  const v1::PolicyRefusal& rate = response.refusals(1);
  EXPECT_EQ(rate.metadata().at("limit"), "calls_per_minute");
  EXPECT_EQ(rate.retry_delay().seconds(), 1);
  EXPECT_EQ(rate.retry_delay().nanos(), 500'000'000);
  EXPECT_EQ(response.refusals(2).retry_delay().seconds(), 5) << "as StartCall's RetryInfo";
}

}  // namespace
}  // namespace callbridge::control
