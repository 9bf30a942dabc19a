#include "src/control/authorize.h"

#include <grpcpp/server_context.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "src/base/error.h"
#include "src/base/sha256.h"
#include "src/control/method_scope.h"

namespace callbridge::control {
namespace {

absl::Status Unauthenticated(absl::string_view reason, absl::string_view message) {
  return base::MakeError(absl::StatusCode::kUnauthenticated, reason, message);
}

// The identities that TLS has verified: alternative names, or the common name; none without a client certificate.
std::vector<std::string> Subjects(const grpc::ServerContextBase& context) {
  std::vector<std::string> subjects;
  const auto auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return subjects;
  for (const grpc::string_ref& identity : auth->GetPeerIdentity()) {
    subjects.emplace_back(identity.data(), identity.size());
  }
  return subjects;
}

// "Bearer x" -> "x", the scheme in any case (RFC 7235 section 2.1); empty for anything else.
absl::string_view BearerToken(absl::string_view value) {
  constexpr absl::string_view kScheme = "bearer ";
  return absl::StartsWithIgnoreCase(value, kScheme) ? value.substr(kScheme.size()) : absl::string_view();
}

// nullopt: the client shows none. Empty: it shows something else, or several.
absl::optional<absl::string_view> ShownToken(const grpc::ServerContextBase& context) {
  const auto [first, last] = context.client_metadata().equal_range("authorization");
  if (first == last) return absl::nullopt;
  if (std::next(first) != last) return absl::string_view();
  return BearerToken(absl::string_view(first->second.data(), first->second.size()));
}

absl::Status CheckScope(absl::string_view method, const std::set<std::string>& scopes) {
  const std::string scope = MethodScope(method);
  if (!scope.empty() && scopes.count(scope) > 0) return absl::OkStatus();
  return base::MakeError(absl::StatusCode::kPermissionDenied, "SCOPE_REQUIRED",
                         scope.empty() ? absl::StrCat(method, " is open to nobody")
                                       : absl::StrCat(method, " needs the scope ", scope, ", which you do not have"),
                         {{"scope", scope}});
}

}  // namespace

AccessAuthorizer::AccessAuthorizer(AccessList access, const base::Clock& clock)
    : clock_(clock), open_(access.empty()), access_(std::move(access)) {}

void AccessAuthorizer::Replace(AccessList access) {
  base::MutexLock lock(mutex_);
  open_ = open_ && access.empty();
  access_ = std::move(access);
}

absl::StatusOr<std::string> AccessAuthorizer::Authorize(const grpc::ServerContextBase& context,
                                                        absl::string_view method) const {
  base::MutexLock lock(mutex_);
  if (open_) {
    const std::vector<std::string> subjects = Subjects(context);
    return subjects.empty() ? "" : absl::StrCat("cert:", subjects[0]);
  }
  const auto caller = Identify(context);
  if (!caller.ok()) return caller.status();
  absl::Status status = CheckScope(method, caller->scopes);
  if (status.ok()) status = Spend(*caller);
  if (!status.ok()) return status;
  return caller->principal;
}

// A token that is shown says more than the certificate it came with.
absl::StatusOr<AccessAuthorizer::Caller> AccessAuthorizer::Identify(const grpc::ServerContextBase& context) const {
  if (const auto token = ShownToken(context)) return FindToken(*token);
  const std::vector<std::string> subjects = Subjects(context);
  for (const ClientIdentity& identity : access_.identities) {
    if (std::find(subjects.begin(), subjects.end(), identity.subject) == subjects.end()) continue;
    return Caller{absl::StrCat("cert:", identity.name), identity.scopes, 0};
  }
  if (access_.tokens.empty() && !subjects.empty()) {
    return base::MakeError(absl::StatusCode::kPermissionDenied, "IDENTITY_UNKNOWN",
                           "no client of this server has your certificate's name");
  }
  return Unauthenticated("TOKEN_MISSING", "this server wants a token: send the metadata authorization: Bearer {token}");
}

absl::StatusOr<AccessAuthorizer::Caller> AccessAuthorizer::FindToken(absl::string_view token) const {
  const std::string hash = base::Sha256Hex(token);
  const ApiToken* found = nullptr;
  // All are compared, so that time does not tell which one matched.
  for (const ApiToken& known : access_.tokens) {
    if (base::EqualsInConstantTime(known.sha256, hash)) found = &known;
  }
  if (token.empty() || found == nullptr) {
    return Unauthenticated(
        "TOKEN_INVALID", "the metadata authorization holds no token of this server's; send it once, as Bearer {token}");
  }
  if (clock_.Now() >= found->expire_time) {
    return Unauthenticated("TOKEN_EXPIRED", absl::StrCat("the token ", found->name, " has expired; ask for a new one"));
  }
  return Caller{absl::StrCat("token:", found->name), found->scopes, found->requests_per_minute};
}

absl::Status AccessAuthorizer::Spend(const Caller& caller) const {
  if (caller.requests_per_minute == 0) return absl::OkStatus();
  const absl::Time now = clock_.Now();
  const double most = caller.requests_per_minute;
  const auto [found, is_new] = allowances_.try_emplace(caller.principal, Allowance{most, now});
  Allowance& allowance = found->second;
  const double minutes = std::max(0.0, absl::ToDoubleMinutes(now - allowance.since));
  allowance = {std::min(most, allowance.requests + minutes * most), now};
  if (allowance.requests >= 1) {
    allowance.requests -= 1;
    return absl::OkStatus();
  }
  return base::WithRetryDelay(base::MakeError(absl::StatusCode::kResourceExhausted, "RATE_LIMITED",
                                              absl::StrCat(caller.principal, " may send ", caller.requests_per_minute,
                                                           " requests a minute; wait, or ask for more")),
                              absl::Minutes((1 - allowance.requests) / most));
}

}  // namespace callbridge::control
