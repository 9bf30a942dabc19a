#include "src/session/switchboard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/base/error.h"
#include "src/base/log.h"
#include "src/session/node_token.h"
#include "src/session/steering.h"

namespace callbridge::session {
namespace {

namespace input = call::input;
using base::FieldError;
using base::MakeError;

constexpr size_t kEndedRemembered = 10'000;

absl::Status NoSuchCall(absl::string_view call_id) {
  return MakeError(absl::StatusCode::kNotFound, "CALL_NOT_FOUND", absl::StrCat("there is no call ", call_id),
                   {{"call", std::string(call_id)}});
}

absl::Status CallIsOver(absl::string_view state) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "CALL_NOT_ACTIVE", "the call is over",
                   {{"state", std::string(state)}});
}

absl::Status NotCancellable(absl::string_view state) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "TRANSFER_NOT_CANCELLABLE",
                   absl::StrCat("the transfer is ", state), {{"state", std::string(state)}});
}

}  // namespace

Switchboard::Switchboard(const Settings& settings, Deps deps)
    : settings_(settings),
      deps_(std::move(deps)),
      starts_(settings.dial_limits.calls_per_minute),
      transfers_(settings.dial_limits.transfers_per_minute),
      late_(*deps_.recorder, *deps_.loops.front()->loop, deps_.find_carrier_call),
      undialled_(*deps_.recorder, *deps_.loops.front()->loop, deps_.find_call) {}

Switchboard::~Switchboard() = default;

absl::Time Switchboard::Now() const { return deps_.loops.front()->loop->clock().Now(); }

// ---- Finding calls ----

Switchboard::LiveCall* Switchboard::FindById(absl::string_view call_id) {
  const auto found = calls_.find(call_id);
  return found == calls_.end() ? nullptr : found->second.get();
}

Switchboard::LiveCall* Switchboard::FindByToken(absl::string_view token) {
  const auto found = by_token_.find(token);
  return found == by_token_.end() ? nullptr : found->second;
}

Switchboard::LiveCall* Switchboard::FindByCarrierId(absl::string_view carrier_call_id) {
  const auto found = by_carrier_id_.find(carrier_call_id);
  return found == by_carrier_id_.end() ? nullptr : found->second;
}

void Switchboard::Feed(const LiveCall& live, input::Input input) {
  deps_.loops[live.loop]->loop->Post([session = live.session, input = std::move(input)] { session->Feed(input); });
}

// ---- CallControl ----

void Switchboard::EndCall(absl::string_view call_id, absl::string_view reason, absl::string_view goodbye,
                          std::function<void(absl::Status)> done) {
  {
    base::MutexLock lock(mutex_);
    if (const LiveCall* live = FindById(call_id)) {
      Feed(*live,
           input::EndRequested{call::EndReason::kApiEnded,
                               reason.empty() ? "EndCall" : absl::StrCat("EndCall: ", reason), std::string(goodbye)});
      deps_.loops[live->loop]->loop->Post([done] { done(absl::OkStatus()); });
      return;
    }
  }
  deps_.find_call(std::string(call_id), [done, id = std::string(call_id)](absl::StatusOr<store::CallRecord> found) {
    if (found.ok()) {
      done(absl::OkStatus());
    } else {
      done(absl::IsNotFound(found.status()) ? NoSuchCall(id) : found.status());
    }
  });
}

absl::Status Switchboard::CheckTransfer(const TransferRequest& request) const {
  if (request.destination.empty() && !request.number.empty()) return CheckTransferNumber(settings_, request.number);
  if (settings_.destinations.count(request.destination) > 0) return absl::OkStatus();
  return FieldError(
      "destination", "UNKNOWN_DESTINATION",
      absl::StrCat("no destination '", request.destination, "'; there are: ", absl::StrJoin(Destinations(), ", ")));
}

