#ifndef CALLBRIDGE_SRC_APP_GATEWAY_H_
#define CALLBRIDGE_SRC_APP_GATEWAY_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "src/http/admin.h"
#include "src/http/webhooks.h"
#include "src/net/loop.h"
#include "src/net/server.h"
#include "src/nodes/directory.h"
#include "src/nodes/webhook_router.h"
#include "src/session/switchboard.h"

namespace callbridge::app {

// The carrier-facing port: webhooks, and media streams that go to the loop of their call. One of several nodes also
// takes what is for the calls of others: it asks them about webhooks and passes streams on to them.
class CarrierGateway final : public net::ServerDelegate {
 public:
  // Null and empty: this process is alone.
  struct Nodes {
    nodes::WebhookRouter* router = nullptr;
    const nodes::Directory* directory = nullptr;
    std::vector<net::Loop*> loops;  // As the server has them.
  };

  CarrierGateway(http::Webhooks& webhooks, session::Switchboard& switchboard, Nodes nodes)
      : webhooks_(webhooks), switchboard_(switchboard), nodes_(std::move(nodes)) {}

  std::string RelayTo(absl::string_view method, absl::string_view target) override;
  int LoopFor(absl::string_view method, absl::string_view target) override;
  void OnRequest(int loop, const base::HttpRequest& request, Respond respond) override;
  net::UpgradeDecision OnUpgrade(int loop, const base::HttpRequest& request) override;

 private:
  bool IsForAnother(absl::string_view stream_token) const;

  http::Webhooks& webhooks_;
  session::Switchboard& switchboard_;
  const Nodes nodes_;
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
