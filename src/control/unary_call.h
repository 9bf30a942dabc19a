#ifndef CALLBRIDGE_SRC_CONTROL_UNARY_CALL_H_
#define CALLBRIDGE_SRC_CONTROL_UNARY_CALL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "src/base/error.h"
#include "src/base/mutex.h"
#include "src/control/status_map.h"

namespace callbridge::control {

// One unary request being answered, by whoever comes first: its work, its deadline (the client's, or `longest` where
// there is none), or the loss of its work (the last reference goes without an answer: UNAVAILABLE SHUTTING_DOWN).
// Thread-safe.
template <typename Response>
class UnaryCall final : public std::enable_shared_from_this<UnaryCall<Response>> {
 public:
  // Call from the handler, which then returns reactor().
  static std::shared_ptr<UnaryCall> Begin(grpc::CallbackServerContext* context, Response* response,
                                          std::chrono::milliseconds longest) {
    std::shared_ptr<UnaryCall> call(new UnaryCall(context, response));
    const auto now = std::chrono::system_clock::now();
    // Without a deadline gRPC reports one infinitely far away.
    const auto deadline =
        context->deadline() > now + std::chrono::hours(24 * 365) ? now + longest : context->deadline();
    call->alarm_.Set(deadline, [weak = std::weak_ptr<UnaryCall>(call)](bool expired) {
      const auto call = weak.lock();
      if (expired && call != nullptr) {
        call->Finish(base::MakeError(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                                     "no answer in time; what was asked may still happen"));
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

  // Answers; the second answer and later ones change nothing.
  void Finish(absl::StatusOr<Response> result) {
    const absl::Status status = result.status();
    {
      base::MutexLock lock(mutex_);
      if (finished_) return;
      finished_ = true;
      // The message belongs to gRPC and is gone soon after Finish.
      if (result.ok()) *response_ = *std::move(result);
    }
    reactor_->Finish(ToGrpcStatus(status));
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
  UnaryCall(grpc::CallbackServerContext* context, Response* response)
      : context_(context), response_(response), reactor_(context->DefaultReactor()) {}

  grpc::CallbackServerContext* const context_;
  Response* const response_;
  grpc::ServerUnaryReactor* const reactor_;
  grpc::Alarm alarm_;
  mutable base::Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_UNARY_CALL_H_
