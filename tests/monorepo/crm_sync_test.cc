// The worker against a CallService that breaks its first stream.

#include "crm_sync.h"

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <cstdlib>

#include "callbridge/v1/call_service.grpc.pb.h"

namespace v1 = callbridge::v1;

namespace {

class Service : public v1::CallService::Service {
  grpc::Status StartCall(grpc::ServerContext*, const v1::StartCallRequest* request,
                         v1::StartCallResponse* response) override {
    response->mutable_call()->set_name("calls/" + request->call().to());
    return grpc::Status::OK;
  }
  grpc::Status CallEvents(grpc::ServerContext*, const v1::CallEventsRequest* request,
                          grpc::ServerWriter<v1::CallEventsResponse>* writer) override {
    v1::CallEventsResponse message;
    message.mutable_event()->set_call(request->call());
    message.mutable_event()->set_sequence(1);
    message.mutable_event()->set_cursor("behind-1");
    message.mutable_event()->mutable_call_ended()->mutable_end()->set_reason(v1::END_REASON_NORMAL_HANGUP);
    if (request->after_cursor().empty()) {
      writer->Write(message);
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server stops");
    }
    if (request->after_cursor() != "behind-1") std::abort();
    message.mutable_event()->set_sequence(2);
    message.mutable_event()->mutable_summary_ready()->set_summary("Wants a boat.");
    writer->Write(message);
    return grpc::Status::OK;
  }
};

}  // namespace

int main() {
  Service service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  callbridge::client::ClientOptions options;
  options.address = "127.0.0.1:" + std::to_string(port);
  options.plaintext = true;
  callbridge::client::Client client(options);
  const auto outcomes = CallEverybody(client, {"+14155550100", "+14155550101"});
  if (!outcomes.ok()) {
    std::fprintf(stderr, "%s\n", outcomes.status().ToString().c_str());
    return 1;
  }
  for (const auto& [number, outcome] : *outcomes) {
    std::printf("%s %s %s\n", number.c_str(), outcome.end_reason.c_str(), outcome.summary.c_str());
    if (outcome.end_reason != "END_REASON_NORMAL_HANGUP" || outcome.summary != "Wants a boat.") return 1;
  }
  return outcomes->size() == 2 ? 0 : 1;
}
