// What bazel/proto.bzl promises: messages of this package and of its dependencies, services, and a descriptor set that
// grpcurl can use without the .proto files.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpc/health/v1/health.pb.h>

#include <fstream>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "house/greeting/v1/greeting.grpc.pb.h"
#include "house/greeting/v1/words.pb.h"
#include "house/types/v1/types.pb.h"

namespace {

std::string g_protoset;

google::protobuf::FileDescriptorSet ReadProtoset() {
  google::protobuf::FileDescriptorSet set;
  std::ifstream in(g_protoset, std::ios::binary);
  EXPECT_TRUE(in) << g_protoset;
  EXPECT_TRUE(set.ParseFromIstream(&in)) << g_protoset;
  return set;
}

TEST(ProtoRuleTest, MessagesReferToThoseOfADependency) {
  house::greeting::v1::GreetRequest request;
  request.mutable_person()->set_name("Ada");
  request.mutable_person()->mutable_met_time()->set_seconds(1);
  house::greeting::v1::GreetRequest read;
  ASSERT_TRUE(read.ParseFromString(request.SerializeAsString()));
  EXPECT_EQ(read.person().name(), "Ada");
}

TEST(ProtoRuleTest, ServiceCodeIsGenerated) {
  EXPECT_STREQ(house::greeting::v1::GreetingService::service_full_name(), "house.greeting.v1.GreetingService");
}

// Reflection answers only for files whose generated code is linked, so the health service needs its own.
TEST(ProtoRuleTest, HealthServiceIsInTheDescriptorPool) {
  grpc::health::v1::HealthCheckRequest().Clear();
  EXPECT_NE(google::protobuf::DescriptorPool::generated_pool()->FindServiceByName("grpc.health.v1.Health"), nullptr);
}

TEST(ProtoRuleTest, ProtosetHasImportsAndComments) {
  std::set<std::string> names;
  bool comments = false;
  const google::protobuf::FileDescriptorSet protoset = ReadProtoset();
  for (const auto& file : protoset.file()) {
    names.insert(file.name());
    for (const auto& location : file.source_code_info().location()) {
      comments = comments || location.leading_comments() == " Who is to be greeted.\n";
    }
  }
  EXPECT_EQ(names, (std::set<std::string>{"google/protobuf/timestamp.proto", "house/greeting/v1/greeting.proto",
                                          "house/greeting/v1/words.proto", "house/types/v1/types.proto"}));
  EXPECT_TRUE(comments);
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) g_protoset = argv[1];
  return RUN_ALL_TESTS();
}
