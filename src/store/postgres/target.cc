#include "src/store/postgres/target.h"

#include <postgresql/libpq-fe.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace callbridge::store {
namespace {

using Parameters = std::map<std::string, std::string>;

// Taken where the URI does not say otherwise. A peer that vanished without a word is found out within half a minute.
constexpr std::pair<const char*, const char*> kDefaults[] = {{"application_name", "callbridge"},
                                                             {"keepalives_idle", "10"},
                                                             {"keepalives_interval", "5"},
                                                             {"keepalives_count", "3"},
                                                             {"tcp_user_timeout", "15000"}};

absl::StatusOr<Parameters> ParseUri(const std::string& uri) {
  struct Free {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
  };
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, Free> options(PQconninfoParse(uri.c_str(), &error));
  PQfreemem(error);  // Not for anybody: it quotes the URI.
  if (options == nullptr || !(absl::StartsWith(uri, "postgresql://") || absl::StartsWith(uri, "postgres://"))) {
    return absl::InvalidArgumentError(
        "not a URI like postgresql://user@host:5432/database?sslmode=verify-full; special characters in it are written "
        "as %XX");
  }
  Parameters parameters;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) parameters[option->keyword] = option->val;
  }
  return parameters;
}

std::vector<std::string> List(const Parameters& parameters, const std::string& key) {
  const auto found = parameters.find(key);
  if (found == parameters.end() || found->second.empty()) return {};
  return absl::StrSplit(found->second, ',');
}

// What stands at `i` in a list that has one word for all hosts, or one for each.
void PutOne(const std::string& key, const std::vector<std::string>& words, size_t i, Parameters* into) {
  if (!words.empty()) (*into)[key] = words[words.size() == 1 ? 0 : i];
}

std::string Or(const Parameters& parameters, const std::string& key, const std::string& otherwise) {
  const auto found = parameters.find(key);
  return found == parameters.end() || found->second.empty() ? otherwise : found->second;
}

}  // namespace

absl::StatusOr<Target> Target::Parse(const std::string& uri) {
  absl::StatusOr<Parameters> all = ParseUri(uri);
  if (!all.ok()) return all.status();
  for (const auto& [key, value] : kDefaults) all->emplace(key, value);
  (*all)["client_encoding"] = "UTF8";
  const std::vector<std::string> names = List(*all, "host");
  const std::vector<std::string> addresses = List(*all, "hostaddr");
  const std::vector<std::string> ports = List(*all, "port");
  const size_t count = std::max<size_t>({1, names.size(), addresses.size()});
  for (const auto* words : {&names, &addresses, &ports}) {
    if (words->size() > 1 && words->size() != count)
      return absl::InvalidArgumentError("the URI has not as many hosts as addresses or ports");
  }
  if (count > 1) all->emplace("target_session_attrs", "read-write");
  Target target;
  target.password_ = Or(*all, "password", "");
  std::vector<std::string> described;
  for (size_t i = 0; i < count; ++i) {
    Parameters one = *all;
    PutOne("host", names, i, &one);
    PutOne("hostaddr", addresses, i, &one);
    PutOne("port", ports, i, &one);
    described.push_back(absl::StrCat(Or(one, "host", Or(one, "hostaddr", "local")), ":", Or(one, "port", "5432")));
    target.hosts_.push_back(std::move(one));
  }
  target.name_ = absl::StrCat(absl::StrJoin(described, ","), "/", Or(*all, "dbname", ""));
  return target;
}

std::string Target::Redact(absl::string_view message) const {
  const std::string line(absl::StripAsciiWhitespace(message.substr(0, message.find('\n'))));
  return password_.empty() ? line : absl::StrReplaceAll(line, {{password_, "***"}});
}

}  // namespace callbridge::store
