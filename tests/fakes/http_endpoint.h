#ifndef CALLBRIDGE_TESTS_FAKES_HTTP_ENDPOINT_H_
#define CALLBRIDGE_TESTS_FAKES_HTTP_ENDPOINT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/http_message.h"
#include "src/base/mutex.h"
#include "src/net/event_loop.h"
#include "src/net/server.h"
#include "tests/net/peers.h"

namespace callbridge::testing {

// Somebody else's HTTP service, over a real socket on 127.0.0.1: answers as the test says, and remembers what it was
// asked. Thread-safe.
class HttpEndpoint {
 public:
  using Answer = std::function<base::HttpResponse(const base::HttpRequest&)>;

  HttpEndpoint() : loop_(net::EventLoop::Start("endpoint")) {
    delegate_.on_request = [this](int, const base::HttpRequest& request, net::ServerDelegate::Respond respond) {
      Answer answer;
      {
        base::MutexLock lock(mutex_);
        requests_.push_back(request);
        if (silent_) {
          held_.push_back(std::move(respond));
          return;
        }
        answer = answer_;
      }
      respond(answer ? answer(request) : base::HttpResponse());
    };
    server_ = *net::Server::Start(net::ServerOptions(), {loop_.get()}, delegate_);
  }
  ~HttpEndpoint() {
    server_->Stop();
    loop_->Stop();
  }

  void SetAnswer(Answer answer) {
    base::MutexLock lock(mutex_);
    answer_ = std::move(answer);
  }
  void SetAnswer(int status, const std::string& body, const base::HttpHeaders& headers = {}) {
    SetAnswer([=](const base::HttpRequest&) {
      base::HttpResponse response;
      response.status = status;
      response.body = body;
      response.headers = headers;
      return response;
    });
  }
  // Takes requests from now on, and does not answer them until Release().
  void Hold() {
    base::MutexLock lock(mutex_);
    silent_ = true;
  }
  void Release() {
    std::vector<net::ServerDelegate::Respond> held;
    {
      base::MutexLock lock(mutex_);
      silent_ = false;
      held.swap(held_);
    }
    for (const auto& respond : held) respond(base::HttpResponse());
  }

  std::vector<base::HttpRequest> requests() {
    base::MutexLock lock(mutex_);
    return requests_;
  }
  std::string url(const std::string& path = "/tool") {
    return absl::StrCat("http://127.0.0.1:", server_->port(), path);
  }

 private:
  std::unique_ptr<net::EventLoop> loop_;
  FunctionDelegate delegate_;
  base::Mutex mutex_;
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<net::ServerDelegate::Respond> held_ ABSL_GUARDED_BY(mutex_);
  Answer answer_ ABSL_GUARDED_BY(mutex_);
  std::vector<base::HttpRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<net::Server> server_;
};

}  // namespace callbridge::testing

#endif  // CALLBRIDGE_TESTS_FAKES_HTTP_ENDPOINT_H_
