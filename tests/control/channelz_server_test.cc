#include "src/control/channelz_server.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <string>

#include "gtest/gtest.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

// GetServers of grpc.channelz.v1, by name: Debian brings the service without its protos.
grpc::Status AskForServers(const std::string& address, std::string* answer) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::CompletionQueue queue;
  const grpc::Slice empty("", 0);
  const grpc::ByteBuffer request(&empty, 1);
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.channelz.v1.Channelz/GetServers", request, &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  std::vector<grpc::Slice> slices;
  if (status.ok() && response.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) answer->append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return status;
}

// The first in this process: gRPC gives the service to all servers that are made after the first that has it.
TEST(ChannelzServerTest, TellsOfTheProcesssServersAtItsOwnPortOnly) {
  ServerUnderTest clients_port;
  const auto server = ChannelzServer::Start("127.0.0.1:0");
  ASSERT_TRUE(server.ok()) << server.status();
  std::string answer;
  const grpc::Status status = AskForServers((*server)->address(), &answer);
  ASSERT_TRUE(status.ok()) << status.error_message();
  // The servers' names; that nothing follows would be two bytes.
  EXPECT_GT(answer.size(), 10) << "two servers";
  EXPECT_EQ(AskForServers(clients_port.server().address(), &answer).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(ChannelzServerTest, IsForThisMachineOnly) {
  for (const char* const listen : {"0.0.0.0:0", "[::]:0", "192.0.2.1:50053", "host.example:1", "nonsense"}) {
    const auto server = ChannelzServer::Start(listen);
    EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument) << listen;
    EXPECT_EQ(std::string(server.status().message()).rfind("--channelz_listen", 0), 0) << server.status();
  }
}

TEST(ChannelzServerTest, SaysThatThePortIsInUse) {
  const auto first = ChannelzServer::Start("127.0.0.1:0");
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = ChannelzServer::Start((*first)->address());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(std::string(second.status().message()).find("in use by another program"), std::string::npos);
}

}  // namespace
}  // namespace callbridge::control
