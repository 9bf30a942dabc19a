#include "src/call/event_text.h"

#include <cstdint>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace callbridge::call {
namespace {

class EventWriter {
 public:
  explicit EventWriter(std::string* line) : line_(*line) {}
  void operator()(const CallCreated& e) {
    Put("direction", Name(e.direction)), Put("from", e.from), Put("to", e.to);
    Put("agent", e.agent), Put("lead_id", e.lead_id);
  }
  void operator()(const StateChanged& e) { Put("from", Name(e.from)), Put("to", Name(e.to)); }
  void operator()(const StreamConnected& e) { Put("stream_id", e.stream_id), Put("ordinal", e.ordinal); }
  void operator()(const StreamLost& e) { Put("detail", e.detail); }
  void operator()(const ModelReady& e) {
    Put("session_id", e.session_id), Put("model", e.model), Put("ordinal", e.ordinal);
  }
  void operator()(const ModelTrouble& e) { Put("code", e.code), Put("message", e.message), Put("fatal", e.fatal); }
  void operator()(const CallerSpeechStarted& e) { Put("item_id", e.item_id); }
  void operator()(const CallerSpeechStopped& e) { Put("item_id", e.item_id); }
  void operator()(const AssistantSpeechStarted& e) { Put("item_id", e.item_id), Put("greeting", e.greeting); }
  void operator()(const AssistantSpeechFinished& e) {
    Put("item_id", e.item_id), Put("heard_ms", e.heard_ms), Put("basis", Name(e.basis));
  }
  void operator()(const BargeIn& e) {
    Put("item_id", e.item_id), Put("heard_ms", e.heard_ms), Put("received_ms", e.received_ms),
        Put("basis", Name(e.basis));
  }
  void operator()(const TranscriptItemFinal& e) {
    Put("item_id", e.item.item_id), Put("position", e.item.position), Put("role", Name(e.item.role));
    Put("status", Name(e.item.status)), Put("generated", e.item.text_generated), Put("heard", e.item.text_heard);
    Put("generated_ms", e.item.generated_ms), Put("heard_ms", e.item.heard_ms), Put("basis", Name(e.item.basis));
  }
  void operator()(const ToolCalled& e) {
    Put("tool_call_id", e.tool_call_id), Put("name", e.name), Put("arguments", e.arguments);
    if (e.answer_by != absl::InfinitePast()) Put("for_client", true);
  }
  void operator()(const ToolAnswered& e) {
    Put("tool_call_id", e.tool_call_id), Put("name", e.name), Put("output", e.output), Put("ok", e.ok);
  }
  void operator()(const TransferChanged& e) {
    Put("transfer_id", e.transfer.transfer_id), Put("destination", e.transfer.destination),
        Put("number", e.transfer.number);
    Put("by", Name(e.transfer.requested_by)), Put("state", Name(e.transfer.state)),
        Put("outcome", Name(e.transfer.outcome));
    Put("detail", e.transfer.detail), Put("reason", e.transfer.reason);
    // What came of each, at a glance: "busy,pending...".
    std::string outcomes;
    for (const TransferAttempt& attempt : e.transfer.attempts) {
      absl::StrAppend(&outcomes, outcomes.empty() ? "" : ",", Name(attempt.outcome),
                      attempt.end_time == absl::InfinitePast() ? "..." : "");
    }
    Put("attempts", outcomes);
    int number = 0;
    for (const TransferAttempt& attempt : e.transfer.attempts) {
      const std::string prefix = absl::StrCat("attempt", ++number);
      Put(prefix + "_number", attempt.number), Put(prefix + "_outcome", Name(attempt.outcome));
      Put(prefix + "_detail", attempt.detail);
    }
  }
  void operator()(const CallerReturned& e) { Put("transfer_id", e.transfer_id); }
  void operator()(const DtmfReceived& e) { Put("digit", e.digit); }
  void operator()(const TurnMeasured& e) {
    Put("caller_item_id", e.caller_item_id), Put("commit", e.to_commit_ms), Put("first_audio", e.to_first_audio_ms);
    Put("first_sent", e.to_first_sent_ms), Put("first_heard", e.to_first_heard_ms);
  }
  void operator()(const CallEnded& e) {
    Put("reason", Name(e.termination.reason)), Put("initiator", Name(e.termination.initiator));
    Put("layer", Name(e.termination.layer)), Put("failed", e.termination.failed),
        Put("retryable", e.termination.retryable);
    Put("seconds", e.duration_seconds), Put("evidence", e.termination.evidence);
  }
  void operator()(const SummaryReady& e) {
    Put("summary", e.summary), Put("disposition", e.result.disposition), Put("interest", e.result.interest);
    Put("follow_up_time", e.result.follow_up_time), Put("fields", e.result.fields_json);
  }
  void operator()(const SummaryFailed& e) { Put("reason", e.reason); }
  void operator()(const AssistantSilenced& e) { Put("silence_ms", e.silence_ms); }
  void operator()(const AssistantPaused& e) { Put("item_id", e.item_id), Put("heard_ms", e.heard_ms); }
  void operator()(const AssistantResumed& e) { Put("item_id", e.item_id), Put("paused_ms", e.paused_ms); }
  void operator()(const AnswerMeasured& e) {
    Put("stream", e.to_stream_ms), Put("model_ready", e.to_model_ready_ms), Put("first_audio", e.to_first_audio_ms);
    Put("first_sent", e.to_first_sent_ms), Put("first_heard", e.to_first_heard_ms);
  }
  void operator()(const ModelReopening& e) { Put("attempt", e.attempt), Put("reason", e.reason); }
  void operator()(const PromptPlayed& e) { Put("name", e.name), Put("item_id", e.item_id), Put("text", e.text); }
  void operator()(const CallerIdle& e) { Put("count", e.count), Put("goodbye", e.goodbye); }
  void operator()(const MachineAnswered& e) { Put("policy", Name(e.policy)), Put("detail", e.detail); }
  void operator()(const CallbackPromised& e) { Put("reason", e.reason); }
  void operator()(const SayRequested& e) {
    Put("request_id", e.request_id), Put("text", e.text), Put("prompt", e.prompt);
    Put("interrupt", e.interrupt), Put("principal", e.principal);
  }
  void operator()(const ContextInjected& e) {
    Put("request_id", e.request_id), Put("text", e.text), Put("respond", e.respond), Put("principal", e.principal);
  }
  void operator()(const InstructionsUpdated& e) { Put("instructions", e.instructions), Put("principal", e.principal); }
  void operator()(const DtmfSent& e) {
    Put("digits", e.digits), Put("request_id", e.request_id), Put("principal", e.principal);
  }
  void operator()(const MuteChanged& e) {
    Put("caller_muted", e.caller_muted), Put("assistant_muted", e.assistant_muted), Put("principal", e.principal);
  }
  void operator()(const TakeoverChanged& e) {
    Put("taken_over", e.taken_over), Put("reason", e.reason), Put("principal", e.principal);
  }

 private:
  void Put(absl::string_view name, absl::string_view value) {
    absl::StrAppend(&line_, " ", name, "=\"", absl::Utf8SafeCEscape(value), "\"");
  }
  void Put(absl::string_view name, const std::string& value) { Put(name, absl::string_view(value)); }
  void Put(absl::string_view name, int64_t value) { absl::StrAppend(&line_, " ", name, "=", value); }
  void Put(absl::string_view name, int value) { Put(name, static_cast<int64_t>(value)); }
  void Put(absl::string_view name, bool value) { absl::StrAppend(&line_, " ", name, "=", value ? "true" : "false"); }
  std::string& line_;
};

}  // namespace

std::string FormatEvent(const Event& event) {
  std::string line(TypeName(event.body));
  std::visit(EventWriter(&line), event.body);
  return line;
}

}  // namespace callbridge::call
