#ifndef CALLBRIDGE_SRC_CONTROL_FORWARDED_CALL_H_
#define CALLBRIDGE_SRC_CONTROL_FORWARDED_CALL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "src/base/error.h"
#include "src/base/executor.h"
#include "src/control/forwarder.h"
#include "src/control/peer_authorizer.h"
#include "src/control/status_map.h"
#include "src/control/unary_call.h"

namespace callbridge::control {

// A request about a call that is not live here, on its way to the node that has the call: found in the store, asked
// with the time that is left and no longer than the client waits, its answer passed through as it is. A node that has
// not got the call any more leads to one more look and one more try. Of a node that joined a moment ago, news are
// waited for: nodes hear of each other every 2 s. Keeps itself alive.
template <typename Request, typename Response>
class ForwardedCall final : public std::enable_shared_from_this<ForwardedCall<Request, Response>> {
 public:
  struct What {
    std::string method;  // "/package.Service/Method".
    std::string call_id;
    std::string principal;
    Request request;
    std::function<void()> here;  // Answers here: no other node has the call.
  };

  // Forwarder and executor outlive the last RPC of the forwarder's channels.
  static void Begin(std::shared_ptr<UnaryCall<Response>> call, Forwarder& forwarder, base::Executor& executor,
                    What what) {
    std::shared_ptr<ForwardedCall> forwarded(new ForwardedCall(std::move(call), forwarder, executor, std::move(what)));
    forwarded->Look();
  }

 private:
  // The arguments of one try, which live as long as it.
  struct Try {
    explicit Try(Forwarder::Owner to) : owner(std::move(to)), stub(owner.channel) {}
    Forwarder::Owner owner;
    grpc::ClientContext context;
    Response response;
    grpc::TemplatedGenericStub<Request, Response> stub;
  };

  ForwardedCall(std::shared_ptr<UnaryCall<Response>> call, Forwarder& forwarder, base::Executor& executor, What what)
      : call_(std::move(call)), forwarder_(forwarder), executor_(executor), what_(std::move(what)) {}

  void Look() {
    executor_.Post([self = this->shared_from_this()] {
      if (self->call_->finished()) return self->call_->Finish(absl::CancelledError("the client went away"));
      self->call_->Guard([&] { self->Ask(); });
    });
  }

  void Ask() {
    auto owner = forwarder_.Find(what_.call_id);
    if (!owner.ok()) {
      if (IsUnreachable(owner.status())) forwarder_.Count(ForwardOutcome::kUnreachable);
      return call_->Finish(FromStore(owner.status(), what_.call_id));
    }
    if (!owner->has_value()) return what_.here();
    if ((*owner)->channel == nullptr) return AwaitStranger((*owner)->node_id);
    Send(**std::move(owner));
  }

  void AwaitStranger(const std::string& node_id) {
    if (looks_at_strangers_++ == kLooksAtStrangers) {
      forwarder_.Count(ForwardOutcome::kUnreachable);
      return call_->Finish(Forwarder::Unreachable(what_.call_id, node_id, "it is not known here"));
    }
    const auto alarm = std::make_shared<grpc::Alarm>();
    next_look_ = alarm;
    // The alarm is this object's own: whom it wakes lets go of it, or neither would ever end.
    alarm->Set(std::chrono::system_clock::now() + kBetweenLooks,
               [waiting = this->shared_from_this()](bool expired) mutable {
                 const auto self = std::move(waiting);
                 if (expired) return self->Look();
                 self->call_->Finish(absl::CancelledError("the client went away"));
               });
    call_->WhenOver([weak = std::weak_ptr<grpc::Alarm>(alarm)] {
      if (const auto running = weak.lock()) running->Cancel();
    });
  }

  static bool IsUnreachable(const absl::Status& status) {
    return base::GetErrorInfo(status).reason == "OWNER_UNREACHABLE";
  }

  void Send(Forwarder::Owner owner) {
    const bool again = !std::exchange(asked_, owner.node_id).empty();
    const auto attempt = std::make_shared<Try>(std::move(owner));
    AddPeerMetadata(what_.principal, attempt->context);
    attempt->context.set_deadline(call_->deadline());
    attempt->stub.UnaryCall(&attempt->context, what_.method, grpc::StubOptions(), &what_.request, &attempt->response,
                            [self = this->shared_from_this(), attempt, again](const grpc::Status& status) {
                              self->OnAnswer(*attempt, status, again);
                            });
    // Not before: a call that has not begun cannot be cancelled.
    call_->WhenOver([weak = std::weak_ptr<Try>(attempt)] {
      if (const auto running = weak.lock()) running->context.TryCancel();
    });
  }

  // On a thread of gRPC's.
  void OnAnswer(Try& attempt, const grpc::Status& status, bool again) {
    const ForwardOutcome outcome = Forwarder::OutcomeOf(status);
    forwarder_.Count(outcome);
    switch (outcome) {
      case ForwardOutcome::kAnswered:
        // An error that is gRPC's own, such as that of a node that does not know the RPC yet, has no details.
        if (status.ok() || !status.error_details().empty()) return call_->FinishAs(status, std::move(attempt.response));
        return call_->Finish(absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message()));
      case ForwardOutcome::kMoved:
        if (!again) return Look();
        return call_->Finish(Forwarder::Unreachable(what_.call_id, attempt.owner.node_id, "the call moves about"));
      case ForwardOutcome::kUnreachable:
        return call_->Finish(Forwarder::Unreachable(what_.call_id, attempt.owner.node_id, status.error_message()));
      case ForwardOutcome::kGivenUp:
        return call_->Finish(status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED
                                 ? NoAnswerInTime()
                                 : absl::CancelledError("the client went away"));
    }
  }

  static constexpr std::chrono::milliseconds kBetweenLooks{100};
  static constexpr int kLooksAtStrangers = 25;

  const std::shared_ptr<UnaryCall<Response>> call_;
  Forwarder& forwarder_;
  base::Executor& executor_;
  const What what_;
  std::string asked_;  // The node that was asked last; empty: none yet.
  int looks_at_strangers_ = 0;
  std::shared_ptr<grpc::Alarm> next_look_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_FORWARDED_CALL_H_
