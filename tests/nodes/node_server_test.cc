// The node-to-node port: how it opens, and the ways to it.

#include "src/nodes/node_server.h"

#include <grpcpp/generic/generic_stub.h>

#include <functional>
#include <future>
#include <set>
#include <string>
#include <vector>

#include "tests/nodes/node_under_test.h"

namespace callbridge::nodes {
namespace {

struct RefusalRow {
  std::string name;
  std::function<void(NodeServer::Options&)> change;
  absl::StatusCode code;
  std::string words;  // In the message.
};

TEST(NodeServerTest, RefusesToStart) {
  const control::TlsFiles good = NodeFiles("refused", testing::Issue("nodes", "", nullptr));
  constexpr auto kBad = absl::StatusCode::kInvalidArgument;
  constexpr auto kRefused = absl::StatusCode::kFailedPrecondition;
  for (const RefusalRow& row : std::vector<RefusalRow>{
           {"no port", [](auto& o) { o.listen = "127.0.0.1"; }, kBad, "--node_listen: "},
           {"outside without TLS", [](auto& o) { o.listen = "0.0.0.0:0"; }, kRefused, "--node_tls_cert"},
           {"TLS without clients' authority", [&](auto& o) { o.tls.cert = good.cert, o.tls.key = good.key; }, kBad,
            "--node_tls_ca go together"},
           {"half of TLS, outside",
            [&](auto& o) {
              o.listen = "0.0.0.0:0";
              o.tls.ca = good.ca;
            },
            kBad, "go together"},
           {"a file that is not there",
            [&](auto& o) {
              o.tls = good;
              o.tls.ca = "/nowhere.pem";
            },
            kBad, "--node_tls_ca: cannot read /nowhere.pem"},
           {"a key for a certificate",
            [&](auto& o) {
              o.tls = good;
              o.tls.cert = good.key;
            },
            kBad, "--node_tls_cert: "},
           {"a key that is another's",
            [&](auto& o) {
              o.tls = good;
              o.tls.key = NodeFiles("other", testing::Issue("nodes", "", nullptr)).key;
            },
            kBad, "--node_tls_key: "},
       }) {
    SCOPED_TRACE(row.name);
    NodeServer::Options options;
    options.listen = "127.0.0.1:0";
    row.change(options);
    v1::CallService::CallbackService service;
    const auto server = NodeServer::Start(options, {&service});
    EXPECT_EQ(server.status().code(), row.code) << server.status();
    EXPECT_NE(std::string(server.status().message()).find(row.words), std::string::npos) << server.status();
  }
}

TEST(NodeServerTest, SaysThatThePortIsInUse) {
  v1::CallService::CallbackService service;
  const auto first = NodeServer::Start({"127.0.0.1:0", {}}, {&service});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = NodeServer::Start({(*first)->address(), {}}, {&service});
  EXPECT_NE(std::string(second.status().message()).find("in use by another program"), std::string::npos)
      << second.status();
}

TEST(NodeServerTest, HasNoReflection) {
  v1::CallService::CallbackService service;
  const auto nodes = NodeServer::Start({"127.0.0.1:0", {}}, {&service});
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  control::ServerUnderTest clients;  // Of the same process, with reflection.
  const auto ask = [](const std::string& address) {
    grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    const grpc::ByteBuffer request(nullptr, 0);
    grpc::ByteBuffer response;
    std::promise<grpc::StatusCode> answer;
    stub.UnaryCall(&context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", {}, &request, &response,
                   [&](const grpc::Status& status) { answer.set_value(status.error_code()); });
    return answer.get_future().get();
  };
  EXPECT_NE(ask(clients.server().address()), grpc::StatusCode::UNIMPLEMENTED) << "what is asked is right";
  EXPECT_EQ(ask((*nodes)->address()), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(ChannelsTest, OneForEachAddressAsLongAsItIsOfUse) {
  const auto channels = Channels::Open({});
  ASSERT_TRUE(channels.ok()) << channels.status();
  auto first = (*channels)->To("127.0.0.1:1");
  EXPECT_EQ((*channels)->To("127.0.0.1:1"), first);
  EXPECT_NE((*channels)->To("127.0.0.1:2"), first);
  (*channels)->KeepOnly({"127.0.0.1:3"});
  EXPECT_EQ((*channels)->size(), 1) << "somebody holds the first one";
  first.reset();
  (*channels)->KeepOnly({"127.0.0.1:1"});
  EXPECT_EQ((*channels)->size(), 1);
  (*channels)->KeepOnly({});
  EXPECT_EQ((*channels)->size(), 0);
}

TEST(ChannelsTest, AChannelWithOldFilesStaysWhileItIsHeld) {
  const auto channels = Channels::Open({});
  ASSERT_TRUE(channels.ok()) << channels.status();
  auto held = (*channels)->To("127.0.0.1:1");
  (*channels)->To("127.0.0.1:2");
  ASSERT_TRUE((*channels)->LoadCertificates().ok());
  EXPECT_EQ((*channels)->size(), 1);
  EXPECT_NE((*channels)->To("127.0.0.1:1"), held);
  (*channels)->KeepOnly({"127.0.0.1:1"});
  EXPECT_EQ((*channels)->size(), 2);
  held.reset();
  (*channels)->KeepOnly({"127.0.0.1:1"});
  EXPECT_EQ((*channels)->size(), 1);
}

// Whether a request gets through to a service that has none of its methods.
bool Reaches(Channels& channels, const std::string& address) {
  const auto stub = v1::CallService::NewStub(channels.To(address));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  v1::GetCallResponse response;
  const grpc::Status status = stub->GetCall(&context, v1::GetCallRequest(), &response);
  EXPECT_TRUE(status.error_code() == grpc::StatusCode::UNIMPLEMENTED ||
              status.error_code() == grpc::StatusCode::UNAVAILABLE)
      << status.error_code() << " " << status.error_message();
  return status.error_code() == grpc::StatusCode::UNIMPLEMENTED;
}

TEST(RenewalTest, NewFilesAreForNewConnections) {
  const testing::Certificate old_ca = testing::Issue("old", "", nullptr);
  const testing::Certificate new_ca = testing::Issue("new", "", nullptr);
  const control::TlsFiles here = NodeFiles("here", old_ca);
  const control::TlsFiles there = NodeFiles("there", old_ca);
  v1::CallService::CallbackService service;
  const auto server = NodeServer::Start({"127.0.0.1:0", there}, {&service});
  ASSERT_TRUE(server.ok()) << server.status();
  const auto channels = Channels::Open(here);
  ASSERT_TRUE(channels.ok()) << channels.status();
  EXPECT_TRUE(Reaches(**channels, (*server)->address()));

  NodeFiles("there", new_ca);
  ASSERT_TRUE((*server)->LoadCertificates().ok());
  EXPECT_TRUE(Reaches(**channels, (*server)->address())) << "on the connection that stands";
  ASSERT_TRUE((*channels)->LoadCertificates().ok());
  EXPECT_FALSE(Reaches(**channels, (*server)->address())) << "the files here are still the old ones";
  NodeFiles("here", new_ca);
  ASSERT_TRUE((*channels)->LoadCertificates().ok());
  EXPECT_TRUE(Reaches(**channels, (*server)->address()));

  std::ofstream(there.key) << "not a key";
  EXPECT_EQ((*server)->LoadCertificates().code(), absl::StatusCode::kInvalidArgument);
  std::ofstream(here.ca) << "not an authority";
  EXPECT_EQ((*channels)->LoadCertificates().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Reaches(**channels, (*server)->address())) << "what was read before stays";
}

TEST(ChannelsTest, FilesThatCannotBeUsedAreNamed) {
  control::TlsFiles files = NodeFiles("channels", testing::Issue("nodes", "", nullptr));
  files.key = "/nowhere.pem";
  const auto channels = Channels::Open(files);
  EXPECT_EQ(channels.status().message(), "--node_tls_key: cannot read /nowhere.pem");
}

}  // namespace
}  // namespace callbridge::nodes
