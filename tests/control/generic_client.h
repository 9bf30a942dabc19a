#ifndef CALLBRIDGE_TESTS_CONTROL_GENERIC_CLIENT_H_
#define CALLBRIDGE_TESTS_CONTROL_GENERIC_CLIENT_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace callbridge::control {

// Makes any RPC of the linked protos from the text of its request: for what must hold for all of them.
class GenericClient {
 public:
  explicit GenericClient(const std::shared_ptr<grpc::Channel>& channel) : stub_(channel) {}

  struct Options {
    std::map<std::string, std::string> metadata;
    std::chrono::milliseconds deadline{0};      // 0: none.
    std::chrono::milliseconds cancel_after{0};  // 0: not.
  };

  // To the end of a unary RPC; of a stream, to its first message (then the status is OK) or its end.
  grpc::Status Call(const google::protobuf::MethodDescriptor& method, const std::string& request,
                    const Options& options) {
    grpc::ClientContext context;
    for (const auto& [key, value] : options.metadata) context.AddMetadata(key, value);
    if (options.deadline.count() > 0) context.set_deadline(std::chrono::system_clock::now() + options.deadline);
    grpc::CompletionQueue queue;
    const std::string path = "/" + method.service()->full_name() + "/" + method.name();
    const auto call = stub_.PrepareCall(&context, path, &queue);
    call->StartCall(Tag(kStart));
    grpc::Status status;
    grpc::ByteBuffer answer;
    if (Wait(queue)) {
      call->WriteLast(Serialize(method, request), grpc::WriteOptions(), Tag(kWrite));
      Wait(queue);
    }
    call->Read(&answer, Tag(kRead));
    if (options.cancel_after.count() > 0) {
      void* tag = nullptr;
      bool ok = false;
      const auto until = std::chrono::system_clock::now() + options.cancel_after;
      if (queue.AsyncNext(&tag, &ok, until) == grpc::CompletionQueue::TIMEOUT) {
        context.TryCancel();
        Wait(queue);
      }
    } else if (Wait(queue) && method.server_streaming()) {
      context.TryCancel();
      Finish(*call, queue, status);
      return grpc::Status::OK;
    }
    Finish(*call, queue, status);
    return status;
  }

 private:
  enum Step { kStart = 1, kWrite, kRead, kFinish };
  static void* Tag(Step step) { return reinterpret_cast<void*>(step); }

  static bool Wait(grpc::CompletionQueue& queue) {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  }
  static void Finish(grpc::GenericClientAsyncReaderWriter& call, grpc::CompletionQueue& queue, grpc::Status& status) {
    call.Finish(&status, Tag(kFinish));
    Wait(queue);
    queue.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) {
    }
  }

  grpc::ByteBuffer Serialize(const google::protobuf::MethodDescriptor& method, const std::string& text) {
    const std::unique_ptr<google::protobuf::Message> request(factory_.GetPrototype(method.input_type())->New());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, request.get())) << method.full_name();
    const grpc::Slice slice(request->SerializeAsString());
    return grpc::ByteBuffer(&slice, 1);
  }

  google::protobuf::DynamicMessageFactory factory_;
  grpc::GenericStub stub_;
};

// All methods of the package callbridge.v1, in the order in which they are written.
inline std::vector<const google::protobuf::MethodDescriptor*> AllMethods() {
  std::vector<const google::protobuf::MethodDescriptor*> methods;
  for (const char* const file : {"call", "lead", "operations"}) {
    const auto* const found = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
        "callbridge/v1/" + std::string(file) + "_service.proto");
    for (int i = 0; found != nullptr && i < found->service_count(); ++i) {
      for (int j = 0; j < found->service(i)->method_count(); ++j) methods.push_back(found->service(i)->method(j));
    }
  }
  return methods;
}

}  // namespace callbridge::control

#endif  // CALLBRIDGE_TESTS_CONTROL_GENERIC_CLIENT_H_
