#include "src/session/switchboard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/base/log.h"
#include "src/base/phone.h"
#include "src/session/agent_tools.h"

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

}  // namespace

bool MayDial(const Settings& settings, absl::string_view number) {
  return std::any_of(
      settings.allowed_prefixes.begin(), settings.allowed_prefixes.end(),
      [number](const std::string& prefix) { return !prefix.empty() && absl::StartsWith(number, prefix); });
}

Switchboard::Switchboard(const Settings& settings, Deps deps) : settings_(settings), deps_(std::move(deps)) {}

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
  plan.token = base::NewToken();
  plan.call = plan.agent->conduct;
  plan.call.call_id = base::NewUuid();
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
  CallSession::Deps deps;
  deps.tools = deps_.loops[plan.loop];
  deps.recorder = deps_.recorder;
  deps.carrier = deps_.carrier;
  deps.carrier_executor = deps_.carrier_executor;
  deps.host = this;
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
  const absl::optional<store::RequestKey> key = request.key;
  deps_.recorder->Create(std::move(record), {call::Call::Created(plan.call, now)}, key,
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
                           } else if (created.status().code() == absl::StatusCode::kInvalidArgument) {
                             done(FieldError("request_id", "REQUEST_ID_REUSED", "was used before with other content"));
                           } else {
                             done(MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                                            "the call could not be recorded, so it was not dialled"));
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
  base::Log(base::LogKind::kCall, plan.call.call_id, "outbound call",
            {{"from", base::MaskNumber(plan.call.from)}, {"to", base::MaskNumber(plan.call.to)}});
  base::MutexLock lock(mutex_);
  deps_.loops[plan.loop]->loop->Post([session = MakeSession(plan), dial] {
    session->Begin();
    session->Dial(dial);
  });
}

