#include "src/session/call_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cstdint>
#include <variant>

#include "absl/strings/string_view.h"
#include "src/call/types.h"

namespace callbridge::session {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;

// Around what a person takes for a quick answer, and up to where they hang up.
const Histogram::BucketBoundaries& AnswerBuckets() {
  static const auto& kBuckets =
      *new Histogram::BucketBoundaries{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 2, 2.5, 3, 4, 6, 10};
  return kBuckets;
}

// From our own doing to what the carrier still plays.
const Histogram::BucketBoundaries& SilenceBuckets() {
  static const auto& kBuckets =
      *new Histogram::BucketBoundaries{0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2};
  return kBuckets;
}

// Our own part of it.
const Histogram::BucketBoundaries& StopBuckets() {
  static const auto& kBuckets =
      *new Histogram::BucketBoundaries{0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1};
  return kBuckets;
}

std::string Word(absl::string_view word) { return std::string(word); }

// The prompts that the configuration has; their names are ours, and bounded also if that changes.
std::string PromptLabel(absl::string_view name) {
  for (const absl::string_view known : {"hold", "callback", "goodbye", "voicemail"}) {
    if (name == known) return std::string(name);
  }
  return "other";
}

}  // namespace

class CallMetrics::Instruments {
 public:
  void operator()(const call::TurnMeasured& body) {
    Measure(turn_commit_, body.to_commit_ms);
    Measure(turn_first_audio_, body.to_first_audio_ms);
    Measure(turn_first_sent_, body.to_first_sent_ms);
    Measure(turn_first_heard_, body.to_first_heard_ms);
  }
  void operator()(const call::AnswerMeasured& body) {
    Measure(answer_first_sent_, body.to_first_sent_ms);
    Measure(answer_first_heard_, body.to_first_heard_ms);
  }
  void operator()(const call::AssistantSilenced& body) { Measure(barge_in_silence_, body.silence_ms); }
  void operator()(const call::BargeIn&) { barge_ins_.Increment(); }
  void operator()(const call::AssistantResumed&) { resumed_.Increment(); }
  void operator()(const call::ModelReopening& body) {
    // Each try has an event; attempt 0 is the replacement before a session's time limit.
    (body.attempt == 0 ? reopenings_planned_ : reopenings_lost_).Increment();
  }
  void operator()(const call::PromptPlayed& body) { prompts_.Add({{"prompt", PromptLabel(body.name)}}).Increment(); }
  void operator()(const call::CallerIdle& body) { (body.goodbye ? idle_goodbye_ : idle_reprompt_).Increment(); }
  void operator()(const call::ToolAnswered& body) { (body.ok ? tools_ok_ : tools_failed_).Increment(); }
  void operator()(const call::MachineAnswered& body) {
    machines_.Add({{"policy", Word(Name(body.policy))}}).Increment();
  }
  void operator()(const call::SummaryReady&) { summaries_made_.Increment(); }
  void operator()(const call::SummaryFailed&) { summaries_failed_.Increment(); }
  void operator()(const call::TransferChanged& body) {
    const call::TransferState state = body.transfer.state;
    if (state != call::TransferState::kCompleted && state != call::TransferState::kFailed) return;
    transfers_.Add({{"outcome", Word(Name(body.transfer.outcome))}}).Increment();
  }
  void operator()(const call::CallbackPromised&) { callbacks_.Increment(); }
  void operator()(const call::CallEnded& body) {
    ended_.Add({{"reason", Word(Name(body.termination.reason))}}).Increment();
  }
  void Stopped(absl::Duration time) { stop_.Observe(absl::ToDoubleSeconds(time)); }
  // Of all other kinds nothing is counted.
  template <typename Body>
  void operator()(const Body&) {}

  std::string Text() const { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

 private:
  Histogram& NewHistogram(const char* name, const char* help, const Histogram::BucketBoundaries& buckets) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add({}, buckets);
  }
  Family<Counter>& NewCounters(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
  }
  static void Measure(Histogram& histogram, int64_t ms) {
    if (ms >= 0) histogram.Observe(static_cast<double>(ms) / 1000);
  }

  prometheus::Registry registry_;

