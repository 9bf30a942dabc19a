#include "src/web/web_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace callbridge::web {
namespace {

constexpr size_t kMaxHeaderBytes = 64 << 10;

// How soon a request notices that the client was stopped.
constexpr int kPollMs = 50;

// libcurl's handles are all void*: their owners differ by how they let go.
template <auto kRelease>
struct Releases {
  template <typename T>
  void operator()(T* handle) const {
    kRelease(handle);
  }
};
using Easy = std::unique_ptr<CURL, Releases<&curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Releases<&curl_multi_cleanup>>;
using UrlHandle = std::unique_ptr<CURLU, Releases<&curl_url_cleanup>>;
using Headers = std::unique_ptr<curl_slist, Releases<&curl_slist_free_all>>;
using Text = std::unique_ptr<char, Releases<&curl_free>>;

struct Url {
  std::string scheme;
  std::string host;
  bool has_credentials = false;
};

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return std::string();
  const Text owner(text);
  return text;
}

// What libcurl will make of it, so that no second opinion lets a host through. Empty scheme: it is no URL.
Url ReadUrl(absl::string_view text) {
  Url result;
  const UrlHandle url(curl_url());
  if (url == nullptr || text.find('\0') != absl::string_view::npos ||
      curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK) {
    return result;
  }
  result.scheme = Part(url.get(), CURLUPART_SCHEME);
  result.host = Part(url.get(), CURLUPART_HOST);
  result.has_credentials = !Part(url.get(), CURLUPART_USER).empty() || !Part(url.get(), CURLUPART_PASSWORD).empty();
  return result;
}

bool IsLoopback(absl::string_view host) {
  if (host == "[::1]" || absl::EqualsIgnoreCase(host, "localhost")) return true;
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  return parts.size() == 4 && parts[0] == "127" && std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           int number = 0;
           return absl::SimpleAtoi(part, &number) && number >= 0 && number <= 255;
         });
}

// What an answer is collected into.
struct Collected {
  WebResponse response;
  size_t max_body_bytes = 0;
  size_t header_bytes = 0;
  bool too_long = false;
};

size_t CollectBody(char* data, size_t size, size_t count, void* into) {
  auto& collected = *static_cast<Collected*>(into);
  const size_t bytes = size * count;
  if (collected.response.body.size() + bytes > collected.max_body_bytes) {
    collected.too_long = true;
    return 0;
  }
  collected.response.body.append(data, bytes);
  return bytes;
}

size_t CollectHeader(char* data, size_t size, size_t count, void* into) {
  auto& collected = *static_cast<Collected*>(into);
  const size_t bytes = size * count;
  const absl::string_view line(data, bytes);
  // Of several heads (100 Continue, a proxy's 200) the last one counts.
  if (absl::StartsWith(line, "HTTP/")) collected.response.headers.clear();
  collected.header_bytes += bytes;
  if (collected.header_bytes > kMaxHeaderBytes) {
    collected.too_long = true;
    return 0;
  }
  const size_t colon = line.find(':');
  if (colon != absl::string_view::npos) {
    collected.response.headers.emplace_back(absl::StripAsciiWhitespace(line.substr(0, colon)),
                                            absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return bytes;
}

bool IsHeader(absl::string_view name, absl::string_view value) {
  const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  return !name.empty() && std::none_of(name.begin(), name.end(), breaks) && !absl::StrContains(name, ':') &&
         std::none_of(value.begin(), value.end(), breaks);
}

absl::StatusOr<Headers> MakeHeaders(const base::HttpHeaders& headers) {
  // Without this, libcurl waits a second for "100 Continue" before it sends a large body.
  Headers list(curl_slist_append(nullptr, "Expect:"));
  for (const auto& [name, value] : headers) {
    if (!IsHeader(name, value))
      return absl::InvalidArgumentError(absl::StrCat("header ", name, ": a line break in it"));
    // An empty value is written with a semicolon; "Name:" would take the header away.
    const std::string line = value.empty() ? absl::StrCat(name, ";") : absl::StrCat(name, ": ", value);
    curl_slist* const grown = curl_slist_append(list.get(), line.c_str());
    if (grown == nullptr) return absl::UnavailableError("libcurl: out of memory");
    if (list == nullptr) list.reset(grown);
  }
  return list;
}

// Whether curl failed before any byte of the request could have reached the other side.
bool NeverSent(CURL* curl, CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return true;
    default: break;
  }
  // A time-out while connecting is no doubt about the outcome.
  curl_off_t pretransfer_us = 0;
  curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &pretransfer_us);
  return pretransfer_us <= 0;
}

