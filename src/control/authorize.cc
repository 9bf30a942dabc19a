#include "src/control/authorize.h"

#include <grpcpp/server_context.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/base/sha256.h"

namespace callbridge::control {
namespace {

absl::Status Unauthenticated(absl::string_view reason, absl::string_view message) {
  return base::MakeError(absl::StatusCode::kUnauthenticated, reason, message);
}

// The identity that TLS has verified; empty without a client certificate.
std::string Certificate(const grpc::ServerContextBase& context) {
  const auto auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return "";
  const auto identities = auth->GetPeerIdentity();
  return identities.empty() ? "" : absl::StrCat("cert:", absl::string_view(identities[0].data(), identities[0].size()));
}

// "Bearer x" -> "x", the scheme in any case (RFC 7235 section 2.1); empty for anything else.
absl::string_view BearerToken(absl::string_view value) {
  constexpr absl::string_view kScheme = "bearer ";
  return absl::StartsWithIgnoreCase(value, kScheme) ? value.substr(kScheme.size()) : absl::string_view();
}

}  // namespace

TokenAuthorizer::TokenAuthorizer(const std::vector<std::string>& tokens) {
  for (const std::string& token : tokens) token_hashes_.push_back(base::Sha256Hex(token));
}

absl::StatusOr<std::string> TokenAuthorizer::Authorize(const grpc::ServerContextBase& context,
                                                       absl::string_view method) const {
  if (token_hashes_.empty()) return Certificate(context);
  const auto& metadata = context.client_metadata();
  const auto count = metadata.count("authorization");
  if (count == 0) {
    return Unauthenticated("TOKEN_MISSING",
                           "this server wants a token: send the metadata authorization: Bearer {token}");
  }
  const auto& value = metadata.find("authorization")->second;
  const absl::string_view token = BearerToken(absl::string_view(value.data(), value.size()));
  const std::string hash = base::Sha256Hex(token);
  std::string principal;
  // All are compared, so that time does not tell which one matched.
  for (const std::string& known : token_hashes_) {
    if (base::EqualsInConstantTime(known, hash)) principal = absl::StrCat("token:", known.substr(0, 16));
  }
  if (count > 1 || token.empty() || principal.empty()) {
    return Unauthenticated(
        "TOKEN_INVALID", "the metadata authorization holds no token of this server's; send it once, as Bearer {token}");
  }
  return principal;
}

}  // namespace callbridge::control
