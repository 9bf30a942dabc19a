#ifndef CALLBRIDGE_TESTS_FAKES_FAKE_WEB_CLIENT_H_
#define CALLBRIDGE_TESTS_FAKES_FAKE_WEB_CLIENT_H_

#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "src/base/mutex.h"
#include "src/web/web_client.h"

namespace callbridge::web {

// Answers from a list, in order; the last one stays. Thread-safe.
class FakeWebClient final : public WebClient {
 public:
  using Answer = std::function<absl::StatusOr<WebResponse>(const WebRequest&)>;

  void Queue(Answer answer) {
    base::MutexLock lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  void Queue(int status, std::string body, base::HttpHeaders headers = {}) {
    Queue([=](const WebRequest&) -> absl::StatusOr<WebResponse> { return WebResponse{status, headers, body}; });
  }
  void Queue(absl::Status failure) {
    Queue([=](const WebRequest&) -> absl::StatusOr<WebResponse> { return failure; });
  }

  // Takes all answers off the list.
  void Clear() {
    base::MutexLock lock(mutex_);
    answers_.clear();
  }

  absl::StatusOr<WebResponse> Post(const WebRequest& request) override {
    if (stopped_) return absl::CancelledError("shutting down");
    Answer answer;
    {
      base::MutexLock lock(mutex_);
      requests_.push_back(request);
      if (answers_.empty()) return absl::UnavailableError("nothing listens");
      answer = answers_.front();
      if (answers_.size() > 1) answers_.pop_front();
    }
    return answer(request);
  }
  void Stop() override { stopped_ = true; }
  bool stopped() const { return stopped_; }

  std::vector<WebRequest> requests() {
    base::MutexLock lock(mutex_);
    return requests_;
  }

 private:
  std::atomic<bool> stopped_{false};
  base::Mutex mutex_;
  std::deque<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  std::vector<WebRequest> requests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::web

#endif  // CALLBRIDGE_TESTS_FAKES_FAKE_WEB_CLIENT_H_