absl::Status Failure(CURL* curl, CURLcode code, const Collected& collected, const std::string& host) {
  if (collected.too_long) return absl::ResourceExhaustedError(absl::StrCat(host, ": the answer is too long"));
  const std::string why = absl::StrCat(host, ": ", curl_easy_strerror(code));
  if (NeverSent(curl, code)) return absl::UnavailableError(why);
  return code == CURLE_OPERATION_TIMEDOUT ? absl::DeadlineExceededError(why) : absl::UnknownError(why);
}

void Prepare(CURL* curl, const WebRequest& request, const Url& url, curl_slist* headers, Collected* into) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // What goes to this machine is not shown to the environment's proxy.
  if (url.scheme == "http") curl_easy_setopt(curl, CURLOPT_PROXY, "");
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(absl::ToInt64Milliseconds(request.connect_timeout)));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(request.timeout)));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &CollectBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, into);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &CollectHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, into);
}

class CurlClient final : public WebClient {
 public:
  CurlClient() {
    static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)initialized;
  }

  absl::StatusOr<WebResponse> Post(const WebRequest& request) override {
    if (absl::Status status = CheckUrl(request.url); !status.ok()) return status;
    if (stopped_) return absl::CancelledError("shutting down");
    const absl::StatusOr<Headers> headers = MakeHeaders(request.headers);
    if (!headers.ok()) return headers.status();
    const Easy curl(curl_easy_init());
    const Multi multi(curl_multi_init());
    if (curl == nullptr || multi == nullptr) return absl::UnavailableError("libcurl: no handle");
    const Url url = ReadUrl(request.url);
    Collected collected;
    collected.max_body_bytes = request.max_response_bytes;
    Prepare(curl.get(), request, url, headers->get(), &collected);
    curl_multi_add_handle(multi.get(), curl.get());
    const absl::StatusOr<CURLcode> code = Perform(multi.get());
    curl_multi_remove_handle(multi.get(), curl.get());
    if (!code.ok()) return code.status();
    if (*code != CURLE_OK) return Failure(curl.get(), *code, collected, url.host);
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    collected.response.status = static_cast<int>(status);
    return std::move(collected.response);
  }

  void Stop() override { stopped_ = true; }

 private:
  // curl_easy_perform() that can be stopped.
  absl::StatusOr<CURLcode> Perform(CURLM* multi) {
    int running = 1;
    while (running > 0) {
      if (stopped_) return absl::CancelledError("shutting down");
      if (curl_multi_perform(multi, &running) != CURLM_OK) return absl::UnknownError("libcurl: a transfer broke");
      if (running > 0) curl_multi_poll(multi, nullptr, 0, kPollMs, nullptr);
    }
    int left = 0;
    const CURLMsg* const done = curl_multi_info_read(multi, &left);
    if (done == nullptr) return absl::UnknownError("libcurl: a transfer has no end");
    return done->data.result;
  }

  std::atomic<bool> stopped_{false};
};

}  // namespace

absl::string_view WebResponse::Header(absl::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

absl::Status CheckUrl(absl::string_view url) {
  const Url read = ReadUrl(url);
  const bool allowed = read.scheme == "https" || (read.scheme == "http" && IsLoopback(read.host));
  if (!allowed || read.host.empty()) {
    return absl::InvalidArgumentError("not an https:// URL (http:// only to this machine, such as 127.0.0.1)");
  }
  if (read.has_credentials) {
    return absl::InvalidArgumentError("a user or password in the URL; secrets belong into a header");
  }
  return absl::OkStatus();
}

std::unique_ptr<WebClient> MakeWebClient() { return std::make_unique<CurlClient>(); }

}  // namespace callbridge::web
