#ifndef CALLBRIDGE_SRC_CONTROL_CALL_SERVICE_H_
#define CALLBRIDGE_SRC_CONTROL_CALL_SERVICE_H_

#include <chrono>

#include "callbridge/v1/call_service.grpc.pb.h"
#include "src/base/executor.h"
#include "src/control/authorize.h"
#include "src/control/event_stream.h"
#include "src/control/handle.h"
#include "src/control/steering_service.h"
#include "src/session/call_control.h"
#include "src/store/call_store.h"

namespace callbridge::control {

// The API on gRPC: each method authorizes, checks the request, and hands on to whoever knows. Never blocks; the store
// is read on its executor.
class CallService final : public SteeringService {
 public:
  // As SteeringService says.
  CallService(session::CallControl& control, store::CallStore& store, base::Executor& executor, EventStreams& streams,
              const Authorizer& authorizer, Forwarder* forwarder, std::chrono::milliseconds longest_unary)
      : SteeringService(control, store, executor, authorizer, forwarder, longest_unary),
        streams_(streams),
        desk_{store, executor, authorizer, longest_unary} {}

  grpc::ServerUnaryReactor* StartCall(grpc::CallbackServerContext* context, const v1::StartCallRequest* request,
                                      v1::StartCallResponse* response) override;
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
  grpc::ServerUnaryReactor* UpdateCall(grpc::CallbackServerContext* context, const v1::UpdateCallRequest* request,
                                       v1::UpdateCallResponse* response) override;
  grpc::ServerUnaryReactor* ListCallEvents(grpc::CallbackServerContext* context,
                                           const v1::ListCallEventsRequest* request,
                                           v1::ListCallEventsResponse* response) override;
  grpc::ServerWriteReactor<v1::StreamTranscriptResponse>* StreamTranscript(
      grpc::CallbackServerContext* context, const v1::StreamTranscriptRequest* request) override;
  grpc::ServerWriteReactor<v1::CallEventsResponse>* CallEvents(grpc::CallbackServerContext* context,
                                                               const v1::CallEventsRequest* request) override;

 private:
  EventStreams& streams_;
  const StoreDesk desk_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_CALL_SERVICE_H_
