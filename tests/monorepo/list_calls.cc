// Prints the names of calls: list_calls host:port.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>

#include "callbridge/v1/call_service.grpc.pb.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto stub =
      callbridge::v1::CallService::NewStub(grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  callbridge::v1::ListCallsResponse response;
  const grpc::Status status = stub->ListCalls(&context, callbridge::v1::ListCallsRequest(), &response);
  if (!status.ok()) {
    std::printf("%s: status %d\n", callbridge::v1::CallService::service_full_name(), status.error_code());
    return 1;
  }
  for (const auto& call : response.calls()) std::printf("%s\n", call.name().c_str());
  return 0;
}
