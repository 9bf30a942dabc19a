#ifndef CALLBRIDGE_SRC_WEB_WEB_CLIENT_H_
#define CALLBRIDGE_SRC_WEB_WEB_CLIENT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "src/web/web_message.h"

namespace callbridge::web {

// Asks others over HTTPS: tools, the text model. One attempt each; see Send() for what the errors say. Thread-safe.
class WebClient {
 public:
  virtual ~WebClient() = default;

  // Blocks for the request's timeout at most. kInvalidArgument: the URL is not one that CheckUrl() passes, too.
  virtual absl::StatusOr<WebResponse> Post(const WebRequest& request) = 0;

  // Ends the requests under way within 100 ms and refuses all that come: kCancelled. Any thread; may be repeated.
  virtual void Stop() = 0;
};

std::unique_ptr<WebClient> MakeWebClient();

}  // namespace callbridge::web

#endif  // CALLBRIDGE_SRC_WEB_WEB_CLIENT_H_