absl::StatusOr<call::Transfer> Switchboard::TransferNow(CallSession& session, const TransferRequest& request,
                                                        const absl::Status& refusal) {
  const call::Call& call = session.call();
  if (const call::Transfer* known = call.FindTransfer(request.transfer_id)) return *known;
  if (!refusal.ok()) return refusal;
  const std::string problem = call.TransferProblem(request.destination, request.number);
  if (problem.empty()) {
    if (absl::Status status = TakeTransfer(); !status.ok()) return status;
    session.Feed(input::TransferRequested{request.transfer_id, request.destination, request.reason,
                                          request.destination.empty() ? request.number : ""});
    return *call.transfer();
  }
  const auto& current = call.transfer();
  const bool busy =
      current && (current->state == call::TransferState::kRequested || current->state == call::TransferState::kDialing);
  const bool active = call.state() == call::State::kInProgress;
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   busy                               ? "TRANSFER_IN_PROGRESS"
                   : active && call.TransfersUsedUp() ? "TRANSFER_LIMIT"
                                                      : "CALL_NOT_ACTIVE",
                   problem,
                   {{"state", std::string(Name(call.state()))}, {"transfer_id", busy ? current->transfer_id : ""}});
}

void Switchboard::TransferCall(TransferRequest request, std::function<void(absl::StatusOr<call::Transfer>)> done) {
  if (absl::Status status = CheckTransfer(request); !status.ok()) {
    done(std::move(status));
    return;
  }
  {
    base::MutexLock lock(mutex_);
    if (const LiveCall* live = FindById(request.call_id)) {
      auto now = [this, loop = deps_.loops[live->loop]->loop, weak = std::weak_ptr<CallSession>(live->session),
                  request = request, done = std::move(done)](const absl::Status& refusal) {
        // A session is held on its loop only: it must end there.
        loop->Post([this, weak, request, done, refusal] {
          const auto session = weak.lock();
          done(session == nullptr ? CallIsOver("over") : TransferNow(*session, request, refusal));
        });
      };
      if (!request.destination.empty() || request.number.empty()) return now(absl::OkStatus());
      return LookUpNumber("number", request.number, [now](const absl::StatusOr<std::vector<absl::Status>>& problems) {
        now(!problems.ok() ? problems.status() : problems->empty() ? absl::OkStatus() : problems->front());
      });
    }
  }
  deps_.find_call(request.call_id, [done, id = request.call_id](absl::StatusOr<store::CallRecord> found) {
    if (found.ok()) {
      done(CallIsOver(Name(found->state)));
    } else {
      done(absl::IsNotFound(found.status()) ? NoSuchCall(id) : found.status());
    }
  });
}

void Switchboard::Steer(SteerRequest request, std::function<void(absl::StatusOr<Steered>)> done) {
  {
    base::MutexLock lock(mutex_);
    if (const LiveCall* live = FindById(request.call_id)) {
      deps_.loops[live->loop]->loop->Post([session = live->session, what = std::move(request.what),
                                           done = std::move(done)] { done(SteerNow(*session, what)); });
      return;
    }
  }
  deps_.find_call(request.call_id, [done, id = request.call_id](absl::StatusOr<store::CallRecord> found) {
    done(found.ok()                         ? CallIsOver(Name(found->state))
         : absl::IsNotFound(found.status()) ? NoSuchCall(id)
                                            : found.status());
  });
}

absl::StatusOr<call::Transfer> Switchboard::CancelNow(CallSession& session, const std::string& transfer_id) {
  const auto find = [&] { return session.call().FindTransfer(transfer_id); };
  if (find() == nullptr) {
    return MakeError(absl::StatusCode::kNotFound, "TRANSFER_NOT_FOUND",
                     absl::StrCat("this call has no transfer ", transfer_id), {{"transfer", transfer_id}});
  }
  // Without effect unless it can be cancelled.
  session.Feed(input::TransferCancelRequested{transfer_id});
  const call::Transfer& now = *find();
  if (now.state == call::TransferState::kFailed && now.outcome == call::TransferOutcome::kCancelled) return now;
  return NotCancellable(Name(now.state));
}

void Switchboard::CancelTransfer(absl::string_view call_id, absl::string_view transfer_id,
                                 std::function<void(absl::StatusOr<call::Transfer>)> done) {
  {
    base::MutexLock lock(mutex_);
    if (const LiveCall* live = FindById(call_id)) {
      deps_.loops[live->loop]->loop->Post([session = live->session, id = std::string(transfer_id),
                                           done = std::move(done)] { done(CancelNow(*session, id)); });
      return;
    }
  }
  deps_.find_call(std::string(call_id), [done, id = std::string(call_id)](absl::StatusOr<store::CallRecord> found) {
    if (found.ok()) {
      done(NotCancellable("over, as the call is"));
    } else {
      done(absl::IsNotFound(found.status()) ? NoSuchCall(id) : found.status());
    }
  });
}

