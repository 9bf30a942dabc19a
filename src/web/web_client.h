#ifndef CALLBRIDGE_SRC_WEB_WEB_CLIENT_H_
#define CALLBRIDGE_SRC_WEB_WEB_CLIENT_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/base/http_message.h"

namespace callbridge::web {

// One outgoing request.
struct WebRequest {
  std::string url;            // As CheckUrl wants it.
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
  absl::string_view Header(absl::string_view name) const;
};

// Whether requests may go there: https://, or http:// to this machine (localhost, 127.0.0.0/8, ::1), without user and
// password. kInvalidArgument says what would be right, and does not quote the URL: its query may be secret.
absl::Status CheckUrl(absl::string_view url);

// Makes requests, one attempt each: nothing is repeated, and no redirect is followed. Thread-safe; a call blocks for
// the request's timeout at most.
class WebClient {
 public:
  virtual ~WebClient() = default;

  // kInvalidArgument: not a request that may be sent. kUnavailable: it was never sent (no connection, an untrusted
  // server); nothing happened there. kDeadlineExceeded, kUnknown: it was sent, and may have been carried out.
  // kResourceExhausted: so it was, with an answer longer than max_response_bytes. kCancelled: Stop() was called. The
  // messages name the host at most.
  virtual absl::StatusOr<WebResponse> Post(const WebRequest& request) = 0;

  // Ends the requests under way within 100 ms and refuses all that come: kCancelled. Any thread; may be repeated.
  virtual void Stop() = 0;
};

// Over libcurl: HTTP/1.1, TLS 1.2 or later with the server's certificate verified. Each request has a connection of its
// own: libcurl sends a request again by itself when a connection that it used before turns out to be closed, and
// whoever calls here counts on one attempt.
std::unique_ptr<WebClient> MakeWebClient();

}  // namespace callbridge::web

#endif  // CALLBRIDGE_SRC_WEB_WEB_CLIENT_H_
