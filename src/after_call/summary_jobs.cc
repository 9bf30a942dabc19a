#include "src/after_call/summary_jobs.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "src/after_call/retry.h"
#include "src/base/log.h"
#include "src/tools/json_schema.h"

namespace callbridge::after_call {
namespace {

using base::Log;
using base::LogKind;

// The recorder writes within milliseconds. If it cannot at all, the job is done again after this.
constexpr absl::Duration kWriteLimit = absl::Minutes(5);
// A job whose call cannot be read is no reason to ask for it all the time.
constexpr absl::Duration kUnreadablePause = absl::Minutes(1);
// How long other nodes leave a new job to the node that had the call, which knows when all of it is written.
constexpr absl::Duration kOwnersTime = absl::Seconds(15);
constexpr int kMostForgotten = 32;
constexpr int kMostListed = 100;

bool IsWorthARepeat(const absl::Status& status) {
  return !absl::IsFailedPrecondition(status) && !absl::IsInvalidArgument(status);
}

absl::Status Wrong(const std::string& agent, absl::string_view setting, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("agent '", agent, "', after_call.", setting, ": ", why));
}

absl::Status CheckWishes(const std::string& agent, const session::AfterCall& wishes) {
  std::set<std::string> words;
  for (const std::string& word : wishes.dispositions) {
    if (word.empty() || !words.insert(word).second) {
      return Wrong(agent, "dispositions", absl::StrCat("'", word, "' is empty or there twice"));
    }
  }
  if (wishes.fields_schema_json.empty()) return absl::OkStatus();
  if (absl::Status status = tools::CheckSchema(wishes.fields_schema_json); !status.ok()) {
    return Wrong(agent, "fields_schema_json", status.message());
  }
  const auto strict = openai::StrictSchema(wishes.fields_schema_json);
  return strict.ok() ? absl::OkStatus() : Wrong(agent, "fields_schema_json", strict.status().message());
}

}  // namespace

absl::Status CheckAfterCall(const session::Settings& settings) {
  for (const auto& [key, agent] : settings.agents) {
    if (absl::Status status = CheckWishes(key, agent.after_call); !status.ok()) return status;
  }
  return absl::OkStatus();
}

SummaryJobs::SummaryJobs(store::CallStore& store, session::CallRecorder& recorder, web::WebClient& web,
                         const session::Settings& settings, Options options)
    : store_(store), recorder_(recorder), web_(web), settings_(settings), options_(std::move(options)) {}

SummaryJobs::~SummaryJobs() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void SummaryJobs::Start() {
  for (int i = 0; i < options_.at_once; ++i) threads_.emplace_back([this] { Work(); });
}

void SummaryJobs::OnCallFinished(const std::string& call_id, int64_t next_sequence) {
  base::MutexLock lock(mutex_);
  finished_[call_id].next_sequence = next_sequence;
  ++pokes_;
  wake_.NotifyAll();
}

int SummaryJobs::RunDue() {
  int count = 0;
  while (RunNext()) ++count;
  return count;
}

void SummaryJobs::Work() {
  for (;;) {
    int pokes = 0;
    {
      base::MutexLock lock(mutex_);
      if (stopping_) return;
      pokes = pokes_;
    }
    if (RunNext()) continue;
    base::MutexLock lock(mutex_);
    if (stopping_) return;
    const bool soon = !finished_.empty() && !store_away_;
    const absl::Duration pause = soon ? options_.look_soon : options_.look_every;
    // An early return only means an early look.
    if (pokes == pokes_) wake_.WaitFor(mutex_, absl::ToChronoMilliseconds(pause));
  }
}

// ---- Which job ----

absl::StatusOr<std::vector<store::SummaryJob>> SummaryJobs::List() {
  const absl::Time now = options_.clock->Now();
  int limit = kMostListed;
  {
    base::MutexLock lock(mutex_);
    for (auto held = held_.begin(); held != held_.end();) held = held->second <= now ? held_.erase(held) : ++held;
    // Those that may not be done yet must not hide the others.
    limit += static_cast<int>(busy_.size() + held_.size() + finished_.size());
  }
  auto jobs = store_.ListSummaryJobs(now, limit);
  base::MutexLock lock(mutex_);
  if (!jobs.ok() && !store_away_) {
    Log(LogKind::kTrouble, "", "summaries wait: the database does not answer",
        {{"error", std::string(jobs.status().message())}});
  }
  store_away_ = !jobs.ok();
  return jobs;
}

bool SummaryJobs::RunNext() {
  const auto jobs = List();
  if (!jobs.ok()) return false;
  ForgetFinished(*jobs);
  for (const store::SummaryJob& job : *jobs) {
    if (!Claim(job)) continue;
    Run(job);
    base::MutexLock lock(mutex_);
    busy_.erase(job.call_id);
    return !stopping_;
  }
  return false;
}

