#include "src/control/access.h"

#include "src/base/sha256.h"

namespace callbridge::control {

const std::set<std::string>& AllScopes() {
  static const auto* const scopes =
      new std::set<std::string>{"admin",       "calls.control", "calls.read",  "calls.start",
                                "events.read", "leads.read",    "leads.write", "transcripts.read"};
  return *scopes;
}

ApiToken TokenForEverything(absl::string_view token) {
  ApiToken out;
  out.sha256 = base::Sha256Hex(token);
  out.name = out.sha256.substr(0, 16);
  out.scopes = AllScopes();
  return out;
}

}  // namespace callbridge::control
