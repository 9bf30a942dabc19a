#include "src/sim/carrier_fetch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "src/sim/carrier_signature.h"

namespace callbridge::sim {

struct CarrierFetch::Asked {
  std::string method;
  Url url;
  Params params;
  FetchLimits limits;
  std::function<void(const WebhookReply&)> done;
  bool answered = false;  // Then what follows is the repeated delivery.
};

CarrierFetch::CarrierFetch(Options options, Webhooks& webhooks, net::Loop& loop)
    : options_(std::move(options)), webhooks_(webhooks), loop_(loop) {}

void CarrierFetch::Fetch(const std::string& method, const std::string& url, const Params& params, int retries,
                         std::function<void(const WebhookReply&)> done) {
  const absl::StatusOr<Url> parsed = ParseUrl(url);
  if (!parsed.ok()) {
    WebhookReply reply;
    reply.error = std::string(parsed.status().message());
    const std::weak_ptr<bool> alive = alive_;
    return loop_.Post([alive, reply, done] {
      if (alive.lock() != nullptr) done(reply);
    });
  }
  auto asked = std::make_shared<Asked>();
  asked->method = options_.manners.use_get ? "GET" : method;
  asked->url = *parsed;
  asked->params = params;
  asked->limits = ReadLimits(parsed->fragment, retries);
  asked->done = std::move(done);
  Attempt(std::move(asked));
}

WebhookRequest CarrierFetch::Prepare(const Asked& asked) const {
  WebhookRequest request;
  Url url = asked.url;
  const std::string form = EncodeForm(asked.params);
  request.method = asked.method;
  if (asked.method == "GET") {
    absl::StrAppend(&url.query, url.query.empty() || form.empty() ? "" : "&", form);
  } else {
    request.body = form;
  }
  const Params signed_form = asked.method == "GET" ? Params() : asked.params;
  request.headers =
      SignatureHeaders(options_.manners.sign, options_.auth_token, SignedText(asked.method, url, signed_form));
  request.url = MapUrl(url, options_.public_base, options_.dial_base).Spell();
  request.connect_timeout = absl::Milliseconds(asked.limits.connect_ms);
  request.timeout = absl::Milliseconds(asked.limits.read_ms);
  return request;
}

void CarrierFetch::Attempt(std::shared_ptr<Asked> asked) {
  const std::weak_ptr<bool> alive = alive_;
  net::Loop& loop = loop_;
  webhooks_.Fetch(Prepare(*asked), [this, alive, &loop, asked](WebhookReply reply) {
    loop.Post([this, alive, asked, reply = std::move(reply)]() mutable {
      if (alive.lock() != nullptr) OnReply(asked, std::move(reply));
    });
  });
}

void CarrierFetch::OnReply(std::shared_ptr<Asked> asked, WebhookReply reply) {
  if (asked->answered) return;
  const FetchLimits& limits = asked->limits;
  const bool again = reply.status == 0     ? (reply.connected ? limits.retry_read : limits.retry_connect)
                     : reply.status >= 500 ? limits.retry_5xx
                     : reply.status >= 400 ? limits.retry_4xx
                                           : false;
  if (again && asked->limits.retries > 0) {
    --asked->limits.retries;
    return Attempt(std::move(asked));
  }
  asked->answered = true;
  const auto done = std::move(asked->done);
  // Before `done`, which may end everything.
  if (options_.manners.twice) Attempt(asked);
  done(reply);
}

}  // namespace callbridge::sim