void Switchboard::EndCall(absl::string_view call_id, absl::string_view reason, std::function<void(absl::Status)> done) {
  {
    base::MutexLock lock(mutex_);
    if (const LiveCall* live = FindById(call_id)) {
      Feed(*live, input::EndRequested{call::EndReason::kApiEnded,
                                      reason.empty() ? "EndCall" : absl::StrCat("EndCall: ", reason)});
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

void Switchboard::TransferCall(TransferRequest request, std::function<void(absl::StatusOr<call::Transfer>)> done) {
  if (settings_.destinations.count(request.destination) == 0) {
    done(FieldError(
        "destination", "UNKNOWN_DESTINATION",
        absl::StrCat("no destination '", request.destination, "'; there are: ", absl::StrJoin(Destinations(), ", "))));
    return;
  }
  {
    base::MutexLock lock(mutex_);
    if (const LiveCall* live = FindById(request.call_id)) {
      deps_.loops[live->loop]->loop->Post(
          [session = live->session, request = std::move(request), done = std::move(done)] {
            const auto& current = session->call().transfer();
            if (current && current->transfer_id == request.transfer_id) {
              done(*current);
              return;
            }
            const std::string problem = session->call().TransferProblem(request.destination);
            if (!problem.empty()) {
              const bool busy = current && (current->state == call::TransferState::kRequested ||
                                            current->state == call::TransferState::kDialing);
              done(MakeError(absl::StatusCode::kFailedPrecondition, busy ? "TRANSFER_IN_PROGRESS" : "CALL_NOT_ACTIVE",
                             problem,
                             {{"state", std::string(Name(session->call().state()))},
                              {"transfer_id", busy ? current->transfer_id : ""}}));
              return;
            }
            session->Feed(input::TransferRequested{request.transfer_id, request.destination, request.reason, ""});
            done(*session->call().transfer());
          });
      return;
    }
  }
  deps_.find_call(request.call_id, [done, id = request.call_id](absl::StatusOr<store::CallRecord> found) {
    if (found.ok()) {
      done(MakeError(absl::StatusCode::kFailedPrecondition, "CALL_NOT_ACTIVE", "the call is over",
                     {{"state", std::string(Name(found->state))}}));
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

// ---- FrontDesk ----

Instructions Switchboard::InstructionsFor(LiveCall& live) {
  Instructions out;
  out.kind = live.next;
  out.call_id = live.call_id;
  out.call_token = live.token;
  if (call::IsFinal(live.state)) out.kind = Instructions::Kind::kHangUp;
  if (out.kind == Instructions::Kind::kDial) {
    out.number = live.number;
    out.caller_id = live.caller_id;
  } else if (out.kind == Instructions::Kind::kStream) {
    // A repeated request gets the same token, as long as no stream has used it.
    if (live.stream_token.empty()) {
      live.stream_token = base::NewToken();
      by_stream_token_[live.stream_token] = &live;
    }
    out.stream_token = live.stream_token;
  }
  return out;
}

Instructions Switchboard::OnAnswer(const AnswerNotice& notice) {
  // Held to the end: two requests about the same call can come at once, on two loops, and the first makes it.
  base::MutexLock lock(mutex_);
  LiveCall* live = notice.call_token.empty() ? FindByCarrierId(notice.carrier_call_id) : FindByToken(notice.call_token);
  if (live != nullptr) {
    if (!notice.call_token.empty()) {
      deps_.loops[live->loop]->loop->Post([session = live->session, id = notice.carrier_call_id] {
        session->SetCarrierCallId(id);
        session->Feed(input::Answered{id});
      });
    }
    return InstructionsFor(*live);
  }
  Instructions hang_up;
  hang_up.kind = Instructions::Kind::kHangUp;
  // An outbound call that we have ended meanwhile, or a repeat about an inbound one that is over: nobody to connect
  // them to.
  if (!notice.call_token.empty() || ended_.contains(notice.carrier_call_id)) return hang_up;
  if (!accepting_ || static_cast<int>(calls_.size()) + starting_ >= settings_.max_calls) {
    base::Log(base::LogKind::kTrouble, "", "inbound call refused",
              {{"why", accepting_ ? "max_calls" : "draining"}, {"carrier_call_id", notice.carrier_call_id}});
    return hang_up;
  }
  return AdmitInbound(notice);
}

Instructions Switchboard::AdmitInbound(const AnswerNotice& notice) {
  const std::string to = base::NormalizeNumber(notice.to);
  const auto agent = settings_.inbound.find(to);
  Plan plan = MakePlan(call::Direction::kInbound, base::NormalizeNumber(notice.from), to,
                       agent == settings_.inbound.end() ? settings_.default_agent : agent->second);
  plan.carrier_call_id = notice.carrier_call_id;
  plan.loop = static_cast<int>(next_loop_++ % deps_.loops.size());
  const absl::Time now = Now();
  // The caller is not kept waiting for the database: the recorder keeps this and what follows in order.
  deps_.recorder->Create(RecordOf(plan, now), {call::Call::Created(plan.call, now)}, absl::nullopt,
                         [id = plan.call.call_id](absl::StatusOr<store::CallStore::Created> created) {
                           if (created.ok()) return;
                           base::Log(base::LogKind::kTrouble, id, "the call could not be recorded",
                                     {{"why", std::string(created.status().message())}});
                         });
  deps_.loops[plan.loop]->loop->Post([session = MakeSession(plan)] { session->Begin(); });
  base::Log(base::LogKind::kCall, plan.call.call_id, "inbound call",
            {{"from", base::MaskNumber(plan.call.from)}, {"to", base::MaskNumber(plan.call.to)}});
  return InstructionsFor(*FindById(plan.call.call_id));
}

void Switchboard::OnRing(absl::string_view call_token, absl::string_view carrier_call_id) {
  base::MutexLock lock(mutex_);
  const LiveCall* live = FindByToken(call_token);
  if (live == nullptr) return;
  deps_.loops[live->loop]->loop->Post([session = live->session, id = std::string(carrier_call_id)] {
    session->SetCarrierCallId(id);
    session->Feed(input::Rang{id});
  });
}

void Switchboard::OnHangup(const HangupNotice& notice) {
  base::MutexLock lock(mutex_);
  const LiveCall* live = notice.call_token.empty() ? nullptr : FindByToken(notice.call_token);
  if (live == nullptr) live = FindByCarrierId(notice.carrier_call_id);
  if (live == nullptr) return;
  deps_.loops[live->loop]->loop->Post([session = live->session, notice] {
    session->SetCarrierCallId(notice.carrier_call_id);
    session->Feed(input::HungUp{notice.reason, notice.party, notice.detail});
  });
}

Instructions Switchboard::OnNextStep(absl::string_view call_token) {
  base::MutexLock lock(mutex_);
  LiveCall* live = FindByToken(call_token);
  if (live == nullptr) return {};
  Instructions out = InstructionsFor(*live);
  if (out.kind == Instructions::Kind::kDial) Feed(*live, input::TransferFetched{live->transfer_id, 0});
  return out;
}

void Switchboard::OnHumanAnswered(absl::string_view call_token) {
  base::MutexLock lock(mutex_);
  if (const LiveCall* live = FindByToken(call_token)) Feed(*live, input::HumanAnswered{live->transfer_id, 0});
}

Instructions Switchboard::OnTransferDone(absl::string_view call_token, call::TransferOutcome outcome,
                                         absl::string_view detail) {
  base::MutexLock lock(mutex_);
  LiveCall* live = FindByToken(call_token);
  if (live == nullptr) return {};
  Feed(*live, input::TransferDone{live->transfer_id, 0, outcome, std::string(detail)});
  // The loop will say the same in a moment; the carrier wants its answer now.
  if (live->next == Instructions::Kind::kDial) {
    live->next = outcome == call::TransferOutcome::kBridged ? Instructions::Kind::kHangUp : Instructions::Kind::kStream;
  }
  return InstructionsFor(*live);
}

void Switchboard::OnStreamStatus(absl::string_view carrier_call_id, absl::string_view event, absl::string_view detail) {
  std::string call_id;
  {
    base::MutexLock lock(mutex_);
    if (const LiveCall* live = FindByCarrierId(carrier_call_id)) call_id = live->call_id;
  }
  if (!call_id.empty() && !detail.empty()) {
    base::Log(base::LogKind::kCall, call_id, absl::StrCat("stream status ", event), {{"detail", std::string(detail)}});
  }
}

// ---- Streams ----

int Switchboard::LoopOfStream(absl::string_view stream_token) const {
  base::MutexLock lock(mutex_);
  const auto found = by_stream_token_.find(stream_token);
  return found == by_stream_token_.end() ? -1 : found->second->loop;
}

net::WsConnection::Listener* Switchboard::ClaimStream(absl::string_view stream_token) {
  std::shared_ptr<CallSession> session;
  {
    base::MutexLock lock(mutex_);
    const auto found = by_stream_token_.find(stream_token);
    if (found == by_stream_token_.end()) return nullptr;
    session = found->second->session;
    found->second->stream_token.clear();
    by_stream_token_.erase(found);
  }
  return session->NewStream();
}

// ---- SessionHost ----

void Switchboard::OnNextStep(const std::string& call_id, const call::command::NextStep& step) {
  using Kind = call::command::NextStep::Kind;
  base::MutexLock lock(mutex_);
  LiveCall* live = FindById(call_id);
  if (live == nullptr) return;
  live->next = step.kind == Kind::kStream ? Instructions::Kind::kStream
               : step.kind == Kind::kDial ? Instructions::Kind::kDial
                                          : Instructions::Kind::kHangUp;
  if (step.kind != Kind::kDial) return;
  live->number = step.targets.front().number;
  live->transfer_id = step.transfer_id;
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
  if (call::IsFinal(state)) Remember(live->carrier_call_id);
}

void Switchboard::Remember(const std::string& carrier_call_id) {
  if (carrier_call_id.empty() || !ended_.insert(carrier_call_id).second) return;
  ended_order_.push_back(carrier_call_id);
  if (ended_order_.size() <= kEndedRemembered) return;
  ended_.erase(ended_order_.front());
  ended_order_.pop_front();
}

void Switchboard::OnFinished(const std::string& call_id, int64_t next_sequence) {
  if (deps_.on_finished) deps_.on_finished(call_id, next_sequence);
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
    Remember(gone->carrier_call_id);
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
    Feed(*live, input::EndRequested{call::EndReason::kServerDrain, "the server was told to stop"});
  }
}

int Switchboard::live_calls() const {
  base::MutexLock lock(mutex_);
  return static_cast<int>(calls_.size()) + starting_;
}

bool Switchboard::IsLive(absl::string_view call_id) const {
  base::MutexLock lock(mutex_);
  return calls_.contains(call_id);
}

}  // namespace callbridge::session
