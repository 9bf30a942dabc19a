#include "src/control/call_service.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/control/convert.h"
#include "src/control/pages.h"
#include "src/control/requests.h"
#include "src/control/status_map.h"
#include "src/control/unary_call.h"

namespace callbridge::control {
namespace {

std::string FullName(absl::string_view method) {
  return absl::StrCat("/", v1::CallService::service_full_name(), "/", method);
}

// CallControl names fields of a call ("to"); in the request they are inside of `call`.
absl::Status InsideCall(const absl::Status& status) {
  const base::ErrorInfo info = base::GetErrorInfo(status);
  if (info.field.empty() || info.field == "request_id" || info.field.rfind("call.", 0) == 0) return status;
  auto metadata = info.metadata;
  metadata["field"] = absl::StrCat("call.", info.field);
  const bool begins_with_it = absl::StartsWith(status.message(), absl::StrCat(info.field, ": "));
  return base::MakeError(status.code(), info.reason, absl::StrCat(begins_with_it ? "call." : "", status.message()),
                         metadata);
}

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

}  // namespace

template <typename Response, typename Parse, typename Work>
grpc::ServerUnaryReactor* CallService::Handle(grpc::CallbackServerContext* context, absl::string_view method,
                                              Response* response, Parse parse, Work work) {
  const auto call = UnaryCall<Response>::Begin(context, response, options_.longest_unary);
  call->Guard([&] {
    const auto principal = authorizer_.Authorize(*context, FullName(method));
    if (!principal.ok()) return call->Finish(principal.status());
    auto parsed = parse(*principal);
    if (!parsed.ok()) return call->Finish(parsed.status());
    work(call, *std::move(parsed));
  });
  return call->reactor();
}

template <typename Response, typename Parse, typename Read>
grpc::ServerUnaryReactor* CallService::HandleRead(grpc::CallbackServerContext* context, absl::string_view method,
                                                  Response* response, Parse parse, Read read) {
  return Handle(context, method, response, std::move(parse), [this, &read](const auto& call, auto parsed) {
    // The task may run when this service is gone, so it has the store only.
    executor_.Post([call, parsed = std::move(parsed), read = std::move(read), &store = store_] {
      if (call->finished()) return call->Finish(absl::CancelledError("the client went away"));
      call->Guard([&] { call->Finish(read(store, parsed)); });
    });
  });
}

grpc::ServerUnaryReactor* CallService::StartCall(grpc::CallbackServerContext* context,
                                                 const v1::StartCallRequest* request, v1::StartCallResponse* response) {
  return Handle(
      context, "StartCall", response, [&](const std::string& principal) { return ParseStartCall(*request, principal); },
      [&](const auto& call, session::CallControl::StartRequest start) {
        // The last moment at which nobody is called for a client that has gone.
        if (context->IsCancelled()) return call->Finish(absl::CancelledError("the client went away"));
        control_.StartCall(std::move(start), [call](absl::StatusOr<store::CallRecord> record) {
          if (!record.ok()) return call->Finish(InsideCall(record.status()));
          v1::StartCallResponse answer;
          *answer.mutable_call() = ToProto(*record);
          call->Finish(std::move(answer));
        });
      });
}

grpc::ServerUnaryReactor* CallService::EndCall(grpc::CallbackServerContext* context, const v1::EndCallRequest* request,
                                               v1::EndCallResponse* response) {
  return Handle(
      context, "EndCall", response, [&](const std::string&) { return ParseEndCall(*request); },
      [&](const auto& call, const EndRequest& end) {
        control_.EndCall(end.call_id, end.reason, [call, call_id = end.call_id](const absl::Status& status) {
          if (!status.ok()) return call->Finish(FromStore(status, call_id));
          call->Finish(v1::EndCallResponse());
        });
      });
}

grpc::ServerUnaryReactor* CallService::TransferCall(grpc::CallbackServerContext* context,
                                                    const v1::TransferCallRequest* request,
                                                    v1::TransferCallResponse* response) {
  return Handle(
      context, "TransferCall", response,
      [&](const std::string&) { return ParseTransferCall(*request, control_.Destinations()); },
      [&](const auto& call, session::CallControl::TransferRequest transfer) {
        if (context->IsCancelled()) return call->Finish(absl::CancelledError("the client went away"));
        auto done = AnswerWithTransfer<v1::TransferCallResponse>(call, transfer.call_id);
        control_.TransferCall(std::move(transfer), std::move(done));
      });
}

grpc::ServerUnaryReactor* CallService::CancelTransfer(grpc::CallbackServerContext* context,
                                                      const v1::CancelTransferRequest* request,
                                                      v1::CancelTransferResponse* response) {
  return Handle(
      context, "CancelTransfer", response,
      [&](const std::string&) { return ParseTransferName("transfer", request->transfer()); },
      [&](const auto& call, const TransferKey& key) {
        auto done = [answer = AnswerWithTransfer<v1::CancelTransferResponse>(call, key.call_id), call, key,
                     &executor = executor_, &store = store_](const absl::StatusOr<call::Transfer>& result) {
          if (!absl::IsFailedPrecondition(result.status())) return answer(result);
          executor.Post([call, key, refused = result.status(), &store] {
            call->Guard([&] { call->Finish(ReadRefusedCancel(store, key, refused)); });
          });
        };
        control_.CancelTransfer(key.call_id, key.transfer_id, std::move(done));
      });
}

grpc::ServerUnaryReactor* CallService::GetTransfer(grpc::CallbackServerContext* context,
                                                   const v1::GetTransferRequest* request,
                                                   v1::GetTransferResponse* response) {
  return HandleRead(
      context, "GetTransfer", response,
      [&](const std::string&) { return ParseTransferName("transfer", request->transfer()); }, ReadTransfer);
}

grpc::ServerUnaryReactor* CallService::ListTransfers(grpc::CallbackServerContext* context,
                                                     const v1::ListTransfersRequest* request,
                                                     v1::ListTransfersResponse* response) {
  return HandleRead(
      context, "ListTransfers", response, [&](const std::string&) { return ParseCallName("call", request->call()); },
      ReadTransfers);
}

grpc::ServerUnaryReactor* CallService::GetCall(grpc::CallbackServerContext* context, const v1::GetCallRequest* request,
                                               v1::GetCallResponse* response) {
  return HandleRead(
      context, "GetCall", response, [&](const std::string&) { return ParseCallName("call", request->call()); },
      [](store::CallStore& store, const std::string& call_id) -> absl::StatusOr<v1::GetCallResponse> {
        const auto record = store.GetCall(call_id);
        if (!record.ok()) return FromStore(record.status(), call_id);
        v1::GetCallResponse answer;
        *answer.mutable_call() = ToProto(*record);
        return answer;
      });
}

grpc::ServerUnaryReactor* CallService::ListCalls(grpc::CallbackServerContext* context,
                                                 const v1::ListCallsRequest* request, v1::ListCallsResponse* response) {
  return HandleRead(
      context, "ListCalls", response, [&](const std::string&) { return ParseListCalls(*request); }, ReadCallsPage);
}

grpc::ServerUnaryReactor* CallService::GetTranscript(grpc::CallbackServerContext* context,
                                                     const v1::GetTranscriptRequest* request,
                                                     v1::GetTranscriptResponse* response) {
  return HandleRead(
      context, "GetTranscript", response,
      [&](const std::string& principal) { return ParseGetTranscript(*request, principal); }, ReadTranscriptPage);
}

grpc::ServerWriteReactor<v1::CallEventsResponse>* CallService::CallEvents(grpc::CallbackServerContext* context,
                                                                          const v1::CallEventsRequest* request) {
  const auto principal = authorizer_.Authorize(*context, FullName("CallEvents"));
  if (!principal.ok()) return streams_.Open(context, principal.status());
  return streams_.Open(context, ParseCallEvents(*request));
}

}  // namespace callbridge::control
