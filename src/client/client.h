#ifndef CALLBRIDGE_SRC_CLIENT_CLIENT_H_
#define CALLBRIDGE_SRC_CLIENT_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "callbridge/v1/call_service.grpc.pb.h"
#include "src/base/ids.h"
#include "src/client/channel.h"
#include "src/client/event_reader.h"

namespace callbridge::client {

// `client.Ask(&Calls::GetCall, request)`.
using Calls = v1::CallService::StubInterface;

// A client of callbridge: requests with a deadline, made again where that is safe, and event streams that go on by
// themselves. Errors are the server's, with what Explain says. Any thread.
class Client {
 public:
  // Connects with the first request.
  explicit Client(const ClientOptions& options);

  // kUnavailable: no gRPC server answers within `at_most`.
  absl::Status WaitUntilConnected(absl::Duration at_most);

  // One request, with as many attempts as ClientOptions says while the answer is UNAVAILABLE and there is time, no
  // sooner than the server asks. A repeat of a request never does anything twice: one that has a `request_id` and none
  // in it is given one, and of the others the contract says so.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (Calls::*method)(grpc::ClientContext*, const Request&, Response*),
                               Request request) {
    return Ask(*calls_, method, std::move(request));
  }

  // The same of another service: Ask(*stub, &v1::LeadService::StubInterface::GetLead, request), where `stub` is
  // v1::LeadService::NewStub(client.channel()).
  template <typename Stub, typename Interface, typename Request, typename Response>
  absl::StatusOr<Response> Ask(Stub& stub,
                               grpc::Status (Interface::*method)(grpc::ClientContext*, const Request&, Response*),
                               Request request) {
    GiveRequestId(request, 0);
    Response response;
    const absl::Status status = Try([&](grpc::ClientContext& context) {
      response.Clear();
      return (stub.*method)(&context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }

  // The reader must not outlive the process's main(), as nothing of gRPC may; it may outlive the client.
  std::unique_ptr<EventReader> ReadEvents(const EventReaderOptions& options);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  template <typename Request>
  static auto GiveRequestId(Request& request, int) -> decltype(request.set_request_id(""), void()) {
    if (request.request_id().empty()) request.set_request_id(base::NewUuid());
  }
  template <typename Request>
  static void GiveRequestId(Request&, long) {}

  absl::Status Try(const std::function<grpc::Status(grpc::ClientContext&)>& once) const;

  const ClientOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<Calls> calls_;
};

}  // namespace callbridge::client

#endif  // CALLBRIDGE_SRC_CLIENT_CLIENT_H_
