#ifndef CALLBRIDGE_SRC_CONTROL_ACCESS_H_
#define CALLBRIDGE_SRC_CONTROL_ACCESS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace callbridge::control {

// Every scope there is, as the option `scope` of the API's methods names them.
const std::set<std::string>& AllScopes();

// A token that a client may show. Kept as a hash: who reads the configuration cannot be a client.
struct ApiToken {
  std::string name;    // For records and logs; the principal is "token:{name}".
  std::string sha256;  // Of the token, 64 hexadecimal digits in lower case.
  std::set<std::string> scopes;
  absl::Time expire_time = absl::InfiniteFuture();
  int requests_per_minute = 0;  // 0: no limit.
};

// A client that TLS has verified.
struct ClientIdentity {
  std::string name;     // The principal is "cert:{name}".
  std::string subject;  // A subject alternative name of its certificate, or, where it has none, its common name.
  std::set<std::string> scopes;
};

// Who may do what. Empty: whoever reaches the port may do everything.
struct AccessList {
  std::vector<ApiToken> tokens;
  std::vector<ClientIdentity> identities;

  bool empty() const { return tokens.empty() && identities.empty(); }
};

// A token given in full, without a name of its own: may do everything, for ever. Its name is 16 digits of its hash.
ApiToken TokenForEverything(absl::string_view token);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_ACCESS_H_
