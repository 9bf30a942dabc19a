#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/base/log.h"
#include "src/base/phone.h"
#include "src/session/agent_tools.h"
#include "src/session/dial_limits.h"
#include "src/session/dial_rules.h"
#include "src/session/node_token.h"
#include "src/session/switchboard.h"

// How calls begin, and what may keep an outbound one from it.
namespace callbridge::session {
namespace {

using base::FieldError;
using base::MakeError;

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

absl::Status RequestIdReused() {
  return FieldError("request_id", "REQUEST_ID_REUSED", "was used before with other content");
}

absl::Status NotLookedUp(const std::string& field) {
  return MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                   absl::StrCat(field, ": how often this number was called could not be looked up; try again"));
}

}  // namespace

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

// ---- What speaks against a call ----

std::vector<absl::Status> Switchboard::ProblemsNow() const {
  std::vector<absl::Status> problems;
  if (!accepting_)
    problems.push_back(MakeError(absl::StatusCode::kUnavailable, "DRAINING", "this server is shutting down"));
  if (static_cast<int>(calls_.size()) + starting_ >= settings_.max_calls) {
    problems.push_back(MakeError(absl::StatusCode::kResourceExhausted, "CONCURRENCY_LIMIT",
                                 absl::StrCat("already ", settings_.max_calls, " calls at once (max_calls)")));
  }
  const absl::Status rate =
      CheckDialRate(starts_.Wait(Now()), "calls_per_minute", settings_.dial_limits.calls_per_minute);
  if (!rate.ok()) problems.push_back(rate);
  return problems;
}

void Switchboard::LookUpNumber(const std::string& field, const std::string& number, const NumberProblems& done) const {
  const auto look_at_dials = [this, field, number, done](std::vector<absl::Status> problems) {
    const int most = settings_.dial_limits.calls_per_number_per_day;
    if (most == 0 || !deps_.list_calls) return done(std::move(problems));
    const absl::Time now = Now();
    deps_.list_calls(DialsOfTheDay(number, now), most,
                     [this, field, number, done, now, problems = std::move(problems)](
                         const absl::StatusOr<std::vector<store::CallRecord>>& dials) mutable {
                       if (!dials.ok()) return done(NotLookedUp(field));
                       absl::Status limit = CheckNumberLimit(settings_.dial_limits, field, number, *dials, now);
                       if (!limit.ok()) problems.push_back(std::move(limit));
                       done(std::move(problems));
                     });
  };
  if (!deps_.find_lead) return look_at_dials({});
  deps_.find_lead(number, [field, done, look_at_dials](const absl::StatusOr<store::LeadRecord>& lead) {
    absl::Status suppressed = CheckSuppression(field, lead);
    if (absl::IsUnavailable(suppressed)) return done(std::move(suppressed));
    look_at_dials(suppressed.ok() ? std::vector<absl::Status>{} : std::vector<absl::Status>{std::move(suppressed)});
  });
}

void Switchboard::EvaluateStart(const StartRequest& request, NumberProblems done) {
  StartTerms terms;
  std::vector<absl::Status> problems = CheckStartRequest(settings_, request, &terms);
  {
    base::MutexLock lock(mutex_);
    for (absl::Status& problem : ProblemsNow()) problems.push_back(std::move(problem));
  }
  LookUpNumber("to", request.to,
               [done, problems = std::move(problems)](absl::StatusOr<std::vector<absl::Status>> of_number) mutable {
                 if (!of_number.ok()) return done(of_number.status());
                 for (absl::Status& problem : *of_number) problems.push_back(std::move(problem));
                 done(std::move(problems));
               });
}

absl::Status Switchboard::TakeTransfer() {
  base::MutexLock lock(mutex_);
  const absl::Time now = Now();
  absl::Status status =
      CheckDialRate(transfers_.Wait(now), "transfers_per_minute", settings_.dial_limits.transfers_per_minute);
  if (status.ok()) transfers_.Count(now);
  return status;
}

// ---- StartCall ----

absl::Status Switchboard::TakeStart(const StartTerms& terms, const std::string& to, Plan* plan) {
  base::MutexLock lock(mutex_);
  std::vector<absl::Status> problems = ProblemsNow();
  if (!problems.empty()) return std::move(problems.front());
  ++starting_;
  *plan = MakePlan(call::Direction::kOutbound, terms.from, to, terms.agent);
  plan->counted = Now();
  starts_.Count(plan->counted);
  plan->loop = static_cast<int>(next_loop_++ % deps_.loops.size());
  return absl::OkStatus();
}

