#include "src/control/steering_service.h"

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "src/control/convert.h"
#include "src/control/forwarded_call.h"
#include "src/control/handle.h"
#include "src/control/pages.h"
#include "src/control/requests.h"
#include "src/control/status_map.h"
#include "src/control/steering_requests.h"

namespace callbridge::control {
namespace {

// Answers `call` with the transfer that CallControl comes back with.
template <typename Response>
std::function<void(absl::StatusOr<call::Transfer>)> AnswerWithTransfer(std::shared_ptr<UnaryCall<Response>> call,
                                                                       std::string call_id) {
  return [call = std::move(call), call_id = std::move(call_id)](const absl::StatusOr<call::Transfer>& result) {
    if (!result.ok()) return call->Finish(FromStore(result.status(), call_id));
    Response answer;
    *answer.mutable_transfer() = ToProto(call_id, *result);
    call->Finish(std::move(answer));
  };
}

template <typename Response>
Response SaysNothing(const session::CallControl::SteerRequest&, const session::CallControl::Steered&) {
  return Response();
}

// A request that is passed on, and perhaps tried there twice, is the same one each time.
template <typename Request>
void KeepRequestId(const session::CallControl::SteerRequest&, Request&) {}
template <typename Input, typename Request>
void KeepIdOf(const session::CallControl::SteerRequest& parsed, Request& request) {
  request.set_request_id(std::get<Input>(parsed.what).request_id);
}
void KeepRequestId(const session::CallControl::SteerRequest& parsed, v1::SayOnCallRequest& request) {
  KeepIdOf<call::input::SayRequested>(parsed, request);
}
void KeepRequestId(const session::CallControl::SteerRequest& parsed, v1::InjectContextRequest& request) {
  KeepIdOf<call::input::ContextGiven>(parsed, request);
}
void KeepRequestId(const session::CallControl::SteerRequest& parsed, v1::SendDtmfRequest& request) {
  KeepIdOf<call::input::DtmfRequested>(parsed, request);
}

// What Parse() of Steer() gave, with what only passing on needs.
template <typename Request, typename Parsed>
struct Steered {
  Parsed parsed;
  std::string principal;
  Request request;
};

// Requests whose record says who asked take the name; for others it is no matter.
void SetPrincipal(const std::string&, EndRequest&) {}
void SetPrincipal(const std::string&, session::CallControl::TransferRequest&) {}
void SetPrincipal(const std::string&, TransferKey&) {}

}  // namespace

template <typename Request, typename Response, typename Parse, typename Here>
grpc::ServerUnaryReactor* SteeringService::Steer(grpc::CallbackServerContext* context, absl::string_view method,
                                                 const Request& request, Response* response, Parse parse, Here here) {
  const std::string full_name = absl::StrCat("/", v1::CallService::service_full_name(), "/", method);
  using Parsed = typename std::invoke_result_t<Parse, Request*>::value_type;
  const auto parse_all = [&](const std::string& principal) -> absl::StatusOr<Steered<Request, Parsed>> {
    Request copy = request;
    auto parsed = parse(&copy);
    if (!parsed.ok()) return parsed.status();
    SetPrincipal(principal, *parsed);
    return Steered<Request, Parsed>{*std::move(parsed), principal, std::move(copy)};
  };
  return HandleUnary(authorizer_, longest_unary_, context, full_name, response, parse_all,
                     [&](const std::shared_ptr<UnaryCall<Response>>& call, Steered<Request, Parsed> steered) {
                       const std::string call_id = steered.parsed.call_id;
                       auto now = [call, here, parsed = std::move(steered.parsed)] {
                         // The last moment at which nothing is done for a client that has gone.
                         if (call->finished()) return call->Finish(absl::CancelledError("the client went away"));
                         call->Guard([&] { here(call, parsed); });
                       };
                       if (forwarder_ == nullptr || control_.IsLive(call_id)) return now();
                       if (clients_ == Clients::kPublic) {
                         ForwardedCall<Request, Response>::Begin(call, *forwarder_, executor_,
                                                                 {full_name, call_id, std::move(steered.principal),
                                                                  std::move(steered.request), std::move(now)});
                         return;
                       }
                       executor_.Post([call, call_id, now = std::move(now), forwarder = forwarder_] {
                         call->Guard([&] {
                           const absl::Status over = forwarder->CheckOver(call_id);
                           if (!over.ok()) return call->Finish(FromStore(over, call_id));
                           now();
                         });
                       });
                     });
}

grpc::ServerUnaryReactor* SteeringService::EndCall(grpc::CallbackServerContext* context,
                                                   const v1::EndCallRequest* request, v1::EndCallResponse* response) {
  return Steer(
      context, "EndCall", *request, response, [](const v1::EndCallRequest* sent) { return ParseEndCall(*sent); },
      [&control = control_](const auto& call, const EndRequest& end) {
        control.EndCall(end.call_id, end.reason, end.goodbye,
                        [call, call_id = end.call_id](const absl::Status& status) {
                          if (!status.ok()) return call->Finish(FromStore(status, call_id));
                          call->Finish(v1::EndCallResponse());
                        });
      });
}

grpc::ServerUnaryReactor* SteeringService::TransferCall(grpc::CallbackServerContext* context,
                                                        const v1::TransferCallRequest* request,
                                                        v1::TransferCallResponse* response) {
  return Steer(
      context, "TransferCall", *request, response,
      [&control = control_](v1::TransferCallRequest* sent) {
        auto transfer = ParseTransferCall(*sent, control.Destinations());
        // Decided here, so that a second try at another node is the same transfer.
        if (transfer.ok()) sent->set_request_id(transfer->transfer_id);
        return transfer;
      },
      [&control = control_](const auto& call, const session::CallControl::TransferRequest& transfer) {
        control.TransferCall(transfer, AnswerWithTransfer<v1::TransferCallResponse>(call, transfer.call_id));
      });
}

grpc::ServerUnaryReactor* SteeringService::CancelTransfer(grpc::CallbackServerContext* context,
                                                          const v1::CancelTransferRequest* request,
                                                          v1::CancelTransferResponse* response) {
  return Steer(
      context, "CancelTransfer", *request, response,
      [](const v1::CancelTransferRequest* sent) { return ParseTransferName("transfer", sent->transfer()); },
      [&control = control_, &executor = executor_, &store = store_](const auto& call, const TransferKey& key) {
        auto done = [answer = AnswerWithTransfer<v1::CancelTransferResponse>(call, key.call_id), call, key, &executor,
                     &store](const absl::StatusOr<call::Transfer>& result) {
          if (!absl::IsFailedPrecondition(result.status())) return answer(result);
          executor.Post([call, key, refused = result.status(), &store] {
            call->Guard([&] { call->Finish(ReadRefusedCancel(store, key, refused)); });
          });
        };
        control.CancelTransfer(key.call_id, key.transfer_id, std::move(done));
      });
}

template <typename Request, typename Response, typename Answer>
grpc::ServerUnaryReactor* SteeringService::SteerLive(grpc::CallbackServerContext* context, absl::string_view method,
                                                     const Request& request, Response* response, Answer answer) {
  return Steer(
      context, method, request, response,
      [](Request* sent) {
        auto parsed = ParseSteering(*sent);
        if (parsed.ok()) KeepRequestId(*parsed, *sent);
        return parsed;
      },
      [&control = control_, answer](const auto& call, const session::CallControl::SteerRequest& asked) {
        control.Steer(asked, [call, asked, answer](const absl::StatusOr<session::CallControl::Steered>& now) {
          if (!now.ok()) return call->Finish(FromStore(now.status(), asked.call_id));
          call->Finish(answer(asked, *now));
        });
      });
}

grpc::ServerUnaryReactor* SteeringService::SayOnCall(grpc::CallbackServerContext* context,
                                                     const v1::SayOnCallRequest* request,
                                                     v1::SayOnCallResponse* response) {
  return SteerLive(context, "SayOnCall", *request, response,
                   [](const session::CallControl::SteerRequest& asked, const auto&) {
                     v1::SayOnCallResponse answer;
                     answer.set_request_id(std::get<call::input::SayRequested>(asked.what).request_id);
                     return answer;
                   });
}

grpc::ServerUnaryReactor* SteeringService::InjectContext(grpc::CallbackServerContext* context,
                                                         const v1::InjectContextRequest* request,
                                                         v1::InjectContextResponse* response) {
  return SteerLive(context, "InjectContext", *request, response, SaysNothing<v1::InjectContextResponse>);
}

grpc::ServerUnaryReactor* SteeringService::UpdateInstructions(grpc::CallbackServerContext* context,
                                                              const v1::UpdateInstructionsRequest* request,
                                                              v1::UpdateInstructionsResponse* response) {
  return SteerLive(context, "UpdateInstructions", *request, response, SaysNothing<v1::UpdateInstructionsResponse>);
}

grpc::ServerUnaryReactor* SteeringService::SendDtmf(grpc::CallbackServerContext* context,
                                                    const v1::SendDtmfRequest* request,
                                                    v1::SendDtmfResponse* response) {
  return SteerLive(context, "SendDtmf", *request, response, SaysNothing<v1::SendDtmfResponse>);
}

grpc::ServerUnaryReactor* SteeringService::MuteCall(grpc::CallbackServerContext* context,
                                                    const v1::MuteCallRequest* request,
                                                    v1::MuteCallResponse* response) {
  return SteerLive(context, "MuteCall", *request, response, [](const auto&, const session::CallControl::Steered& now) {
    v1::MuteCallResponse answer;
    answer.set_caller_muted(now.caller_muted);
    answer.set_assistant_muted(now.assistant_muted);
    return answer;
  });
}

grpc::ServerUnaryReactor* SteeringService::TakeoverCall(grpc::CallbackServerContext* context,
                                                        const v1::TakeoverCallRequest* request,
                                                        v1::TakeoverCallResponse* response) {
  return SteerLive(context, "TakeoverCall", *request, response, SaysNothing<v1::TakeoverCallResponse>);
}

grpc::ServerUnaryReactor* SteeringService::ReleaseCall(grpc::CallbackServerContext* context,
                                                       const v1::ReleaseCallRequest* request,
                                                       v1::ReleaseCallResponse* response) {
  return SteerLive(context, "ReleaseCall", *request, response, SaysNothing<v1::ReleaseCallResponse>);
}

grpc::ServerUnaryReactor* SteeringService::SubmitToolResult(grpc::CallbackServerContext* context,
                                                            const v1::SubmitToolResultRequest* request,
                                                            v1::SubmitToolResultResponse* response) {
  return SteerLive(context, "SubmitToolResult", *request, response, SaysNothing<v1::SubmitToolResultResponse>);
}

}  // namespace callbridge::control
