#include "src/session/switchboard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/base/log.h"
#include "src/base/phone.h"
#include "src/session/agent_tools.h"
#include "src/session/dial_rules.h"
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

std::map<std::string, call::Destination> Numbers(const Settings& settings) {
  std::map<std::string, call::Destination> numbers;
  for (const auto& [key, destination] : settings.destinations) numbers[key] = destination.call;
  return numbers;
}

ModelLeg::Options ModelOptions(const Settings& settings, const Agent& agent) {
  ModelLeg::Options options;
  options.url = settings.model_url;
  options.api_key = settings.model_api_key;
  options.ca_file = settings.model_ca_file;
  options.session = agent.session;
  options.session.tools = AgentTools(settings, agent);
  return options;
}

// A call is its maker's for its whole life, until somebody takes it away.
store::Owner FirstOwner(const std::string& node_id) { return {node_id, 1}; }

absl::Status NotCancellable(absl::string_view state) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "TRANSFER_NOT_CANCELLABLE",
                   absl::StrCat("the transfer is ", state), {{"state", std::string(state)}});
}

}  // namespace

bool MayDial(const Settings& settings, absl::string_view number) {
  return BeginsWithOneOf(settings.allowed_prefixes, number);
}

Switchboard::Switchboard(const Settings& settings, Deps deps)
    : settings_(settings),
      deps_(std::move(deps)),
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

// ---- Making calls ----

Switchboard::Plan Switchboard::MakePlan(call::Direction direction, const std::string& from, const std::string& to,
                                        const std::string& agent) {
  Plan plan;
  plan.agent = &settings_.agents.at(agent);
  plan.token = NewNodeToken(deps_.node_id);
  plan.call = plan.agent->conduct;
  plan.call.call_id = base::NewUuid();
  plan.call.fallback_transfer_id = base::NewUuid();
  plan.call.direction = direction;
  plan.call.from = from;
  plan.call.to = to;
  plan.call.agent = agent;
  plan.call.greeting_prompt = plan.agent->greeting_prompt;
  plan.call.destinations = Numbers(settings_);
  plan.call.max_duration = plan.agent->max_duration;
  if (const auto* vad = std::get_if<openai::ServerVad>(&plan.agent->session.turn_detection)) {
    plan.call.server_cancels = vad->interrupt_response;
  }
  return plan;
}

store::CallRecord Switchboard::RecordOf(const Plan& plan, absl::Time now) const {
  store::CallRecord record;
  record.call_id = plan.call.call_id;
  record.direction = plan.call.direction;
  record.from = plan.call.from;
  record.to = plan.call.to;
  record.agent = plan.call.agent;
  record.carrier_call_id = plan.carrier_call_id;
  record.create_time = now;
  record.event_head = 1;
  if (!deps_.node_id.empty()) record.owner = FirstOwner(deps_.node_id);
  if (plan.call.direction == call::Direction::kInbound) {
    record.state = call::State::kAnswered;
    record.answer_time = now;
  }
  return record;
}

std::shared_ptr<CallSession> Switchboard::MakeSession(const Plan& plan) {
  CallSession::Options options;
  options.call = plan.call;
  options.model = ModelOptions(settings_, *plan.agent);
  options.transfer_url = absl::StrCat(settings_.public_url, "/transfer/", plan.token);
  options.carrier_call_id = plan.carrier_call_id;
  options.log_transcripts = settings_.log_transcripts;
  options.summary_later = !plan.call.summary_in_session && plan.agent->after_call.summary == AfterCall::Summary::kText;
  if (!deps_.node_id.empty()) options.owner = FirstOwner(deps_.node_id);
  CallSession::Deps deps;
  deps.tools = deps_.loops[plan.loop];
  deps.recorder = deps_.recorder;
  deps.carrier = deps_.carrier;
  deps.carrier_executor = deps_.carrier_executor;
  deps.host = this;
  deps.tapes = deps_.tapes;
  deps.metrics = deps_.metrics;
  deps.speech = deps_.speech;
  deps.tool_runner = deps_.tool_runner;
  auto session = std::make_shared<CallSession>(std::move(options), deps);
  auto live = std::make_unique<LiveCall>();
  live->call_id = plan.call.call_id;
  live->token = plan.token;
  live->carrier_call_id = plan.carrier_call_id;
  live->caller_id = plan.agent->caller_id;
  live->loop = plan.loop;
  live->state = session->call().state();
  live->session = session;
  by_token_[live->token] = live.get();
  if (!live->carrier_call_id.empty()) by_carrier_id_[live->carrier_call_id] = live.get();
  calls_[live->call_id] = std::move(live);
  return session;
}

// ---- CallControl ----

