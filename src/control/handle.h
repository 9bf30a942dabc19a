#ifndef CALLBRIDGE_SRC_CONTROL_HANDLE_H_
#define CALLBRIDGE_SRC_CONTROL_HANDLE_H_

#include <grpcpp/server_context.h>

#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "src/base/executor.h"
#include "src/control/authorize.h"
#include "src/control/unary_call.h"
#include "src/store/call_store.h"

namespace callbridge::control {

// Authorizes, then `parse(principal)`, then `work(call, parsed)`; the first failure is the answer. `method` is
// "/package.Service/Method". What `work` keeps for later must not refer to the context or the request: both may be
// gone.
template <typename Response, typename Parse, typename Work>
grpc::ServerUnaryReactor* HandleUnary(const Authorizer& authorizer, std::chrono::milliseconds longest,
                                      grpc::CallbackServerContext* context, absl::string_view method,
                                      Response* response, Parse parse, Work work) {
  const auto call = UnaryCall<Response>::Begin(context, response, longest);
  call->Guard([&] {
    const auto principal = authorizer.Authorize(*context, method);
    if (!principal.ok()) return call->Finish(principal.status());
    auto parsed = parse(*principal);
    if (!parsed.ok()) return call->Finish(parsed.status());
    work(call, *std::move(parsed));
  });
  return call->reactor();
}

// What requests that only read or write the store have in common. All of it outlives the server.
struct StoreDesk {
  store::CallStore& store;
  base::Executor& executor;  // Runs what blocks on the store.
  const Authorizer& authorizer;
  std::chrono::milliseconds longest_unary;
};

// Like HandleUnary(), where `read(store, parsed)` runs on the executor and gives the answer.
template <typename Response, typename Parse, typename Read>
grpc::ServerUnaryReactor* HandleOnStore(const StoreDesk& desk, grpc::CallbackServerContext* context,
                                        absl::string_view method, Response* response, Parse parse, Read read) {
  return HandleUnary(
      desk.authorizer, desk.longest_unary, context, method, response, std::move(parse),
      [&desk, &read](const auto& call, auto parsed) {
        // The task may run when the service is gone, so it has the store only.
        desk.executor.Post([call, parsed = std::move(parsed), read = std::move(read), &store = desk.store] {
          if (call->finished()) return call->Finish(absl::CancelledError("the client went away"));
          call->Guard([&] { call->Finish(read(store, parsed)); });
        });
      });
}

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_HANDLE_H_
