#ifndef CALLBRIDGE_SRC_WEB_URL_H_
#define CALLBRIDGE_SRC_WEB_URL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace callbridge::web {

// A URL as libcurl reads it, so that no second opinion lets a host through.
struct Url {
  std::string scheme;  // In lower case; empty: it is no URL.
  std::string host;    // "[::1]" with its brackets.
  bool has_credentials = false;

  // localhost, 127.0.0.0/8, ::1.
  bool IsLoopback() const;
};
Url ReadUrl(absl::string_view text);

// Whether requests may go there: https://, or http:// to this machine (localhost, 127.0.0.0/8, ::1), without user and
// password. kInvalidArgument says what would be right, and does not quote the URL: its query may be secret.
absl::Status CheckUrl(absl::string_view url);

}  // namespace callbridge::web

#endif  // CALLBRIDGE_SRC_WEB_URL_H_
