#include "src/session/node_token.h"

#include "absl/strings/str_cat.h"
#include "src/base/ids.h"

namespace callbridge::session {

std::string NewNodeToken(absl::string_view node_id) {
  return node_id.empty() ? base::NewToken() : absl::StrCat(node_id, ".", base::NewToken());
}

absl::string_view NodeOfToken(absl::string_view token) {
  const size_t dot = token.find('.');
  return dot == absl::string_view::npos ? absl::string_view() : token.substr(0, dot);
}

}  // namespace callbridge::session
