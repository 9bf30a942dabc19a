#ifndef CALLBRIDGE_SRC_WEB_SEND_H_
#define CALLBRIDGE_SRC_WEB_SEND_H_

#include <atomic>

#include "absl/status/statusor.h"
#include "src/web/web_message.h"

namespace callbridge::web {

// Makes one request over libcurl, once: nothing is repeated, and no redirect is followed. HTTP/1.1; TLS 1.2 or later,
// with the server's certificate verified. It has a connection of its own: libcurl sends a request again by itself when
// a connection that it used before turns out to be closed, and whoever calls here counts on one attempt. Blocks for the
// request's timeout at most; any thread.
//
// kInvalidArgument: a header with a line break. kUnavailable: it was never sent (no connection, an untrusted server);
// nothing happened there. kDeadlineExceeded, kUnknown: it was sent, and may have been carried out. kResourceExhausted:
// so it was, with an answer longer than max_response_bytes. kCancelled: `stopped`, looked at every 50 ms, became true;
// it may be null. The messages name the host at most.
absl::StatusOr<WebResponse> Send(const char* method, const WebRequest& request, const std::atomic<bool>* stopped);

}  // namespace callbridge::web

#endif  // CALLBRIDGE_SRC_WEB_SEND_H_
