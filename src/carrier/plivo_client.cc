#include "src/carrier/plivo_client.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/plivo/rest.h"
#include "src/web/send.h"

namespace callbridge::carrier {
namespace {

constexpr size_t kMaxReplyBytes = 256 << 10;
constexpr int kDeleteAttempts = 3;

class PlivoClient final : public CarrierApi {
 public:
  explicit PlivoClient(PlivoOptions options) : options_(std::move(options)) {}

  absl::StatusOr<std::string> Place(const Dial& dial) override {
    const auto path = plivo::CallsPath(options_.auth_id);
    if (!path.ok()) return path.status();
    plivo::PlaceCall call;
    call.from = dial.from;
    call.to = dial.to;
    call.answer_url = dial.answer_url;
    call.ring_url = dial.ring_url;
    call.hangup_url = dial.hangup_url;
    call.ring_timeout_seconds = static_cast<int>(absl::ToInt64Seconds(dial.ring_timeout));
    call.time_limit_seconds = static_cast<int>(absl::ToInt64Seconds(dial.time_limit));
    if (!dial.machine_detection_url.empty()) {
      call.machine_detection = plivo::MachineDetection::kContinue;
      call.machine_detection_url = dial.machine_detection_url;
      call.machine_detection_time_ms = static_cast<int>(absl::ToInt64Milliseconds(dial.machine_detection_time));
    }
    const auto body = plivo::FormatPlaceCall(call);
    if (!body.ok()) return body.status();
    const auto reply = Request("POST", *path, *body);
    if (!reply.ok()) return reply.status();
    const auto placed = plivo::ParsePlaceReply(reply->status, reply->body);
    if (!placed.ok()) return placed.status();
    return placed->request_uuids.front();
  }

  absl::Status HangUp(absl::string_view carrier_call_id) override {
    const auto path = plivo::CallPath(options_.auth_id, carrier_call_id);
    if (!path.ok()) return path.status();
    absl::Status status;
    absl::Duration pause = options_.retry_pause;
    for (int attempt = 1; attempt <= kDeleteAttempts; ++attempt, pause *= 2) {
      const auto reply = Request("DELETE", *path, "");
      status = reply.ok() ? plivo::ParseDeleteReply(reply->status, reply->body) : reply.status();
      const bool transient =
          absl::IsUnknown(status) || absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
      if (!transient) return status;
      if (attempt < kDeleteAttempts) absl::SleepFor(pause);
    }
    return status;
  }

  absl::Status Transfer(absl::string_view carrier_call_id, absl::string_view url) override {
    const auto path = plivo::CallPath(options_.auth_id, carrier_call_id);
    if (!path.ok()) return path.status();
    const auto body = plivo::FormatTransfer(url);
    if (!body.ok()) return body.status();
    const auto reply = Request("POST", *path, *body);
    if (!reply.ok()) return reply.status();
    return plivo::ParseReply(reply->status, reply->body).status();
  }

 private:
  // One request, once. kUnavailable: it was never sent; kUnknown: it may have been carried out.
  absl::StatusOr<web::WebResponse> Request(const char* method, const std::string& path, const std::string& body) {
    web::WebRequest request;
    request.url = absl::StrCat(options_.api_url, path);
    request.headers = {
        {"Content-Type", "application/json"},
        {"Authorization",
         absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat(options_.auth_id, ":", options_.auth_token)))}};
    request.body = body;
    request.connect_timeout = options_.connect_timeout;
    request.timeout = options_.request_timeout;
    request.ca_file = options_.ca_file;
    request.max_response_bytes = kMaxReplyBytes;
    auto reply = web::Send(method, request, /*stopped=*/nullptr);
    if (reply.ok()) return reply;
    const std::string why = absl::StrCat("carrier's REST API: ", reply.status().message());
    return absl::IsUnavailable(reply.status()) ? absl::UnavailableError(why) : absl::UnknownError(why);
  }

  const PlivoOptions options_;
};

}  // namespace

std::unique_ptr<CarrierApi> MakePlivoClient(PlivoOptions options) {
  return std::make_unique<PlivoClient>(std::move(options));
}

}  // namespace callbridge::carrier