bool SummaryJobs::Claim(const store::SummaryJob& job) {
  // In this order: a call that is not live any more has been reported as finished before.
  const bool live = options_.is_live && options_.is_live(job.call_id);
  {
    base::MutexLock lock(mutex_);
    if (stopping_ || held_.count(job.call_id) > 0 || (live && finished_.count(job.call_id) == 0)) return false;
    if (!busy_.insert(job.call_id).second) return false;
  }
  if (HasWholeCall(job) && ClaimInStore(job)) return true;
  base::MutexLock lock(mutex_);
  busy_.erase(job.call_id);
  return false;
}

bool SummaryJobs::ClaimInStore(const store::SummaryJob& job) {
  if (options_.claim_time <= absl::ZeroDuration()) return true;
  const auto claimed = store_.ClaimSummaryJob(job, options_.clock->Now() + options_.claim_time);
  // Not asked for again at once, whoever has it.
  if (!claimed.ok()) Hold(job.call_id, kUnreadablePause);
  return claimed.ok() && *claimed;
}

void SummaryJobs::GiveBack(const store::SummaryJob& job) {
  if (options_.claim_time <= absl::ZeroDuration()) return;
  const absl::Status saved = store_.SaveSummaryJob(job);
  if (saved.ok() || absl::IsNotFound(saved)) return;
  Log(LogKind::kTrouble, job.call_id, "the summary's job is not given back; others take it when its claim is over",
      {{"error", std::string(saved.message())}});
}

bool SummaryJobs::HasWholeCall(const store::SummaryJob& job) {
  const std::string& call_id = job.call_id;
  int64_t next_sequence = 0;
  {
    base::MutexLock lock(mutex_);
    const auto found = finished_.find(call_id);
    if (found == finished_.end()) {
      const bool perhaps_others = options_.claim_time > absl::ZeroDuration() && job.attempts == 0;
      return !perhaps_others || job.due + kOwnersTime <= options_.clock->Now();
    }
    next_sequence = found->second.next_sequence;
  }
  const bool whole = StoreHas(call_id, next_sequence - 1);
  const absl::Time now = options_.clock->Now();
  base::MutexLock lock(mutex_);
  Finished& finished = finished_[call_id];
  finished.waiting_since = std::min(finished.waiting_since, now);
  if (!whole && now - finished.waiting_since < options_.head_patience) return false;
  finished_.erase(call_id);
  return true;
}

// Calls without a job, because nobody wants a summary of them.
void SummaryJobs::ForgetFinished(const std::vector<store::SummaryJob>& listed) {
  std::vector<std::pair<std::string, int64_t>> some;
  {
    base::MutexLock lock(mutex_);
    for (const auto& [call_id, finished] : finished_) {
      if (some.size() >= kMostForgotten) break;
      const bool has_job = std::any_of(listed.begin(), listed.end(),
                                       [id = call_id](const store::SummaryJob& job) { return job.call_id == id; });
      if (!has_job) some.emplace_back(call_id, finished.next_sequence);
    }
  }
  for (const auto& [call_id, next_sequence] : some) {
    if (!StoreHas(call_id, next_sequence - 1)) continue;
    base::MutexLock lock(mutex_);
    finished_.erase(call_id);
  }
}

bool SummaryJobs::StoreHas(const std::string& call_id, int64_t sequence) {
  const auto call = store_.GetCall(call_id);
  return call.ok() ? call->event_head >= sequence : absl::IsNotFound(call.status());
}

// ---- Doing it ----

void SummaryJobs::Run(const store::SummaryJob& job) {
  const auto story = ReadStory(store_, job.call_id);
  if (!story.ok()) {
    Log(LogKind::kTrouble, job.call_id, "the call cannot be read for its summary",
        {{"error", std::string(story.status().message())}});
    Hold(job.call_id, kUnreadablePause);
    return;
  }
  const auto agent = settings_.agents.find(story->call.agent);
  const session::AfterCall wishes = agent == settings_.agents.end() ? session::AfterCall() : agent->second.after_call;
  if (!story->call.summary.empty() || wishes.summary == session::AfterCall::Summary::kOff) {
    Settle(job.call_id, {}, absl::nullopt);
  } else if (wishes.summary == session::AfterCall::Summary::kSession) {
    GiveUp(job.call_id, "the session that was to sum up is gone");
  } else if (!HasWords(*story)) {
    GiveUp(job.call_id, "nothing was said");
  } else {
    Sum(job, *story, wishes);
  }
}

void SummaryJobs::Sum(const store::SummaryJob& job, const CallStory& story, const session::AfterCall& wishes) {
  absl::Duration retry_after = absl::ZeroDuration();
  auto made = Ask(RequestFor(story, wishes), &retry_after);
  if (made.ok()) {
    WriteReady(job.call_id, *made);
  } else if (absl::IsCancelled(made.status())) {
    // The process ends. The job stays as it is; until then nobody asks again.
    Hold(job.call_id, kWriteLimit);
    GiveBack(job);
  } else {
    OnFailure(job, wishes.max_attempts, made.status(), retry_after);
  }
}

