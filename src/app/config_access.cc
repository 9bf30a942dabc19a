#include "src/app/config_access.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace callbridge::app {
namespace {

namespace v1 = callbridge::config::v1;

constexpr size_t kHashDigits = 64;

bool IsHash(const std::string& text) {
  const auto digit = [](char c) { return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f'); };
  return text.size() == kHashDigits && std::all_of(text.begin(), text.end(), digit);
}

template <typename Message>
std::set<std::string> ReadScopes(const std::string& at, const Message& in, ConfigReading& reading) {
  reading.Check(in.scopes_size() > 0, at + ".scopes",
                absl::StrCat("missing; at least one of: ", absl::StrJoin(control::AllScopes(), ", ")));
  std::set<std::string> scopes;
  for (int i = 0; i < in.scopes_size(); ++i) {
    reading.Check(
        control::AllScopes().count(in.scopes(i)) > 0, absl::StrCat(at, ".scopes[", i, "]"),
        absl::StrCat("no scope '", in.scopes(i), "'; there are: ", absl::StrJoin(control::AllScopes(), ", ")));
    scopes.insert(in.scopes(i));
  }
  return scopes;
}

control::ApiToken ReadToken(const std::string& at, const v1::ApiToken& in, ConfigReading& reading) {
  control::ApiToken token;
  token.name = in.name();
  token.sha256 = in.sha256();
  reading.Check(IsHash(in.sha256()), at + ".sha256",
                "not the SHA-256 of a token, 64 hexadecimal digits in lower case; `callbridge token` makes one");
  token.scopes = ReadScopes(at, in, reading);
  if (!in.expire_time().empty()) {
    std::string error;
    reading.Check(absl::ParseTime(absl::RFC3339_full, in.expire_time(), &token.expire_time, &error),
                  at + ".expire_time", "not a time such as 2027-01-31T00:00:00Z");
  }
  if (in.requests_per_minute() != 0) {
    reading.ReadNumber(at + ".requests_per_minute", in.requests_per_minute(), 1, 1'000'000, &token.requests_per_minute);
  }
  return token;
}

}  // namespace

void ReadAccess(const v1::Config& in, ConfigReading& reading, control::AccessList& out) {
  std::set<std::string> names, hashes, identities, subjects;
  for (int i = 0; i < in.api_tokens_size(); ++i) {
    const std::string at = absl::StrCat("api_tokens[", i, "]");
    reading.CheckKey(at + ".name", in.api_tokens(i).name(), names);
    out.tokens.push_back(ReadToken(at, in.api_tokens(i), reading));
    reading.Check(hashes.insert(out.tokens.back().sha256).second, at + ".sha256", "is there twice");
  }
  for (int i = 0; i < in.client_identities_size(); ++i) {
    const std::string at = absl::StrCat("client_identities[", i, "]");
    const v1::ClientIdentity& identity = in.client_identities(i);
    reading.CheckKey(at + ".name", identity.name(), identities);
    reading.Check(!identity.subject().empty(), at + ".subject", "missing; a name in the client's certificate");
    reading.Check(subjects.insert(identity.subject()).second, at + ".subject", "is there twice");
    out.identities.push_back({identity.name(), identity.subject(), ReadScopes(at, identity, reading)});
  }
}

}  // namespace callbridge::app
