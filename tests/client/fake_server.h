#ifndef CALLBRIDGE_TESTS_CLIENT_FAKE_SERVER_H_
#define CALLBRIDGE_TESTS_CLIENT_FAKE_SERVER_H_

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "callbridge/v1/call_service.grpc.pb.h"
#include "google/protobuf/any.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "src/base/mutex.h"
#include "src/client/channel.h"

namespace callbridge::client {

using Writer = grpc::ServerWriter<v1::CallEventsResponse>;

inline v1::CallEventsResponse Event(const std::string& call, int64_t sequence, const std::string& cursor) {
  v1::CallEventsResponse message;
  message.mutable_event()->set_call(call);
  message.mutable_event()->set_sequence(sequence);
  message.mutable_event()->set_cursor(cursor);
  return message;
}
inline v1::CallEventsResponse Beat(const std::string& cursor) {
  v1::CallEventsResponse message;
  message.mutable_heartbeat()->set_cursor(cursor);
  return message;
}
inline v1::CallEventsResponse CaughtUpAt(const std::string& cursor) {
  v1::CallEventsResponse message;
  message.mutable_caught_up()->set_cursor(cursor);
  return message;
}

// An error as callbridge's.
inline grpc::Status Failing(grpc::StatusCode code, const std::string& reason,
                            const std::map<std::string, std::string>& metadata = {}, int retry_milliseconds = 0) {
  google::rpc::Status status;
  status.set_code(code);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("callbridge");
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  status.add_details()->PackFrom(info);
  if (retry_milliseconds > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_nanos(retry_milliseconds * 1'000'000);
    status.add_details()->PackFrom(retry);
  }
  return grpc::Status(code, absl::StrCat("said ", reason), status.SerializeAsString());
}

// A CallService that answers as a test says, at an address that stays the same when it is started again.
class FakeServer : public v1::CallService::Service {
 public:
  // The nth stream, from 0 over all starts.
  using Streams = std::function<grpc::Status(size_t nth, grpc::ServerContext&, Writer&)>;
  using Starts = std::function<grpc::Status(size_t nth)>;

  explicit FakeServer(Streams streams, Starts starts = nullptr)
      : streams_(std::move(streams)), starts_(std::move(starts)) {
    static int number = 0;
    // An abstract name: nobody takes it while the server is down, and no path is too long.
    address_ = absl::StrCat("unix-abstract:callbridge-fake-", getpid(), "-", ++number);
    Start();
  }
  ~FakeServer() override { Stop(); }

  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr) << address_;
  }
  // At once: streams break.
  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }

  ClientOptions Options() const {
    ClientOptions options;
    options.address = address_;
    options.plaintext = true;
    options.token = "let-me-in";
    options.first_pause = absl::Milliseconds(5);
    options.longest_pause = absl::Milliseconds(40);
    return options;
  }

  // What was asked, so far.
  std::vector<v1::CallEventsRequest> subscriptions() const {
    base::MutexLock lock(mutex_);
    return subscriptions_;
  }
  std::vector<v1::StartCallRequest> started() const {
    base::MutexLock lock(mutex_);
    return started_;
  }
  std::string authorization() const {
    base::MutexLock lock(mutex_);
    return authorization_;
  }

  grpc::Status CallEvents(grpc::ServerContext* context, const v1::CallEventsRequest* request, Writer* writer) override {
    size_t nth = 0;
    {
      base::MutexLock lock(mutex_);
      Remember(*context);
      nth = subscriptions_.size();
      subscriptions_.push_back(*request);
    }
    return streams_(nth, *context, *writer);
  }
  grpc::Status StartCall(grpc::ServerContext* context, const v1::StartCallRequest* request,
                         v1::StartCallResponse* response) override {
    size_t nth = 0;
    {
      base::MutexLock lock(mutex_);
      Remember(*context);
      nth = started_.size();
      started_.push_back(*request);
    }
    response->mutable_call()->set_name("calls/" + request->request_id());
    return starts_(nth);
  }

 private:
  void Remember(const grpc::ServerContext& context) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto it = context.client_metadata().find("authorization");
    authorization_ = it == context.client_metadata().end() ? "" : std::string(it->second.data(), it->second.size());
  }

  const Streams streams_;
  const Starts starts_;
  std::string address_;
  mutable base::Mutex mutex_;
  std::vector<v1::CallEventsRequest> subscriptions_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::StartCallRequest> started_ ABSL_GUARDED_BY(mutex_);
  std::string authorization_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace callbridge::client

#endif  // CALLBRIDGE_TESTS_CLIENT_FAKE_SERVER_H_
