#ifndef CALLBRIDGE_SRC_WEB_WEB_MESSAGE_H_
#define CALLBRIDGE_SRC_WEB_WEB_MESSAGE_H_

#include <cstddef>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/base/http_message.h"

namespace callbridge::web {

// One outgoing request.
struct WebRequest {
  std::string url;
  base::HttpHeaders headers;  // Content-Type among them. Values may be secret: no message ever shows them.
  std::string body;
  absl::Duration connect_timeout = absl::Seconds(3);
  absl::Duration timeout = absl::Seconds(10);  // Of the whole, connecting included.
  std::string ca_file;                         // PEM; empty: the system's certificates.
  size_t max_response_bytes = 1 << 20;
};

struct WebResponse {
  int status = 0;             // Whatever it is: a 500 is an answer, too.
  base::HttpHeaders headers;  // Names as sent.
  std::string body;

  // The first header of that name, in any case; empty if there is none.
  absl::string_view Header(absl::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (absl::EqualsIgnoreCase(key, name)) return value;
    }
    return {};
  }
};

}  // namespace callbridge::web

#endif  // CALLBRIDGE_SRC_WEB_WEB_MESSAGE_H_
