#ifndef CALLBRIDGE_SRC_CONTROL_CALL_SERVICE_H_
#define CALLBRIDGE_SRC_CONTROL_CALL_SERVICE_H_

#include <chrono>
#include <memory>

#include "callbridge/v1/call_service.grpc.pb.h"
#include "src/base/executor.h"
#include "src/control/authorize.h"
#include "src/control/event_stream.h"
#include "src/session/call_control.h"
#include "src/store/call_store.h"

namespace callbridge::control {

// The API on gRPC: each method authorizes, checks the request, and hands on to whoever knows. Never blocks; the store
// is read on its executor.
class CallService final : public v1::CallService::CallbackService {
 public:
  struct Options {
    std::chrono::milliseconds longest_unary{30'000};  // For requests without a deadline.
  };

  // All outlive the server that this is registered with.
  CallService(session::CallControl& control, store::CallStore& store, base::Executor& executor, EventStreams& streams,
              const Authorizer& authorizer, const Options& options)
      : control_(control),
        store_(store),
        executor_(executor),
        streams_(streams),
        authorizer_(authorizer),
        options_(options) {}

  grpc::ServerUnaryReactor* StartCall(grpc::CallbackServerContext* context, const v1::StartCallRequest* request,
                                      v1::StartCallResponse* response) override;
  grpc::ServerUnaryReactor* EndCall(grpc::CallbackServerContext* context, const v1::EndCallRequest* request,
                                    v1::EndCallResponse* response) override;
  grpc::ServerUnaryReactor* TransferCall(grpc::CallbackServerContext* context, const v1::TransferCallRequest* request,
                                         v1::TransferCallResponse* response) override;
  grpc::ServerUnaryReactor* CancelTransfer(grpc::CallbackServerContext* context,
                                           const v1::CancelTransferRequest* request,
                                           v1::CancelTransferResponse* response) override;
  grpc::ServerUnaryReactor* GetTransfer(grpc::CallbackServerContext* context, const v1::GetTransferRequest* request,
                                        v1::GetTransferResponse* response) override;
  grpc::ServerUnaryReactor* ListTransfers(grpc::CallbackServerContext* context, const v1::ListTransfersRequest* request,
                                          v1::ListTransfersResponse* response) override;
  grpc::ServerUnaryReactor* GetCall(grpc::CallbackServerContext* context, const v1::GetCallRequest* request,
                                    v1::GetCallResponse* response) override;
  grpc::ServerUnaryReactor* ListCalls(grpc::CallbackServerContext* context, const v1::ListCallsRequest* request,
                                      v1::ListCallsResponse* response) override;
  grpc::ServerUnaryReactor* GetTranscript(grpc::CallbackServerContext* context, const v1::GetTranscriptRequest* request,
                                          v1::GetTranscriptResponse* response) override;
  grpc::ServerWriteReactor<v1::CallEventsResponse>* CallEvents(grpc::CallbackServerContext* context,
                                                               const v1::CallEventsRequest* request) override;

 private:
  // Authorizes, then `parse(principal)`, then `work(call, parsed)`; the first failure is the answer.
  template <typename Response, typename Parse, typename Work>
  grpc::ServerUnaryReactor* Handle(grpc::CallbackServerContext* context, absl::string_view method, Response* response,
                                   Parse parse, Work work);

  // Like Handle(), where `read(store, parsed)` runs on the executor and gives the answer.
  template <typename Response, typename Parse, typename Read>
  grpc::ServerUnaryReactor* HandleRead(grpc::CallbackServerContext* context, absl::string_view method,
                                       Response* response, Parse parse, Read read);

  session::CallControl& control_;
  store::CallStore& store_;
  base::Executor& executor_;
  EventStreams& streams_;
  const Authorizer& authorizer_;
  const Options options_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_CALL_SERVICE_H_
