#ifndef CALLBRIDGE_SRC_SIM_CARRIER_FETCH_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_FETCH_H_

#include <functional>
#include <memory>
#include <string>

#include "src/net/loop.h"
#include "src/sim/carrier_form.h"
#include "src/sim/carrier_webhooks.h"
#include "src/sim/scenario.h"

namespace callbridge::sim {

// Asks the server as Plivo does: form parameters, signature, retries as the URL's fragment says, and every request
// twice if the scenario wants it. On the call's loop only.
class CarrierFetch {
 public:
  struct Options {
    std::string auth_token;
    std::string public_base;
    std::string dial_base;
    CarrierManners manners;
  };

  CarrierFetch(Options options, Webhooks& webhooks, net::Loop& loop);

  // `done` runs on the loop with the last attempt's reply, unless this object is gone by then. A malformed URL is a
  // reply with status 0. `retries` holds where the URL's fragment says nothing.
  void Fetch(const std::string& method, const std::string& url, const Params& params, int retries,
             std::function<void(const WebhookReply&)> done);

 private:
  struct Asked;

  void Attempt(std::shared_ptr<Asked> asked);
  void OnReply(std::shared_ptr<Asked> asked, WebhookReply reply);
  WebhookRequest Prepare(const Asked& asked) const;

  const Options options_;
  Webhooks& webhooks_;
  net::Loop& loop_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_FETCH_H_
