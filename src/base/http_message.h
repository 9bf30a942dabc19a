#ifndef CALLBRIDGE_SRC_BASE_HTTP_MESSAGE_H_
#define CALLBRIDGE_SRC_BASE_HTTP_MESSAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace callbridge::base {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// An HTTP request as values: what handlers take and the sockets' room makes.
struct HttpRequest {
  std::string method;   // Upper case as sent: "GET", "POST", ...
  std::string target;   // Path and query exactly as sent: "/answer?call=1".
  HttpHeaders headers;  // In the order sent; names as sent.
  std::string body;
  std::string peer_address;  // IP address without port.

  // The first header of that name, in any case; empty if there is none.
  absl::string_view Header(absl::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (absl::EqualsIgnoreCase(key, name)) return value;
    }
    return {};
  }
  // `target` up to the first '?'.
  absl::string_view Path() const {
    const absl::string_view all = target;
    return all.substr(0, all.find('?'));
  }
  // `target` behind the first '?'; empty if there is none.
  absl::string_view Query() const {
    const absl::string_view all = target;
    const size_t mark = all.find('?');
    return mark == absl::string_view::npos ? absl::string_view() : all.substr(mark + 1);
  }
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  HttpHeaders headers;  // Besides Content-Type, Content-Length and Connection, which the sockets' room writes.
};

}  // namespace callbridge::base

#endif  // CALLBRIDGE_SRC_BASE_HTTP_MESSAGE_H_