absl::StatusOr<openai::TextSummary> SummaryJobs::Ask(openai::TextSummaryRequest request, absl::Duration* retry_after) {
  auto made = AskOnce(request, retry_after);
  if (absl::IsResourceExhausted(made.status())) {
    request.max_output_tokens = openai::kMoreSummaryTokens;
    made = AskOnce(request, retry_after);
  }
  if (!made.ok() || made->fields_json.empty()) return made;
  const absl::Status fits = tools::CheckArguments(request.fields_schema_json, made->fields_json);
  if (!fits.ok()) {
    return absl::UnavailableError(absl::StrCat("the text model's fields do not fit their schema: ", fits.message()));
  }
  return made;
}

absl::StatusOr<openai::TextSummary> SummaryJobs::AskOnce(const openai::TextSummaryRequest& request,
                                                         absl::Duration* retry_after) {
  web::WebRequest post;
  post.url = absl::StrCat(settings_.text_model_url, "/responses");
  post.headers = {{"Content-Type", "application/json"},
                  {"Authorization", absl::StrCat("Bearer ", settings_.model_api_key)}};
  post.body = openai::FormatTextSummary(request);
  post.timeout = options_.request_timeout;
  post.ca_file = settings_.model_ca_file;
  const auto answer = web_.Post(post);
  if (!answer.ok()) return answer.status();
  *retry_after = RetryAfter(answer->Header("Retry-After"), options_.clock->Now());
  return openai::ParseTextSummary(answer->status, answer->body, request);
}

void SummaryJobs::OnFailure(const store::SummaryJob& job, int max_attempts, const absl::Status& why,
                            absl::Duration retry_after) {
  std::string reason(why.message());
  if (!settings_.model_api_key.empty()) absl::StrReplaceAll({{settings_.model_api_key, "[key]"}}, &reason);
  const int attempts = job.attempts + 1;
  if (!IsWorthARepeat(why)) return GiveUp(job.call_id, reason);
  if (attempts >= max_attempts) return GiveUp(job.call_id, absl::StrCat(reason, " (", attempts, " attempts)"));
  const absl::Duration pause =
      std::max(BackOff(attempts, options_.first_pause, options_.longest_pause, Random()), retry_after);
  Log(LogKind::kTrouble, job.call_id, "no summary yet",
      {{"why", reason},
       {"attempt", absl::StrCat(attempts)},
       {"again_in", absl::FormatDuration(absl::Trunc(pause, absl::Seconds(1)))}});
  // Also if the store does not take it: it would list the job at once again.
  Hold(job.call_id, pause);
  const absl::Status saved = store_.SaveSummaryJob({job.call_id, attempts, options_.clock->Now() + pause, reason});
  if (!saved.ok()) {
    Log(LogKind::kTrouble, job.call_id, "the summary's attempt is not counted",
        {{"error", std::string(saved.message())}});
  }
}

void SummaryJobs::GiveUp(const std::string& call_id, const std::string& reason) {
  Log(LogKind::kTrouble, call_id, "no summary", {{"why", reason}});
  Settle(call_id, {}, call::SummaryFailed{reason});
}

void SummaryJobs::WriteReady(const std::string& call_id, const openai::TextSummary& made) {
  call::CallResult result;
  result.disposition = made.disposition;
  result.interest = made.interest;
  result.follow_up_time = made.follow_up_time;
  result.fields_json = made.fields_json;
  store::CallWrite write;
  write.summary = made.summary;
  write.result = result;
  Log(LogKind::kEnd, call_id, "summary ready", {{"disposition", made.disposition}});
  Settle(call_id, std::move(write), call::SummaryReady{made.summary, result});
}

void SummaryJobs::Settle(const std::string& call_id, store::CallWrite write, absl::optional<call::EventBody> event) {
  // Long after the story was read: the request took its time.
  const auto call = store_.GetCall(call_id);
  if (!call.ok()) return Hold(call_id, kUnreadablePause);
  if (!call->summary.empty()) {
    write = {};
    event.reset();
  }
  write.call_id = call_id;
  write.summary_settled = true;
  if (event) write.events.push_back({call_id, call->event_head + 1, options_.clock->Now(), *std::move(event)});
  Hold(call_id, kWriteLimit);
  recorder_.Write(std::move(write));
}

void SummaryJobs::Hold(const std::string& call_id, absl::Duration for_how_long) {
  base::MutexLock lock(mutex_);
  held_[call_id] = options_.clock->Now() + for_how_long;
}

double SummaryJobs::Random() const {
  if (options_.random) return options_.random();
  absl::BitGen generator;
  return absl::Uniform(generator, 0.0, 1.0);
}

}  // namespace callbridge::after_call
