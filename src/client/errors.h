#ifndef CALLBRIDGE_SRC_CLIENT_ERRORS_H_
#define CALLBRIDGE_SRC_CLIENT_ERRORS_H_

#include <grpcpp/support/status.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace callbridge::client {

// What an error of callbridge says for programs.
struct Failure {
  std::string reason;  // "CALL_NOT_FOUND"; empty: the error is not the server's own, as when nobody answers.
  std::string field;   // The field of the request that is wrong; empty: none.
  std::map<std::string, std::string> metadata;  // {oldest_cursor}, {state}, ... as the RPC's comment names them.
  absl::Duration retry_after;                   // Before which a retry is in vain; 0: nothing was said.
};

// The same code and message, and all that Explain finds.
absl::Status ToStatus(const grpc::Status& status);

// Of a status that ToStatus made; empty of others.
Failure Explain(const absl::Status& status);

}  // namespace callbridge::client

#endif  // CALLBRIDGE_SRC_CLIENT_ERRORS_H_
