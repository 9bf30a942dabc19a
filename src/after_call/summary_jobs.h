#ifndef CALLBRIDGE_SRC_AFTER_CALL_SUMMARY_JOBS_H_
#define CALLBRIDGE_SRC_AFTER_CALL_SUMMARY_JOBS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/after_call/call_story.h"
#include "src/base/clock.h"
#include "src/base/mutex.h"
#include "src/openai/text_summary.h"
#include "src/session/call_recorder.h"
#include "src/session/settings.h"
#include "src/store/call_store.h"
#include "src/web/web_client.h"

namespace callbridge::after_call {

// Whether summaries can be made as all agents want them: schemas of fields that are enforced and that the text model
// takes, dispositions that are different words. kInvalidArgument names the agent and the setting.
absl::Status CheckAfterCall(const session::Settings& settings);

// Sums up calls that are over by a text model, from the transcript as it was heard.
//
// What has to be done stands in the store as jobs, so a restart loses none: a job goes in the same transaction that
// writes the summary, or that says why there is none. One that a crash interrupted is done again, which costs a second
// request and never makes a second event. The result goes through the recorder, behind the call's own writes.
//   the model's service is busy, away, or answers what fits nothing   tried again, with growing pauses, up to the
//                                                                     agent's max_attempts; no earlier than it asks for
//   it refuses the key, the model, the request or the call            given up at once
//   the answer is cut off                                             one more request at once, with more room
// Giving up is an event: SummaryFailed with the reason. A call whose agent wants no summary any more has its job
// settled without one.
//
// A job of a call that is live in this process is left alone until OnCallFinished, and then until the store has the
// call's last event. Several nodes may work on one store (Options::claim_time). Thread-safe.
class SummaryJobs {
 public:
  struct Options {
    int at_once = 2;  // Requests.
    absl::Duration request_timeout = absl::Seconds(90);
    absl::Duration first_pause = absl::Seconds(30);
    absl::Duration longest_pause = absl::Hours(1);
    absl::Duration look_every = absl::Seconds(5);        // At the jobs, unless poked.
    absl::Duration look_soon = absl::Milliseconds(200);  // ... while the store waits for the end of a call.
    absl::Duration head_patience = absl::Minutes(1);     // For that end: it may have been lost.
    const base::Clock* clock = &base::SystemClock();
    // For how long a job that this process does is kept from other nodes; it must be longer than a request with its
    // repeat takes. A job of a call that another node has just finished is left to that one for a moment. Zero: the
    // database is ours alone, and a job that a crash interrupted is done again at once.
    absl::Duration claim_time = absl::ZeroDuration();
    std::function<double()> random;  // 0 to 1. Empty: our own.
    // Whether a call has a session in this process. Not called under a lock of ours. Empty: none has.
    std::function<bool(const std::string& call_id)> is_live;
  };

  // All four outlive this.
  SummaryJobs(store::CallStore& store, session::CallRecorder& recorder, web::WebClient& web,
              const session::Settings& settings, Options options);
  // Waits for requests under way: stop the web client before. What they were for is still a job.
  ~SummaryJobs();
  SummaryJobs(const SummaryJobs&) = delete;
  SummaryJobs& operator=(const SummaryJobs&) = delete;

  // Starts the threads; without it, jobs are done by RunDue() only.
  void Start();

  // The call's session has handed over its last write, whose last event is before `next_sequence`. Call it before
  // is_live() turns false. Any thread; does not block.
  void OnCallFinished(const std::string& call_id, int64_t next_sequence);

  // Does what may be done now, on this thread; returns how many jobs it was.
  int RunDue();

 private:
  struct Finished {
    int64_t next_sequence = 0;
    absl::Time waiting_since = absl::InfiniteFuture();  // The job was seen, the store's events fell short.
  };

  void Work();
  bool RunNext();
  absl::StatusOr<std::vector<store::SummaryJob>> List();
  // Whether the job is to be done here and now: not by another thread, and not by another node.
  bool Claim(const store::SummaryJob& job);
  bool ClaimInStore(const store::SummaryJob& job);
  // It is not done after all: others may have it.
  void GiveBack(const store::SummaryJob& job);
  bool HasWholeCall(const store::SummaryJob& job);
  void ForgetFinished(const std::vector<store::SummaryJob>& listed);
  bool StoreHas(const std::string& call_id, int64_t sequence);

  void Run(const store::SummaryJob& job);
  void Sum(const store::SummaryJob& job, const CallStory& story, const session::AfterCall& wishes);
  absl::StatusOr<openai::TextSummary> Ask(openai::TextSummaryRequest request, absl::Duration* retry_after);
  absl::StatusOr<openai::TextSummary> AskOnce(const openai::TextSummaryRequest& request, absl::Duration* retry_after);
  void OnFailure(const store::SummaryJob& job, int max_attempts, const absl::Status& why, absl::Duration retry_after);
  void GiveUp(const std::string& call_id, const std::string& reason);
  void WriteReady(const std::string& call_id, const openai::TextSummary& made);
  // Gives `write` to the recorder with `event`, if it has one, as the call's next; only if there is no summary yet.
  void Settle(const std::string& call_id, store::CallWrite write, absl::optional<call::EventBody> event);
  void Hold(const std::string& call_id, absl::Duration for_how_long);
  double Random() const;

  store::CallStore& store_;
  session::CallRecorder& recorder_;
  web::WebClient& web_;
  const session::Settings& settings_;
  const Options options_;

  base::Mutex mutex_;
  base::CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int pokes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool store_away_ ABSL_GUARDED_BY(mutex_) = false;                   // And it was logged.
  std::set<std::string> busy_ ABSL_GUARDED_BY(mutex_);                // Calls whose job is under way.
  std::map<std::string, absl::Time> held_ ABSL_GUARDED_BY(mutex_);    // Not looked at before, whatever the store says.
  std::map<std::string, Finished> finished_ ABSL_GUARDED_BY(mutex_);  // Whose last writes may be under way.
  std::vector<std::thread> threads_;
};

}  // namespace callbridge::after_call

#endif  // CALLBRIDGE_SRC_AFTER_CALL_SUMMARY_JOBS_H_
