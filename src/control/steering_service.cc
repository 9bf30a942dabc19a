#include "src/control/steering_service.h"

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/control/convert.h"
#include "src/control/forwarded_call.h"
#include "src/control/handle.h"
#include "src/control/pages.h"
#include "src/control/requests.h"
#include "src/control/status_map.h"

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

// What Parse() of Steer() gave, with what only passing on needs.
template <typename Request, typename Parsed>
struct Steered {
  Parsed parsed;
  std::string principal;
  Request request;
};

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
        control.EndCall(end.call_id, end.reason, [call, call_id = end.call_id](const absl::Status& status) {
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

}  // namespace callbridge::control
