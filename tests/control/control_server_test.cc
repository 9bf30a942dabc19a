// The port: how it opens, what it serves beside the API, how it closes.

#include "src/control/control_server.h"

#include <google/protobuf/descriptor.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "src/control/listen_address.h"
#include "tests/control/server_under_test.h"

namespace callbridge::control {
namespace {

class ControlServerTest : public testing::Test {
 protected:
  ControlServerTest() : executor_("test-store") { base::SetLogEnabled(false); }

  absl::StatusOr<std::unique_ptr<ControlServer>> Start(const ControlServerOptions& options) {
    return ControlServer::Start(options, {control_, store_, executor_, hub_});
  }
  static std::string Write(const std::string& name, const std::string& text) {
    const std::string path = testing::TempDir() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  session::FakeCallControl control_;
  store::MemoryCallStore store_;
  events::EventHub hub_{0};
  base::ThreadExecutor executor_;
};

struct RefusalRow {
  std::string name;
  std::function<void(ControlServerOptions&)> change;
  absl::StatusCode code;
  std::string words;  // In the message.
};

TEST_F(ControlServerTest, RefusesToStart) {
  const std::string pem = Write("any.pem", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n");
  const std::string text = Write("text.pem", "not a certificate");
  constexpr auto kBad = absl::StatusCode::kInvalidArgument;
  constexpr auto kRefused = absl::StatusCode::kFailedPrecondition;
  for (const RefusalRow& row : std::vector<RefusalRow>{
           {"no port", [](auto& o) { o.listen = "127.0.0.1"; }, kBad, "--grpc_listen"},
           {"large port", [](auto& o) { o.listen = "127.0.0.1:65536"; }, kBad, "host:port"},
           {"outside without TLS", [](auto& o) { o.listen = "0.0.0.0:0"; }, kRefused, "--grpc_tls_cert"},
           {"outside with tokens but no TLS",
            [](auto& o) {
              o.listen = "[::]:0";
              o.api_tokens = {"x"};
            },
            kRefused, "--grpc_tls_cert"},
           {"outside, open to all",
            [&](auto& o) {
              o.listen = "0.0.0.0:0";
              o.tls_cert_file = o.tls_key_file = pem;
            },
            kRefused, "CALLBRIDGE_API_TOKENS"},
           {"half of TLS", [&](auto& o) { o.tls_cert_file = pem; }, kBad, "--grpc_tls_key"},
           {"outside without TLS, in other words",
            [](auto& o) {
              o.listen = "0.0.0.0:0";
              o.api_tokens = {"x"};
              o.without_tls = "yes";
            },
            kBad, "'I trust this network'"},
           {"outside without TLS, open to all",
            [](auto& o) {
              o.listen = "0.0.0.0:0";
              o.without_tls = kWithoutTls;
            },
            kRefused, "CALLBRIDGE_API_TOKENS"},
           {"outside without TLS, as the operator said: the address is not ours, but nothing else is wrong",
            [](auto& o) {
              o.listen = "192.0.2.1:0";
              o.api_tokens = {"x"};
              o.without_tls = kWithoutTls;
            },
            absl::StatusCode::kUnavailable, "cannot listen there"},
           {"with and without TLS",
            [&](auto& o) {
              o.tls_cert_file = o.tls_key_file = pem;
              o.without_tls = kWithoutTls;
            },
            kBad, "contradict"},
           {"client CA without TLS", [&](auto& o) { o.tls_client_ca_file = pem; }, kBad, "--grpc_tls_client_ca"},
           {"missing file", [&](auto& o) { o.tls_cert_file = o.tls_key_file = "/nowhere.pem"; }, kBad,
            "cannot read /nowhere.pem"},
           {"no PEM", [&](auto& o) { o.tls_cert_file = o.tls_key_file = text; }, kBad, "not a PEM file"},
           {"bad certificate", [&](auto& o) { o.tls_cert_file = o.tls_key_file = pem; }, kBad, "--grpc_tls_cert: "},
           {"empty token", [](auto& o) { o.api_tokens = {""}; }, kBad, "CALLBRIDGE_API_TOKENS"},
           {"foreign address", [](auto& o) { o.listen = "localhost.invalid:1"; }, kRefused, "--grpc_tls_cert"},
       }) {
    SCOPED_TRACE(row.name);
    ControlServerOptions options;
    options.listen = "127.0.0.1:0";
    row.change(options);
    const auto server = Start(options);
    EXPECT_EQ(server.status().code(), row.code) << server.status();
    EXPECT_NE(std::string(server.status().message()).find(row.words), std::string::npos) << server.status();
    EXPECT_EQ(std::string(server.status().message()).find('\n'), std::string::npos);
  }
}

TEST_F(ControlServerTest, SaysThatThePortIsInUse) {
  ControlServerOptions options;
  options.listen = "127.0.0.1:0";
  const auto first = Start(options);
  ASSERT_TRUE(first.ok()) << first.status();
  options.listen = (*first)->address();
  const auto second = Start(options);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(std::string(second.status().message()).find("in use by another program"), std::string::npos)
      << second.status();
  (*first)->Shutdown(absl::ZeroDuration());
  EXPECT_TRUE(Start(options).ok()) << "the port is free again";
}

TEST_F(ControlServerTest, ShutdownTwiceAndByDestructor) {
  ControlServerOptions options;
  options.listen = "localhost:0";
  auto server = Start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_GT((*server)->port(), 0);
  (*server)->Shutdown(absl::Seconds(1));
  (*server)->Shutdown(absl::Seconds(1));
}

TEST(ListenAddressTest, Parse) {
  struct Row {
    const char* text;
    bool ok;
    bool loopback;
  };
  for (const Row& row :
       {Row{"127.0.0.1:1", true, true}, Row{"127.9.9.9:0", true, true}, Row{"[::1]:5", true, true},
        Row{"localhost:65535", true, true}, Row{"0.0.0.0:1", true, false}, Row{"10.0.0.1:1", true, false},
        Row{"[::]:1", true, false}, Row{"127.0.0.1.example.com:1", true, false}, Row{"example.com:1", true, false},
        Row{"::1:5", false, false}, Row{":5", false, false}, Row{"127.0.0.1:", false, false},
        Row{"127.0.0.1:-1", false, false}, Row{"127.0.0.1:+1", false, false}, Row{"127.0.0.1:x", false, false},
        Row{"", false, false}}) {
    SCOPED_TRACE(row.text);
    const auto address = ParseListenAddress(row.text);
    ASSERT_EQ(address.ok(), row.ok);
    if (!row.ok) continue;
    EXPECT_EQ(address->loopback, row.loopback);
    EXPECT_EQ(FormatListenAddress(address->host, address->port), row.text);
  }
}

// The health service as a client sees it, without generated code for it.
TEST(ControlServerHealthTest, ServiceIsDescribed) {
  ServerUnderTest server;
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  EXPECT_NE(pool->FindServiceByName("grpc.health.v1.Health"), nullptr);
  EXPECT_NE(pool->FindServiceByName("callbridge.v1.CallService"), nullptr);
  for (const char* type : {"ErrorInfo", "BadRequest", "RetryInfo", "PreconditionFailure", "QuotaFailure", "Status"}) {
    EXPECT_NE(pool->FindMessageTypeByName(absl::StrCat("google.rpc.", type)), nullptr) << type;
  }
}

// What operators type. Skipped where there is no grpcurl.
class GrpcurlTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("CALLBRIDGE_GRPCURL");
    if (path == nullptr || *path == '\0') GTEST_SKIP() << "CALLBRIDGE_GRPCURL does not point to grpcurl";
    grpcurl_ = path;
  }
  // Its output, of both streams.
  std::string Run(const std::string& data, const std::string& method) {
    const std::string command =
        absl::StrCat("'", grpcurl_, "' -plaintext -max-time 10 ", data.empty() ? "" : absl::StrCat("-d '", data, "' "),
                     server_.server().address(), " ", method, " 2>&1");
    FILE* const pipe = popen(command.c_str(), "r");
    std::string output;
    std::array<char, 4096> buffer;
    for (size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), n);
    exit_code_ = WEXITSTATUS(pclose(pipe));
    return output;
  }