std::vector<std::string> Switchboard::Destinations() const {
  std::vector<std::string> keys;
  for (const auto& [key, destination] : settings_.destinations) keys.push_back(key);
  return keys;
}

CallControl::Standing Switchboard::standing() const {
  base::MutexLock lock(mutex_);
  Standing standing;
  standing.draining = !accepting_;
  standing.live_calls = static_cast<int>(calls_.size()) + starting_;
  standing.max_calls = settings_.max_calls;
  for (const auto& [key, agent] : settings_.agents) standing.agents.push_back(key);
  return standing;
}

// ---- SessionHost ----

void Switchboard::OnNextStep(const std::string& call_id, const call::command::NextStep& step) {
  base::MutexLock lock(mutex_);
  if (LiveCall* live = FindById(call_id)) live->next.Set(step);
}

void Switchboard::OnCarrierCallId(const std::string& call_id, const std::string& carrier_call_id) {
  base::MutexLock lock(mutex_);
  LiveCall* live = FindById(call_id);
  if (live == nullptr) return;
  live->carrier_call_id = carrier_call_id;
  by_carrier_id_[carrier_call_id] = live;
}

void Switchboard::OnStateChanged(const std::string& call_id, call::State state) {
  base::MutexLock lock(mutex_);
  LiveCall* live = FindById(call_id);
  if (live == nullptr) return;
  live->state = state;
  if (call::IsFinal(state)) Remember(*live);
}

void Switchboard::Remember(const LiveCall& live) {
  if (live.carrier_call_id.empty() || !ended_.emplace(live.carrier_call_id, live.call_id).second) return;
  ended_order_.push_back(live.carrier_call_id);
  if (ended_order_.size() <= kEndedRemembered) return;
  ended_.erase(ended_order_.front());
  ended_order_.pop_front();
}

void Switchboard::OnFinished(const std::string& call_id, int64_t next_sequence) {
  // While the call still counts as live: nobody is to see it gone and not hear of its last words.
  if (deps_.on_finished) deps_.on_finished(call_id, next_sequence);
  Forget(call_id);
}

void Switchboard::Forget(const std::string& call_id) {
  std::unique_ptr<LiveCall> gone;
  {
    base::MutexLock lock(mutex_);
    const auto found = calls_.find(call_id);
    if (found == calls_.end()) return;
    gone = std::move(found->second);
    calls_.erase(found);
    by_token_.erase(gone->token);
    if (!gone->stream_token.empty()) by_stream_token_.erase(gone->stream_token);
    const auto by_carrier = by_carrier_id_.find(gone->carrier_call_id);
    if (by_carrier != by_carrier_id_.end() && by_carrier->second == gone.get()) by_carrier_id_.erase(by_carrier);
    Remember(*gone);
  }
  // The session is on the stack: it goes when the loop comes round.
  deps_.loops[gone->loop]->loop->Post([session = std::move(gone->session)] {});
}

// ---- Shutdown ----

void Switchboard::StopAccepting() {
  base::MutexLock lock(mutex_);
  accepting_ = false;
}

void Switchboard::EndAll() {
  base::MutexLock lock(mutex_);
  for (const auto& [call_id, live] : calls_) {
    Feed(*live, input::EndRequested{call::EndReason::kServerDrain, "the server was told to stop", ""});
  }
}

int Switchboard::live_calls() const {
  base::MutexLock lock(mutex_);
  return static_cast<int>(calls_.size()) + starting_;
}

bool Switchboard::KnowsCarrierCall(absl::string_view carrier_call_id) const {
  base::MutexLock lock(mutex_);
  return by_carrier_id_.contains(carrier_call_id) || ended_.contains(carrier_call_id);
}

void Switchboard::DropCall(absl::string_view call_id, absl::string_view why) {
  base::MutexLock lock(mutex_);
  LiveCall* const live = FindById(call_id);
  if (live == nullptr) return;
  live->state = call::State::kFailed;  // The carrier is told to hang up from now on.
  deps_.loops[live->loop]->loop->Post([this, session = live->session, id = live->call_id, why = std::string(why)] {
    session->Drop(why);
    Forget(id);
  });
}

bool Switchboard::IsLive(absl::string_view call_id) const {
  base::MutexLock lock(mutex_);
  return calls_.contains(call_id);
}

}  // namespace callbridge::session
