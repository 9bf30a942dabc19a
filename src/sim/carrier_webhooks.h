#ifndef CALLBRIDGE_SRC_SIM_CARRIER_WEBHOOKS_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_WEBHOOKS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "src/base/http_message.h"

namespace callbridge::sim {

// One HTTP request of the carrier to the server.
struct WebhookRequest {
  std::string method;  // "GET" or "POST"
  std::string url;     // Where it is dialled, without fragment.
  base::HttpHeaders headers;
  std::string body;  // Form; POST only.
  absl::Duration connect_timeout = absl::Seconds(2);
  absl::Duration timeout = absl::Seconds(15);
};

struct WebhookReply {
  int status = 0;    // 0: no answer at all.
  std::string body;  // Cut at 256 KB.
  std::string content_type;
  bool connected = true;  // False: could not even connect.
  std::string error;      // Why there was no answer, in words.
};

// An HTTP client with a thread of its own; never blocks a loop.
class Webhooks {
 public:
  static std::unique_ptr<Webhooks> Start();
  virtual ~Webhooks() = default;  // Drops what is under way: its `done` is never called.

  // Any thread. `done` runs once, on the client's thread: post from it.
  virtual void Fetch(WebhookRequest request, std::function<void(WebhookReply)> done) = 0;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_WEBHOOKS_H_