// Of equal requests at once only the first is counted and made; all are given its answer.
Switchboard::StartDone Switchboard::BeFirst(const store::RequestKey& key, StartDone done) {
  const std::pair<std::string, std::string> id(key.principal, key.request_id);
  base::MutexLock lock(mutex_);
  const auto [running, is_first] = running_starts_.try_emplace(id);
  if (!is_first) {
    running->second.emplace_back(key.fingerprint, std::move(done));
    return nullptr;
  }
  return [this, id, fingerprint = key.fingerprint, done = std::move(done)](absl::StatusOr<store::CallRecord> answer) {
    std::vector<std::pair<std::string, StartDone>> waiting;
    {
      base::MutexLock lock(mutex_);
      const auto over = running_starts_.find(id);
      waiting = std::move(over->second);
      running_starts_.erase(over);
    }
    done(answer);
    for (const auto& [same, also] : waiting) {
      if (same == fingerprint) {
        also(answer);
      } else {
        also(RequestIdReused());
      }
    }
  };
}

// No limit keeps a request from the answer that it had before.
void Switchboard::RefuseUnlessKnown(const StartRequest& request, absl::Status refusal, StartDone done) const {
  if (!request.key || !deps_.find_request) return done(std::move(refusal));
  deps_.find_request(*request.key, [refusal = std::move(refusal),
                                    done = std::move(done)](absl::StatusOr<absl::optional<store::CallRecord>> known) {
    if (known.ok() && known->has_value()) return done(**std::move(known));
    done(absl::IsInvalidArgument(known.status()) ? RequestIdReused() : refusal);
  });
}

CallRecorder::CreateCheck Switchboard::CheckBefore(const std::string& to) const {
  const DialLimits& limits = settings_.dial_limits;
  if (limits.calls_per_number_per_day == 0) return nullptr;
  return [limits, to, now = Now()](store::CallStore& store) {
    const auto dials = store.ListCalls(DialsOfTheDay(to, now), absl::nullopt, limits.calls_per_number_per_day);
    return dials.ok() ? CheckNumberLimit(limits, "to", to, *dials, now) : dials.status();
  };
}

void Switchboard::StartCall(StartRequest request, StartDone done) {
  StartTerms terms;
  std::vector<absl::Status> problems = CheckStartRequest(settings_, request, &terms);
  if (!problems.empty()) return done(std::move(problems.front()));
  if (request.key) done = BeFirst(*request.key, std::move(done));
  if (!done) return;  // It waits for the answer of the first.
  Plan plan;
  if (absl::Status refusal = TakeStart(terms, request.to, &plan); !refusal.ok())
    return RefuseUnlessKnown(request, std::move(refusal), std::move(done));
  if (request.max_duration > absl::ZeroDuration()) plan.call.max_duration = request.max_duration;
  if (request.ring_timeout <= absl::ZeroDuration()) request.ring_timeout = plan.agent->ring_timeout;
  // The carrier's own limit ends the ringing; ours is for when it never tells.
  plan.call.ring_limit = request.ring_timeout + absl::Seconds(15);
  const absl::Time now = Now();
  store::CallRecord record = RecordOf(plan, now);
  record.metadata = request.metadata;
  record.labels = request.labels;
  const absl::optional<store::RequestKey> key = request.key;
  CallRecorder::CreateCheck check = CheckBefore(request.to);
  deps_.recorder->Create(
      std::move(record), {call::Call::Created(plan.call, now)}, key,
      [this, plan, request = std::move(request),
       done = std::move(done)](absl::StatusOr<store::CallStore::Created> created) {
        const bool begins = created.ok() && !created->existed;
        // From here the call counts among the live ones, or does not come about.
        if (begins) BeginOutbound(plan, request);
        OnStarted(plan, begins);
        if (created.ok()) return done(std::move(created->call));
        done(WhyNotStarted(plan.call.call_id, created.status()));
      },
      std::move(check));
}

void Switchboard::OnStarted(const Plan& plan, bool begins) {
  base::MutexLock lock(mutex_);
  --starting_;
  if (!begins) starts_.TakeBack(plan.counted);
}

absl::Status Switchboard::WhyNotStarted(const std::string& call_id, const absl::Status& refused) {
  // The store knows a reason not to call.
  if (absl::IsFailedPrecondition(refused) || absl::IsResourceExhausted(refused)) return refused;
  if (absl::IsInvalidArgument(refused)) return RequestIdReused();
  // Not recorded as far as we know.
  undialled_.Watch(call_id);
  return MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                   absl::StrCat("the call could not be recorded, so it was not dialled: ",
                                absl::IsUnavailable(refused) ? refused.message() : "the database refused it"));
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

}  // namespace callbridge::session
