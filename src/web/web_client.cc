#include "src/web/web_client.h"

#include <atomic>

#include "src/web/send.h"
#include "src/web/url.h"

namespace callbridge::web {
namespace {

class CurlClient final : public WebClient {
 public:
  absl::StatusOr<WebResponse> Post(const WebRequest& request) override {
    if (absl::Status status = CheckUrl(request.url); !status.ok()) return status;
    return Send("POST", request, &stopped_);
  }

  void Stop() override { stopped_ = true; }

 private:
  std::atomic<bool> stopped_{false};
};

}  // namespace

std::unique_ptr<WebClient> MakeWebClient() { return std::make_unique<CurlClient>(); }

}  // namespace callbridge::web
