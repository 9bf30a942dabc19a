#ifndef CALLBRIDGE_SRC_CONTROL_AUTHORIZE_H_
#define CALLBRIDGE_SRC_CONTROL_AUTHORIZE_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/base/clock.h"
#include "src/base/mutex.h"
#include "src/control/access.h"

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

// Of the port for clients: a token in the metadata, or a certificate that TLS has verified, each with the scopes it
// has; a method without a scope is refused to everybody but on an open port.
class AccessAuthorizer final : public Authorizer {
 public:
  // With an empty list whoever reaches the port may do everything.
  explicit AccessAuthorizer(AccessList access, const base::Clock& clock = base::SystemClock());

  // From now on another list. Requests that were let in go on. A port that has wanted to know its clients stays closed:
  // an empty list lets nobody in then.
  void Replace(AccessList access);

  // "" on an open port, "token:{name}" or "cert:{name}" else. kUnauthenticated TOKEN_MISSING, TOKEN_INVALID,
  // TOKEN_EXPIRED; kPermissionDenied SCOPE_REQUIRED {scope}, IDENTITY_UNKNOWN; kResourceExhausted RATE_LIMITED.
  absl::StatusOr<std::string> Authorize(const grpc::ServerContextBase& context,
                                        absl::string_view method) const override;

 private:
  struct Caller {
    std::string principal;
    std::set<std::string> scopes;
    int requests_per_minute = 0;
  };
  // What a client may still send: a bucket that fills evenly and holds a minute's requests.
  struct Allowance {
    double requests = 0;
    absl::Time since;
  };

  absl::StatusOr<Caller> Identify(const grpc::ServerContextBase& context) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Caller> FindToken(absl::string_view token) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Spend(const Caller& caller) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const base::Clock& clock_;
  mutable base::Mutex mutex_;
  bool open_ ABSL_GUARDED_BY(mutex_);  // There never was anybody on the list.
  AccessList access_ ABSL_GUARDED_BY(mutex_);
  mutable std::map<std::string, Allowance> allowances_ ABSL_GUARDED_BY(mutex_);  // By principal, of those with limits.
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_AUTHORIZE_H_
