#ifndef CALLBRIDGE_TESTS_CONTROL_RPC_MATRIX_H_
#define CALLBRIDGE_TESTS_CONTROL_RPC_MATRIX_H_

#include <functional>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"
#include "tests/control/server_under_test.h"

// Every RPC times what can go wrong with it, as rows.
namespace callbridge::control {

// A row of the matrix: `call` is made after `prepare`; kCall exists.
struct Row {
  std::string name;
  std::function<grpc::Status(v1::CallService::Stub&)> call;
  grpc::StatusCode code;
  std::string reason;
  std::string field;
  std::function<void(ServerUnderTest&)> prepare = nullptr;
};

// A request with one thing changed, as a row's call.
template <typename Request, typename Send>
auto With(Request request, Send send, std::function<void(Request&)> change) {
  return [request, send, change](v1::CallService::Stub& stub) {
    Request changed = request;
    change(changed);
    return send(stub, changed);
  };
}
constexpr auto kNothing = [](auto&) {};

inline auto StoreFails(absl::Status status) {
  return [status](ServerUnderTest& server) { server.store().SetFault([status](absl::string_view) { return status; }); };
}
inline void StoreThrows(ServerUnderTest& server) {
  server.store().SetFault([](absl::string_view) -> absl::Status { throw std::runtime_error("secret"); });
}

// Makes the row's call, and looks at all that an error must carry.
inline void Check(const Row& row) {
  SCOPED_TRACE(row.name);
  ServerUnderTest server;
  server.Create(kCall);
  if (row.prepare) row.prepare(server);
  const grpc::Status status = row.call(server.stub());
  ASSERT_EQ(status.error_code(), row.code) << status.error_message();
  if (status.ok()) return;
  const Details details = DetailsOf(status);
  EXPECT_EQ(details.info.reason(), row.reason);
  EXPECT_EQ(details.info.domain(), "callbridge");
  EXPECT_FALSE(status.error_message().empty());
  EXPECT_EQ(status.error_message().find("secret"), std::string::npos);
  EXPECT_EQ(details.bad_request.field_violations_size(), row.field.empty() ? 0 : 1);
  if (!row.field.empty()) {
    EXPECT_EQ(details.bad_request.field_violations(0).field(), row.field);
  }
  EXPECT_EQ(details.retry,
            row.code == grpc::StatusCode::UNAVAILABLE || row.code == grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(details.precondition, row.code == grpc::StatusCode::FAILED_PRECONDITION);
  if (row.code == grpc::StatusCode::INTERNAL) {
    EXPECT_EQ(details.info.metadata().count("trace_id"), 1);
  }
}

}  // namespace callbridge::control

#endif  // CALLBRIDGE_TESTS_CONTROL_RPC_MATRIX_H_
