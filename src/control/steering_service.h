#ifndef CALLBRIDGE_SRC_CONTROL_STEERING_SERVICE_H_
#define CALLBRIDGE_SRC_CONTROL_STEERING_SERVICE_H_

#include <chrono>

#include "absl/strings/string_view.h"
#include "callbridge/v1/call_service.grpc.pb.h"
#include "src/base/executor.h"
#include "src/control/authorize.h"
#include "src/control/forwarder.h"
#include "src/session/call_control.h"
#include "src/store/call_store.h"

namespace callbridge::control {

// The RPCs about a live call, which only the process that has the call can carry out. Each is one line of Steer() away
// from being passed on to that process. On the node-to-node port this is all there is: other RPCs are UNIMPLEMENTED.
// Never blocks; the store is read on its executor.
class SteeringService : public v1::CallService::CallbackService {
 public:
  enum class Clients {
    kPublic,  // They do not know who has the call: requests are passed on.
    kPeers,   // They have looked: requests are carried out here, or answered OWNER_CHANGED.
  };

  // All outlive the server that this is registered with. `forwarder` may be null where there is one process only; not
  // with kPeers. `longest_unary` is for requests without a deadline.
  SteeringService(session::CallControl& control, store::CallStore& store, base::Executor& executor,
                  const Authorizer& authorizer, Forwarder* forwarder, std::chrono::milliseconds longest_unary,
                  Clients clients = Clients::kPublic)
      : control_(control),
        store_(store),
        executor_(executor),
        authorizer_(authorizer),
        longest_unary_(longest_unary),
        forwarder_(forwarder),
        clients_(clients) {}

  grpc::ServerUnaryReactor* EndCall(grpc::CallbackServerContext* context, const v1::EndCallRequest* request,
                                    v1::EndCallResponse* response) override;
  grpc::ServerUnaryReactor* TransferCall(grpc::CallbackServerContext* context, const v1::TransferCallRequest* request,
                                         v1::TransferCallResponse* response) override;
  grpc::ServerUnaryReactor* CancelTransfer(grpc::CallbackServerContext* context,
                                           const v1::CancelTransferRequest* request,
                                           v1::CancelTransferResponse* response) override;
  grpc::ServerUnaryReactor* SayOnCall(grpc::CallbackServerContext* context, const v1::SayOnCallRequest* request,
                                      v1::SayOnCallResponse* response) override;
  grpc::ServerUnaryReactor* InjectContext(grpc::CallbackServerContext* context, const v1::InjectContextRequest* request,
                                          v1::InjectContextResponse* response) override;
  grpc::ServerUnaryReactor* UpdateInstructions(grpc::CallbackServerContext* context,
                                               const v1::UpdateInstructionsRequest* request,
                                               v1::UpdateInstructionsResponse* response) override;
  grpc::ServerUnaryReactor* SendDtmf(grpc::CallbackServerContext* context, const v1::SendDtmfRequest* request,
                                     v1::SendDtmfResponse* response) override;
  grpc::ServerUnaryReactor* MuteCall(grpc::CallbackServerContext* context, const v1::MuteCallRequest* request,
                                     v1::MuteCallResponse* response) override;
  grpc::ServerUnaryReactor* TakeoverCall(grpc::CallbackServerContext* context, const v1::TakeoverCallRequest* request,
                                         v1::TakeoverCallResponse* response) override;
  grpc::ServerUnaryReactor* ReleaseCall(grpc::CallbackServerContext* context, const v1::ReleaseCallRequest* request,
                                        v1::ReleaseCallResponse* response) override;
  grpc::ServerUnaryReactor* SubmitToolResult(grpc::CallbackServerContext* context,
                                             const v1::SubmitToolResultRequest* request,
                                             v1::SubmitToolResultResponse* response) override;

 protected:
  session::CallControl& control_;
  store::CallStore& store_;
  base::Executor& executor_;
  const Authorizer& authorizer_;
  const std::chrono::milliseconds longest_unary_;

 private:
  // Those that need no more than CallControl::Steer(). `answer(parsed, steered)` makes the response.
  template <typename Request, typename Response, typename Answer>
  grpc::ServerUnaryReactor* SteerLive(grpc::CallbackServerContext* context, absl::string_view method,
                                      const Request& request, Response* response, Answer answer);
  // `parse(principal, request)` gives what has a `call_id`, and may complete the copy of the request that is passed on.
  // `here(call, parsed)` carries it out, now or later, on any thread: it must not refer to context or request.
  template <typename Request, typename Response, typename Parse, typename Here>
  grpc::ServerUnaryReactor* Steer(grpc::CallbackServerContext* context, absl::string_view method,
                                  const Request& request, Response* response, Parse parse, Here here);

  Forwarder* const forwarder_;
  const Clients clients_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_STEERING_SERVICE_H_
