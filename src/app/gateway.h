#ifndef CALLBRIDGE_SRC_APP_GATEWAY_H_
#define CALLBRIDGE_SRC_APP_GATEWAY_H_

#include "absl/strings/string_view.h"
#include "src/http/admin.h"
#include "src/http/webhooks.h"
#include "src/net/server.h"
#include "src/session/switchboard.h"

namespace callbridge::app {

// The carrier-facing port: webhooks, and media streams that go to the loop of their call.
class CarrierGateway final : public net::ServerDelegate {
 public:
  CarrierGateway(http::Webhooks& webhooks, session::Switchboard& switchboard)
      : webhooks_(webhooks), switchboard_(switchboard) {}

  int LoopFor(absl::string_view method, absl::string_view target) override;
  void OnRequest(int loop, const base::HttpRequest& request, Respond respond) override;
  net::UpgradeDecision OnUpgrade(int loop, const base::HttpRequest& request) override;

 private:
  http::Webhooks& webhooks_;
  session::Switchboard& switchboard_;
};

// The operator's port.
class AdminGateway final : public net::ServerDelegate {
 public:
  explicit AdminGateway(const http::Admin& admin) : admin_(admin) {}

  int LoopFor(absl::string_view method, absl::string_view target) override { return -1; }
  void OnRequest(int loop, const base::HttpRequest& request, Respond respond) override {
    respond(admin_.Handle(request));
  }
  net::UpgradeDecision OnUpgrade(int loop, const base::HttpRequest& request) override;

 private:
  const http::Admin& admin_;
};

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_GATEWAY_H_
