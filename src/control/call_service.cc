#include "src/control/call_service.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/control/convert.h"
#include "src/control/event_pages.h"
#include "src/control/handle.h"
#include "src/control/pages.h"
#include "src/control/requests.h"
#include "src/control/status_map.h"
#include "src/control/transcript_stream.h"

namespace callbridge::control {
namespace {

std::string FullName(absl::string_view method) {
  return absl::StrCat("/", v1::CallService::service_full_name(), "/", method);
}

}  // namespace

grpc::ServerUnaryReactor* CallService::StartCall(grpc::CallbackServerContext* context,
                                                 const v1::StartCallRequest* request, v1::StartCallResponse* response) {
  return HandleUnary(
      authorizer_, longest_unary_, context, FullName("StartCall"), response,
      [&](const std::string& principal) { return ParseStartCall(*request, principal); },
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

grpc::ServerUnaryReactor* CallService::GetTransfer(grpc::CallbackServerContext* context,
                                                   const v1::GetTransferRequest* request,
                                                   v1::GetTransferResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("GetTransfer"), response,
      [&](const std::string&) { return ParseTransferName("transfer", request->transfer()); }, ReadTransfer);
}

grpc::ServerUnaryReactor* CallService::ListTransfers(grpc::CallbackServerContext* context,
                                                     const v1::ListTransfersRequest* request,
                                                     v1::ListTransfersResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("ListTransfers"), response,
      [&](const std::string&) { return ParseCallName("call", request->call()); }, ReadTransfers);
}

grpc::ServerUnaryReactor* CallService::GetCall(grpc::CallbackServerContext* context, const v1::GetCallRequest* request,
                                               v1::GetCallResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("GetCall"), response,
      [&](const std::string&) { return ParseCallName("call", request->call()); },
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
  return HandleOnStore(
      desk_, context, FullName("ListCalls"), response, [&](const std::string&) { return ParseListCalls(*request); },
      ReadCallsPage);
}

grpc::ServerUnaryReactor* CallService::GetTranscript(grpc::CallbackServerContext* context,
                                                     const v1::GetTranscriptRequest* request,
                                                     v1::GetTranscriptResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("GetTranscript"), response,
      [&](const std::string& principal) { return ParseGetTranscript(*request, principal); }, ReadTranscriptPage);
}

grpc::ServerUnaryReactor* CallService::UpdateCall(grpc::CallbackServerContext* context,
                                                  const v1::UpdateCallRequest* request,
                                                  v1::UpdateCallResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("UpdateCall"), response, [&](const std::string&) { return ParseUpdateCall(*request); },
      [](store::CallStore& store, const store::CallUpdate& update) -> absl::StatusOr<v1::UpdateCallResponse> {
        const auto record = store.UpdateCall(update);
        if (!record.ok()) return FromStore(record.status(), update.call_id);
        v1::UpdateCallResponse answer;
        *answer.mutable_call() = ToProto(*record);
        return answer;
      });
}

grpc::ServerUnaryReactor* CallService::ListCallEvents(grpc::CallbackServerContext* context,
                                                      const v1::ListCallEventsRequest* request,
                                                      v1::ListCallEventsResponse* response) {
  return HandleOnStore(
      desk_, context, FullName("ListCallEvents"), response,
      [&](const std::string&) { return ParseListCallEvents(*request); }, ReadEventsPage);
}

grpc::ServerWriteReactor<v1::StreamTranscriptResponse>* CallService::StreamTranscript(
    grpc::CallbackServerContext* context, const v1::StreamTranscriptRequest* request) {
  const auto principal = authorizer_.Authorize(*context, FullName("StreamTranscript"));
  if (!principal.ok()) return OpenTranscriptStream(streams_, context, principal.status());
  return OpenTranscriptStream(streams_, context, ParseStreamTranscript(*request, *principal));
}

grpc::ServerWriteReactor<v1::CallEventsResponse>* CallService::CallEvents(grpc::CallbackServerContext* context,
                                                                          const v1::CallEventsRequest* request) {
  const auto principal = authorizer_.Authorize(*context, FullName("CallEvents"));
  if (!principal.ok()) return streams_.Open(context, principal.status());
  return streams_.Open(context, ParseCallEvents(*request));
}

}  // namespace callbridge::control