  Histogram& turn_commit_ =
      NewHistogram("callbridge_turn_commit_seconds",
                   "From the end of the caller's speech to the model taking the turn as complete.", AnswerBuckets());
  Histogram& turn_first_audio_ =
      NewHistogram("callbridge_turn_first_audio_seconds",
                   "From the end of the caller's speech to the first audio from the model.", AnswerBuckets());
  Histogram& turn_first_sent_ =
      NewHistogram("callbridge_turn_first_sent_seconds",
                   "From the end of the caller's speech to the first audio handed to the carrier.", AnswerBuckets());
  Histogram& turn_first_heard_ =
      NewHistogram("callbridge_turn_first_heard_seconds",
                   "From the end of the caller's speech to the first audio the caller heard.", AnswerBuckets());
  Histogram& answer_first_sent_ =
      NewHistogram("callbridge_answer_first_sent_seconds",
                   "From the answer of a call to the first audio handed to the carrier.", AnswerBuckets());
  Histogram& answer_first_heard_ =
      NewHistogram("callbridge_answer_first_heard_seconds",
                   "From the answer of a call to the first audio the person heard.", AnswerBuckets());
  Histogram& barge_in_silence_ =
      NewHistogram("callbridge_barge_in_silence_seconds",
                   "From the report of the caller's speech to the carrier confirming that nothing sounds any more.",
                   SilenceBuckets());
  Histogram& stop_ = NewHistogram("callbridge_stop_seconds",
                                  "From the arrival of the model's message that stops the assistant to clearAudio in "
                                  "the carrier's socket.",
                                  StopBuckets());

  Counter& barge_ins_ =
      NewCounters("callbridge_barge_ins_total", "Times a caller spoke over the assistant, who stopped.").Add({});
  Counter& resumed_ =
      NewCounters("callbridge_assistant_resumed_total", "Pauses after which the assistant went on: no interruption.")
          .Add({});
  Family<Counter>& reopenings_ =
      NewCounters("callbridge_model_reopenings_total", "Model sessions opened in place of another one, by why.");
  Counter& reopenings_planned_ = reopenings_.Add({{"why", "planned"}});
  Counter& reopenings_lost_ = reopenings_.Add({{"why", "lost"}});
  Family<Counter>& prompts_ = NewCounters("callbridge_prompts_played_total", "Stored prompts played, by which.");
  Family<Counter>& idle_ =
      NewCounters("callbridge_caller_idle_total", "Times a caller said nothing any more, by what was done.");
  Counter& idle_reprompt_ = idle_.Add({{"then", "reprompt"}});
  Counter& idle_goodbye_ = idle_.Add({{"then", "goodbye"}});
  Family<Counter>& tools_ = NewCounters("callbridge_tool_calls_total", "Tool calls that were answered, by outcome.");
  Counter& tools_ok_ = tools_.Add({{"outcome", "ok"}});
  Counter& tools_failed_ = tools_.Add({{"outcome", "failed"}});
  Family<Counter>& machines_ =
      NewCounters("callbridge_machines_answered_total", "Outbound calls that a machine answered, by policy.");
  Family<Counter>& summaries_ =
      NewCounters("callbridge_summaries_total", "Summaries of calls, by what became of them.");
  Counter& summaries_made_ = summaries_.Add({{"outcome", "made"}});
  Counter& summaries_failed_ = summaries_.Add({{"outcome", "given_up"}});
  Family<Counter>& transfers_ = NewCounters("callbridge_transfers_total", "Transfers that are over, by outcome.");
  Counter& callbacks_ =
      NewCounters("callbridge_callbacks_promised_total", "Callers who were told that somebody will call back.").Add({});
  Family<Counter>& ended_ = NewCounters("callbridge_calls_ended_total", "Calls that are over, by reason.");
};

CallMetrics::CallMetrics() : instruments_(std::make_unique<Instruments>()) {}

CallMetrics::~CallMetrics() = default;

void CallMetrics::Observe(const call::Event& event) { std::visit(*instruments_, event.body); }

void CallMetrics::ObserveStop(absl::Duration time) { instruments_->Stopped(time); }

std::string CallMetrics::Text() const { return instruments_->Text(); }

}  // namespace callbridge::session
