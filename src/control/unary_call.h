#ifndef CALLBRIDGE_SRC_CONTROL_UNARY_CALL_H_
#define CALLBRIDGE_SRC_CONTROL_UNARY_CALL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/error.h"
#include "src/base/mutex.h"
#include "src/control/status_map.h"

namespace callbridge::control {

inline absl::Status NoAnswerInTime() {
  return base::MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                         "no answer in time; what was asked may still happen");
}

// One unary request being answered, by whoever comes first: its work, its deadline (the client's, or `longest` where
// there is none), or the loss of its work (the last reference goes without an answer: UNAVAILABLE SHUTTING_DOWN).
// Thread-safe.
template <typename Response>
class UnaryCall final : public std::enable_shared_from_this<UnaryCall<Response>> {
 public:
  // Call from the handler, which then returns reactor().
  static std::shared_ptr<UnaryCall> Begin(grpc::CallbackServerContext* context, Response* response,
                                          std::chrono::milliseconds longest) {
    const auto now = std::chrono::system_clock::now();
    // Without a deadline gRPC reports one infinitely far away.
    const auto deadline =
        context->deadline() > now + std::chrono::hours(24 * 365) ? now + longest : context->deadline();
    std::shared_ptr<UnaryCall> call(new UnaryCall(context, response, deadline));
    call->reactor_->call = call;
    call->alarm_.Set(deadline, [weak = std::weak_ptr<UnaryCall>(call)](bool expired) {
      const auto call = weak.lock();
      if (expired && call != nullptr) {
        call->Finish(NoAnswerInTime());
      }
    });
    return call;
  }

  ~UnaryCall() {
    Finish(base::MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN",
                           "this server is stopping; ask another, or again"));
  }
  UnaryCall(const UnaryCall&) = delete;
  UnaryCall& operator=(const UnaryCall&) = delete;

  grpc::ServerUnaryReactor* reactor() const { return reactor_; }

  // When it is answered at the latest.
  std::chrono::system_clock::time_point deadline() const { return deadline_; }

  // Answers; the second answer and later ones change nothing.
  void Finish(absl::StatusOr<Response> result) {
    const absl::Status status = result.status();
    FinishWith(status.ok() ? grpc::Status::OK : ToGrpcStatus(status), status.ok() ? &*result : nullptr);
  }
  // As another server has said it, details and all.
  void FinishAs(const grpc::Status& status, Response response) {
    FinishWith(status, status.ok() ? &response : nullptr);
  }

  // `over` runs when nobody waits for an answer any more: it was given, or the client went away. At once if that is so
  // already. Takes the place of an earlier one. On any thread; must not block.
  void WhenOver(std::function<void()> over) {
    {
      base::MutexLock lock(mutex_);
      if (!finished_ && !cancelled_) {
        when_over_ = std::move(over);
        return;
      }
    }
    over();
  }

  // Whether an answer is of no use any more: given, or the client went away.
  bool finished() const {
    base::MutexLock lock(mutex_);
    return finished_ || context_->IsCancelled();
  }

  // Runs `work`; what it throws becomes the answer INTERNAL.
  template <typename Work>
  void Guard(Work&& work) {
    try {
      std::forward<Work>(work)();
    } catch (const std::exception& error) {
      Finish(absl::InternalError(error.what()));
    } catch (...) {
      Finish(absl::InternalError("unknown exception"));
    }
  }

 private:
  class Reactor final : public grpc::ServerUnaryReactor {
   public:
    void OnCancel() override {
      if (const auto alive = call.lock()) alive->OnCancel();
    }
    void OnDone() override { delete this; }

    std::weak_ptr<UnaryCall> call;
  };

  UnaryCall(grpc::CallbackServerContext* context, Response* response, std::chrono::system_clock::time_point deadline)
      : context_(context), response_(response), reactor_(new Reactor), deadline_(deadline) {}

  void FinishWith(const grpc::Status& status, Response* response) {
    std::function<void()> over;
    {
      base::MutexLock lock(mutex_);
      if (finished_) return;
      finished_ = true;
      over = std::exchange(when_over_, nullptr);
      // The message belongs to gRPC and is gone soon after Finish.
      if (response != nullptr) *response_ = std::move(*response);
    }
    reactor_->Finish(status);
    if (over) over();
  }

  void OnCancel() {
    std::function<void()> over;
    {
      base::MutexLock lock(mutex_);
      cancelled_ = true;
      over = std::exchange(when_over_, nullptr);
    }
    if (over) over();
  }

  grpc::CallbackServerContext* const context_;
  Response* const response_;
  Reactor* const reactor_;  // Its own, until it is done.
  const std::chrono::system_clock::time_point deadline_;
  grpc::Alarm alarm_;
  mutable base::Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> when_over_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_UNARY_CALL_H_
