#ifndef CALLBRIDGE_SRC_CONTROL_AUTHORIZE_H_
#define CALLBRIDGE_SRC_CONTROL_AUTHORIZE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace grpc {
class ServerContextBase;
}  // namespace grpc

namespace callbridge::control {

// Who may do what: the one place that every RPC, unary or streaming, passes before anything else, over TLS and
// plaintext alike. Not gRPC's own hook for this, which aborts on plaintext ports and cannot send error details.
// Thread-safe.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  // Who asks, as it is kept with a request_id. `method` is "/package.Service/Method".
  virtual absl::StatusOr<std::string> Authorize(const grpc::ServerContextBase& context,
                                                absl::string_view method) const = 0;
};

// Of the port for clients.
class TokenAuthorizer final : public Authorizer {
 public:
  // Tokens that clients may show, kept as hashes. Empty: whoever reaches the port may do everything.
  explicit TokenAuthorizer(const std::vector<std::string>& tokens);

  // "" on an open port, "token:..." or "cert:..." else. kUnauthenticated TOKEN_MISSING, TOKEN_INVALID.
  absl::StatusOr<std::string> Authorize(const grpc::ServerContextBase& context,
                                        absl::string_view method) const override;

 private:
  std::vector<std::string> token_hashes_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_AUTHORIZE_H_