absl::Status Switchboard::CheckStart(const StartRequest& request, Plan* plan) {
  if (!base::IsE164(request.to)) {
    return FieldError("to", "INVALID_E164", "not a phone number in E.164 form, such as +14155550123");
  }
  const std::string agent = request.agent.empty() ? settings_.default_agent : request.agent;
  const auto found = settings_.agents.find(agent);
  if (found == settings_.agents.end()) {
    const auto key = [](std::string* out, const auto& entry) { out->append(entry.first); };
    return FieldError("agent", "UNKNOWN_AGENT",
                      absl::StrCat("no agent '", agent, "'; there are: ", absl::StrJoin(settings_.agents, ", ", key)));
  }
  const std::string from = request.from.empty() ? found->second.caller_id : request.from;
  if (from.empty()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "NO_CALLER_ID",
                     absl::StrCat("from: not given, and agent '", agent, "' has no caller_id"),
                     {{"field", "from"}, {"agent", agent}});
  }
  if (!base::IsE164(from))
    return FieldError("from", "INVALID_E164", "not a phone number in E.164 form, such as +14155550100");
  if (from == request.to) return FieldError("to", "INVALID_E164", "is the calling number itself");
  if (!MayDial(settings_, request.to)) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "DESTINATION_NOT_ALLOWED",
                     "to: outside the configured allowed_prefixes", {{"field", "to"}});
  }
  base::MutexLock lock(mutex_);
  if (!accepting_) return MakeError(absl::StatusCode::kUnavailable, "DRAINING", "this server is shutting down");
  if (static_cast<int>(calls_.size()) + starting_ >= settings_.max_calls) {
    return MakeError(absl::StatusCode::kResourceExhausted, "CONCURRENCY_LIMIT",
                     absl::StrCat("already ", settings_.max_calls, " calls at once (max_calls)"));
  }
  ++starting_;
  *plan = MakePlan(call::Direction::kOutbound, from, request.to, agent);
  plan->loop = static_cast<int>(next_loop_++ % deps_.loops.size());
  return absl::OkStatus();
}

void Switchboard::StartCall(StartRequest request, std::function<void(absl::StatusOr<store::CallRecord>)> done) {
  Plan plan;
  if (absl::Status status = CheckStart(request, &plan); !status.ok()) {
    done(std::move(status));
    return;
  }
  if (request.max_duration > absl::ZeroDuration()) plan.call.max_duration = request.max_duration;
  const absl::Duration ring =
      request.ring_timeout > absl::ZeroDuration() ? request.ring_timeout : plan.agent->ring_timeout;
  // The carrier's own limit ends the ringing; ours is for when it never tells.
  plan.call.ring_limit = ring + absl::Seconds(15);
  request.ring_timeout = ring;
  const absl::Time now = Now();
  store::CallRecord record = RecordOf(plan, now);
  record.metadata = request.metadata;
  record.labels = request.labels;
  const absl::optional<store::RequestKey> key = request.key;
  deps_.recorder->Create(
      std::move(record), {call::Call::Created(plan.call, now)}, key,
      [this, plan, request = std::move(request),
       done = std::move(done)](absl::StatusOr<store::CallStore::Created> created) {
        // From here the call counts among the live ones, or does not come about.
        if (created.ok() && !created->existed) BeginOutbound(plan, request);
        {
          base::MutexLock lock(mutex_);
          --starting_;
        }
        if (created.ok()) {
          done(std::move(created->call));
        } else if (absl::IsFailedPrecondition(created.status())) {
          done(created.status());  // The store knows a reason not to call.
        } else if (created.status().code() == absl::StatusCode::kInvalidArgument) {
          done(FieldError("request_id", "REQUEST_ID_REUSED", "was used before with other content"));
        } else {
          // Not recorded as far as we know.
          undialled_.Watch(plan.call.call_id);
          done(MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                         absl::StrCat("the call could not be recorded, so it was not dialled: ",
                                      absl::IsUnavailable(created.status()) ? created.status().message()
                                                                            : "the database refused it")));
        }
      });
}

void Switchboard::BeginOutbound(const Plan& plan, const StartRequest& request) {
  carrier::CarrierApi::Dial dial;
  dial.from = plan.call.from;
  dial.to = plan.call.to;
  // The carrier's ids are not known before its first webhook, and the reply to our request may be lost: the URLs name
  // the call.
  dial.answer_url = absl::StrCat(settings_.public_url, "/answer?call=", plan.token);
  dial.ring_url = absl::StrCat(settings_.public_url, "/ring?call=", plan.token);
  dial.hangup_url = absl::StrCat(settings_.public_url, "/hangup?call=", plan.token);
  dial.ring_timeout = request.ring_timeout;
  dial.time_limit = plan.call.max_duration + absl::Minutes(5);
  if (plan.call.voicemail != call::VoicemailPolicy::kOff) {
    dial.machine_detection_time = plan.agent->machine_detection_time;
    dial.machine_detection_url = absl::StrCat(settings_.public_url, "/amd?call=", plan.token);
  }
  base::Log(base::LogKind::kCall, plan.call.call_id, "outbound call",
            {{"from", base::MaskNumber(plan.call.from)}, {"to", base::MaskNumber(plan.call.to)}});
  base::MutexLock lock(mutex_);
  deps_.loops[plan.loop]->loop->Post([session = MakeSession(plan), dial] {
    session->Begin();
    session->Dial(dial);
  });
}

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
      auto now = [loop = deps_.loops[live->loop]->loop, weak = std::weak_ptr<CallSession>(live->session),
                  request = request, done = std::move(done)](const absl::Status& refusal) {
        // A session is held on its loop only: it must end there.
        loop->Post([weak, request, done, refusal] {
          const auto session = weak.lock();
          done(session == nullptr ? CallIsOver("over") : TransferNow(*session, request, refusal));
        });
      };
      if (request.number.empty() || !deps_.find_lead) return now(absl::OkStatus());
      return deps_.find_lead(request.number,
                             [now](const absl::StatusOr<store::LeadRecord>& lead) { now(CheckSuppression(lead)); });
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
