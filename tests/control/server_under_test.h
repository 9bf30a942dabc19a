#ifndef CALLBRIDGE_TESTS_CONTROL_SERVER_UNDER_TEST_H_
#define CALLBRIDGE_TESTS_CONTROL_SERVER_UNDER_TEST_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "callbridge/v1/call_service.grpc.pb.h"
#include "callbridge/v1/lead_service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "src/base/log.h"
#include "src/control/control_server.h"
#include "tests/fakes/fake_call_control.h"
#include "tests/fakes/fake_operations.h"
#include "tests/fakes/memory_call_store.h"

namespace callbridge::control {

inline const char kCall[] = "11111111-2222-4333-8444-555555555555";
inline const char kOther[] = "99999999-2222-4333-8444-555555555555";
inline const absl::Time kEpoch = absl::FromUnixSeconds(1'700'000'000);

// What an error carries.
struct Details {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  bool retry = false;
  bool precondition = false;
};
inline Details DetailsOf(const grpc::Status& status) {
  Details details;
  google::rpc::Status proto;
  EXPECT_TRUE(proto.ParseFromString(status.error_details()));
  google::rpc::RetryInfo retry;
  google::rpc::PreconditionFailure precondition;
  for (const auto& any : proto.details()) {
    any.UnpackTo(&details.info);
    any.UnpackTo(&details.bad_request);
    details.retry = details.retry || any.UnpackTo(&retry);
    details.precondition = details.precondition || any.UnpackTo(&precondition);
  }
  return details;
}

// Whether `condition` comes true within some seconds.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

// A server on a loopback port over fakes, and a client of it.
class ServerUnderTest {
 public:
  explicit ServerUnderTest(ControlServerOptions options = {}) : executor_("test-store") {
    base::SetLogEnabled(false);
    options.listen = "127.0.0.1:0";
    store_.SetOnCommit([this](std::vector<events::StoredEvent> events) { hub_.Publish(std::move(events)); });
    auto server =
        ControlServer::Start(options, {control_, store_, executor_, hub_, nullptr, &operations_, {&speech_, nullptr}});
    EXPECT_TRUE(server.ok()) << server.status();
    if (server.ok()) server_ = *std::move(server);
    stub_ = NewStub();
  }

  std::unique_ptr<v1::CallService::Stub> NewStub(const grpc::ChannelArguments& arguments = grpc::ChannelArguments()) {
    return v1::CallService::NewStub(
        grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), arguments));
  }

  std::unique_ptr<v1::LeadService::Stub> NewLeadStub() {
    return v1::LeadService::NewStub(grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  }

  // A call with its first event.
  void Create(const std::string& call_id, absl::Duration later = absl::ZeroDuration()) {
    store::CallRecord call;
    call.call_id = call_id;
    call.from = "+15550001111";
    call.to = "+15559990000";
    call.agent = "front_desk";
    call.state = call::State::kRinging;
    call.create_time = kEpoch + later;
    call.metadata = {{"crm", "17"}};
    ASSERT_TRUE(store_.CreateCall(call, {{call_id, 1, call.create_time, call::CallCreated{}}}, absl::nullopt).ok());
  }
  void Apply(const store::CallWrite& write) {
    const absl::Status status = store_.Apply(write, nullptr);
    ASSERT_TRUE(status.ok()) << status;
  }
  void Add(const std::string& call_id, int64_t sequence, call::EventBody body = call::DtmfReceived{"5"}) {
    store::CallWrite write;
    write.call_id = call_id;
    write.events = {{call_id, sequence, kEpoch + absl::Seconds(sequence), std::move(body)}};
    Apply(write);
  }
  void End(const std::string& call_id, int64_t sequence, absl::Time when = kEpoch) {
    store::CallWrite write;
    write.call_id = call_id;
    write.events = {{call_id, sequence, when, call::CallEnded{}}};
    write.end.emplace();
    write.end->end_time = when;
    Apply(write);
  }

  // The server ends; what it worked with stays.
  void Destroy() { server_.reset(); }

  v1::CallService::Stub& stub() { return *stub_; }
  ControlServer& server() { return *server_; }
  store::MemoryCallStore& store() { return store_; }
  session::FakeCallControl& control() { return control_; }
  FakeOperations& operations() { return operations_; }
  events::SpeechHub& speech() { return speech_; }

 private:
  session::FakeCallControl control_;
  FakeOperations operations_;
  store::MemoryCallStore store_;
  events::EventHub hub_{0, 64};
  events::SpeechHub speech_;
  base::ThreadExecutor executor_;
  std::unique_ptr<ControlServer> server_;
  std::unique_ptr<v1::CallService::Stub> stub_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_TESTS_CONTROL_SERVER_UNDER_TEST_H_
