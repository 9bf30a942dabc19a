#include "src/carrier/plivo_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/plivo/rest.h"

namespace callbridge::carrier {
namespace {

constexpr size_t kMaxReplyBytes = 256 << 10;
constexpr int kDeleteAttempts = 3;

struct Reply {
  int status = 0;
  std::string body;
};

size_t Collect(char* data, size_t size, size_t count, void* into) {
  auto* const body = static_cast<std::string*>(into);
  if (body->size() + size * count > kMaxReplyBytes) return 0;
  body->append(data, size * count);
  return size * count;
}

struct CurlCleanup {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// Whether curl failed before any byte of the request could have reached the other side.
bool NeverSent(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return true;
    default: return false;
  }
}

class PlivoClient final : public CarrierApi {
 public:
  explicit PlivoClient(PlivoOptions options) : options_(std::move(options)) {
    static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)initialized;
  }

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
  absl::StatusOr<Reply> Request(const char* method, const std::string& path, const std::string& body) {
    const std::unique_ptr<CURL, CurlCleanup> curl(curl_easy_init());
    if (curl == nullptr) return absl::UnavailableError("libcurl: no handle");
    Reply reply;
    std::unique_ptr<curl_slist, CurlCleanup> headers(curl_slist_append(nullptr, "Content-Type: application/json"));
    Prepare(curl.get(), absl::StrCat(options_.api_url, path), method, body, headers.get(), &reply.body);
    const CURLcode code = curl_easy_perform(curl.get());
    if (code != CURLE_OK) {
      const std::string why = absl::StrCat("carrier's REST API: ", curl_easy_strerror(code));
      return NeverSent(code) || !Connected(curl.get()) ? absl::UnavailableError(why) : absl::UnknownError(why);
    }
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<int>(status);
    return reply;
  }

  void Prepare(CURL* curl, const std::string& url, const char* method, const std::string& body, curl_slist* headers,
               std::string* into) const {
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    curl_easy_setopt(curl, CURLOPT_USERNAME, options_.auth_id.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, options_.auth_token.c_str());
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(absl::ToInt64Milliseconds(options_.connect_timeout)));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(options_.request_timeout)));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (!body.empty()) curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body.c_str());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, into);
  }

  // A time-out while connecting is no doubt about the outcome.
  static bool Connected(CURL* curl) {
    curl_off_t pretransfer_us = 0;
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
    return pretransfer_us > 0;
  }

  const PlivoOptions options_;
};

}  // namespace

std::unique_ptr<CarrierApi> MakePlivoClient(PlivoOptions options) {
  return std::make_unique<PlivoClient>(std::move(options));
}

}  // namespace callbridge::carrier