  std::string grpcurl_;
  ServerUnderTest server_;
  int exit_code_ = 0;
};

TEST_F(GrpcurlTest, ListsAndDescribes) {
  const std::string list = Run("", "list");
  for (const char* service :
       {"callbridge.v1.CallService", "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}) {
    EXPECT_NE(list.find(service), std::string::npos) << list;
  }
  EXPECT_NE(Run("", "describe callbridge.v1.CallService").find("rpc TransferCall"), std::string::npos);
}

TEST_F(GrpcurlTest, HealthFollowsSetServing) {
  const std::string method = "grpc.health.v1.Health/Check";
  const auto check = [&](const std::string& service) {
    return Run(absl::StrCat("{\"service\":\"", service, "\"}"), method);
  };
  for (const char* service : {"", "callbridge.v1.CallService"}) {
    EXPECT_NE(check(service).find("\"NOT_SERVING\""), std::string::npos);
  }
  server_.server().SetServing(true);
  for (const char* service : {"", "callbridge.v1.CallService"}) {
    EXPECT_NE(check(service).find("\"SERVING\""), std::string::npos) << check(service);
  }
  EXPECT_NE(check("nobody").find("NotFound"), std::string::npos);
  server_.server().SetServing(false);
  EXPECT_NE(check("").find("\"NOT_SERVING\""), std::string::npos);
}

TEST_F(GrpcurlTest, CallsAndShowsErrorDetails) {
  server_.Create(kCall);
  EXPECT_NE(
      Run(absl::StrCat("{\"call\":\"", kCall, "\"}"), "callbridge.v1.CallService/GetCall").find("CALL_STATE_RINGING"),
      std::string::npos);
  EXPECT_EQ(exit_code_, 0);
  const std::string error = Run("{\"call\":{\"to\":\"mom\"}}", "callbridge.v1.CallService/StartCall");
  EXPECT_NE(exit_code_, 0);
  for (const char* part :
       {"InvalidArgument", "INVALID_E164", "google.rpc.ErrorInfo", "google.rpc.BadRequest", "call.to"}) {
    EXPECT_NE(error.find(part), std::string::npos) << error;
  }
  EXPECT_EQ(error.find("not recognized"), std::string::npos) << error;
}

TEST_F(GrpcurlTest, StreamsEvents) {
  server_.Create(kCall);
  server_.End(kCall, 2);
  server_.Add(kCall, 3, call::SummaryReady{"They talked."});
  const std::string output = Run(absl::StrCat("{\"call\":\"calls/", kCall, "\",\"from_beginning\":true}"),
                                 "callbridge.v1.CallService/CallEvents");
  EXPECT_EQ(exit_code_, 0) << output;
  for (const char* part : {"heartbeat", "caught_up", "\"type\": \"call_created\"", "They talked."}) {
    EXPECT_NE(output.find(part), std::string::npos) << output;
  }
}

}  // namespace
}  // namespace callbridge::control
