#include "src/sim/carrier_webhooks.h"

#include <curl/curl.h>

#include <deque>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/base/mutex.h"

namespace callbridge::sim {
namespace {

constexpr size_t kMaxBody = 256 << 10;
// A safety net only: curl_multi_wakeup() ends the wait when there is work.
constexpr int kPollMs = 1000;

struct Transfer {
  WebhookRequest request;
  std::function<void(WebhookReply)> done;
  WebhookReply reply;
  curl_slist* headers = nullptr;
  char error[CURL_ERROR_SIZE] = "";

  ~Transfer() { curl_slist_free_all(headers); }
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  std::string& body = static_cast<Transfer*>(user)->reply.body;
  body.append(data, std::min(size * count, kMaxBody - std::min(kMaxBody, body.size())));
  return size * count;
}

class CurlWebhooks final : public Webhooks {
 public:
  CurlWebhooks() : multi_(curl_multi_init()), thread_([this] { Run(); }) {}

  ~CurlWebhooks() override {
    {
      base::MutexLock lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    for (auto& [easy, transfer] : active_) {
      curl_multi_remove_handle(multi_, easy);
      curl_easy_cleanup(easy);
    }
    curl_multi_cleanup(multi_);
  }

  void Fetch(WebhookRequest request, std::function<void(WebhookReply)> done) override {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->done = std::move(done);
    {
      base::MutexLock lock(mutex_);
      queued_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_);
  }

 private:
  void Run() {
    while (TakeQueued()) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      FinishDone();
      curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
    }
  }

  // False: stopping.
  bool TakeQueued() {
    std::deque<std::unique_ptr<Transfer>> taken;
    {
      base::MutexLock lock(mutex_);
      if (stopping_) return false;
      taken.swap(queued_);
    }
    for (auto& transfer : taken) Begin(std::move(transfer));
    return true;
  }

  void Begin(std::unique_ptr<Transfer> transfer) {
    CURL* const easy = curl_easy_init();
    const WebhookRequest& request = transfer->request;
    for (const auto& [name, value] : request.headers) {
      transfer->headers = curl_slist_append(transfer->headers, absl::StrCat(name, ": ", value).c_str());
    }
    if (request.method == "POST") {
      transfer->headers =
          curl_slist_append(transfer->headers, "Content-Type: application/x-www-form-urlencoded; charset=utf-8");
      transfer->headers = curl_slist_append(transfer->headers, "Expect:");
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    }
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "plivo-simulated");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(absl::ToInt64Milliseconds(request.connect_timeout)));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(request.timeout)));
    curl_multi_add_handle(multi_, easy);
    active_[easy] = std::move(transfer);
  }

  void FinishDone() {
    int left = 0;
    while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode result = message->data.result;
      const std::unique_ptr<Transfer> transfer = std::move(active_[easy]);
      active_.erase(easy);
      long status = 0;
      const char* type = nullptr;
      double connect_seconds = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
      curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME, &connect_seconds);
      WebhookReply& reply = transfer->reply;
      reply.status = result == CURLE_OK ? static_cast<int>(status) : 0;
      reply.content_type = type == nullptr ? "" : type;
      reply.connected = connect_seconds > 0;
      if (result != CURLE_OK) reply.error = transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(result);
      curl_multi_remove_handle(multi_, easy);
      curl_easy_cleanup(easy);
      transfer->done(std::move(transfer->reply));
    }
  }

  CURLM* const multi_;
  base::Mutex mutex_;
  std::deque<std::unique_ptr<Transfer>> queued_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<CURL*, std::unique_ptr<Transfer>> active_;  // The thread's; the destructor's after the join.
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Webhooks> Webhooks::Start() {
  static const bool once = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  (void)once;
  return std::make_unique<CurlWebhooks>();
}

}  // namespace callbridge::sim
