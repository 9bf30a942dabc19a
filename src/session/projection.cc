#include "src/session/projection.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "src/base/phone.h"

namespace callbridge::session {
namespace {

using base::LogKind;

constexpr char kCallback[] = "callback";  // One of the dispositions that the configuration has if it names none.

void Apply(const call::StateChanged& body, const call::Event& event, store::CallWrite& write) {
  write.state = body.to;
  // The first move to kAnswered is the answer; a later one (a lost stream) does not move it: the store keeps the first.
  if (body.to == call::State::kAnswered && body.from < call::State::kAnswered) write.answer_time = event.time;
}

void Apply(const call::ModelReady& body, const call::Event&, store::CallWrite& write) {
  write.model_session_id = body.session_id;
}

void Apply(const call::TranscriptItemFinal& body, const call::Event&, store::CallWrite& write) {
  write.transcript_items.push_back(body.item);
}

void Apply(const call::TransferChanged& body, const call::Event&, store::CallWrite& write) {
  write.transfer = body.transfer;
  if (body.transfer.state == call::TransferState::kDialing) write.transferred = true;
  if (body.transfer.state == call::TransferState::kFailed) write.transferred = false;
  write.transfer_reason = body.transfer.reason;
}

void Apply(const call::SummaryReady& body, const call::Event&, store::CallWrite& write) {
  write.summary = body.summary;
  // One without a result takes nothing away from what is known already.
  const call::CallResult& result = body.result;
  const bool empty = result.disposition.empty() && result.interest.empty() && result.follow_up_time.empty() &&
                     result.fields_json.empty();
  if (!empty) write.result = result;
  write.summary_settled = true;
}

void Apply(const call::SummaryFailed&, const call::Event&, store::CallWrite& write) { write.summary_settled = true; }

void Apply(const call::MachineAnswered&, const call::Event&, store::CallWrite& write) {
  write.answered_by_machine = true;
}

void Apply(const call::CallbackPromised&, const call::Event&, store::CallWrite& write) {
  write.result.emplace().disposition = kCallback;
}

template <typename Body>
void Apply(const Body&, const call::Event&, store::CallWrite&) {}

std::string Ms(int64_t ms) { return ms < 0 ? "unknown" : absl::StrCat(ms, "ms"); }

LogLine Line(const call::CallCreated& body) {
  return {LogKind::kCall,
          "call created",
          {{"direction", std::string(Name(body.direction))},
           {"from", base::MaskNumber(body.from)},
           {"to", base::MaskNumber(body.to)},
           {"agent", body.agent}}};
}
LogLine Line(const call::StateChanged& body) {
  return {LogKind::kCall, absl::StrCat("state ", Name(body.from), " -> ", Name(body.to)), {}};
}
LogLine Line(const call::StreamConnected& body) {
  return {
      LogKind::kCall, "audio stream connected", {{"stream", body.stream_id}, {"ordinal", absl::StrCat(body.ordinal)}}};
}
LogLine Line(const call::StreamLost& body) { return {LogKind::kTrouble, "audio stream lost", {{"why", body.detail}}}; }
LogLine Line(const call::ModelReady& body) {
  return {LogKind::kAssistant,
          "model session ready",
          {{"session", body.session_id}, {"model", body.model}, {"ordinal", absl::StrCat(body.ordinal)}}};
}
LogLine Line(const call::ModelTrouble& body) {
  return {LogKind::kTrouble,
          "model trouble",
          {{"code", body.code}, {"message", body.message}, {"fatal", body.fatal ? "yes" : "no"}}};
}
LogLine Line(const call::CallerSpeechStarted&) { return {LogKind::kCaller, "caller speaks", {}}; }
LogLine Line(const call::CallerSpeechStopped&) { return {LogKind::kCaller, "caller stopped", {}}; }
LogLine Line(const call::AssistantSpeechStarted& body) {
  return {LogKind::kAssistant, body.greeting ? "assistant greets" : "assistant speaks", {{"item", body.item_id}}};
}
LogLine Line(const call::AssistantSpeechFinished& body) {
  return {LogKind::kAssistant,
          "assistant heard to the end",
          {{"item", body.item_id}, {"heard", Ms(body.heard_ms)}, {"basis", std::string(Name(body.basis))}}};
}
LogLine Line(const call::BargeIn& body) {
  return {LogKind::kBargeIn,
          "caller interrupts",
          {{"item", body.item_id},
           {"heard", Ms(body.heard_ms)},
           {"of", Ms(body.received_ms)},
           {"basis", std::string(Name(body.basis))}}};
}
LogLine Line(const call::ToolCalled& body) { return {LogKind::kAssistant, "tool called", {{"tool", body.name}}}; }
LogLine Line(const call::ToolAnswered& body) {
  return {LogKind::kAssistant, "tool answered", {{"tool", body.name}, {"ok", body.ok ? "yes" : "no"}}};
}
LogLine Line(const call::TransferChanged& body) {
  const call::Transfer& transfer = body.transfer;
  return {LogKind::kTransfer,
          absl::StrCat("transfer ", Name(transfer.state)),
          {{"destination", transfer.destination},
           {"number", base::MaskNumber(transfer.number)},
           {"tried", absl::StrCat(transfer.attempts.size())},
           {"outcome", std::string(Name(transfer.outcome))},
           {"detail", transfer.detail}}};
}
LogLine Line(const call::CallerReturned&) { return {LogKind::kTransfer, "caller is back with the assistant", {}}; }
LogLine Line(const call::DtmfReceived&) { return {LogKind::kCaller, "key pressed", {}}; }
LogLine Line(const call::TurnMeasured& body) {
  return {LogKind::kAssistant,
          "turn answered",
          {{"to_commit", Ms(body.to_commit_ms)},
           {"to_first_audio", Ms(body.to_first_audio_ms)},
           {"to_first_sent", Ms(body.to_first_sent_ms)},
           {"to_first_heard", Ms(body.to_first_heard_ms)}}};
}
LogLine Line(const call::CallEnded& body) {
  const call::Termination& end = body.termination;
  return {LogKind::kEnd,
          "call ended",
          {{"reason", std::string(Name(end.reason))},
           {"by", std::string(Name(end.initiator))},
           {"evidence", end.evidence},
           {"duration", absl::StrCat(body.duration_seconds, "s")}}};
}
LogLine Line(const call::SummaryReady& body) {
  return {LogKind::kEnd, "summary ready", {{"disposition", body.result.disposition}}};
}
LogLine Line(const call::AssistantSilenced& body) {
  return {LogKind::kBargeIn, "assistant silent", {{"after", Ms(body.silence_ms)}}};
}
LogLine Line(const call::AssistantPaused& body) {
  return {LogKind::kBargeIn, "assistant pauses", {{"item", body.item_id}, {"heard", Ms(body.heard_ms)}}};
}
LogLine Line(const call::AssistantResumed& body) {
  return {LogKind::kAssistant, "assistant goes on", {{"item", body.item_id}, {"after", Ms(body.paused_ms)}}};
}
LogLine Line(const call::AnswerMeasured& body) {
  return {LogKind::kAssistant,
          "first words",
          {{"stream", Ms(body.to_stream_ms)},
           {"model", Ms(body.to_model_ready_ms)},
           {"first_sent", Ms(body.to_first_sent_ms)},
           {"first_heard", Ms(body.to_first_heard_ms)}}};
}
LogLine Line(const call::ModelReopening& body) {
  return {
      LogKind::kTrouble, "model session is replaced", {{"attempt", absl::StrCat(body.attempt)}, {"why", body.reason}}};
}
LogLine Line(const call::PromptPlayed& body) { return {LogKind::kAssistant, "prompt played", {{"prompt", body.name}}}; }
LogLine Line(const call::CallerIdle& body) {
  return {LogKind::kCaller,
          "caller is silent",
          {{"count", absl::StrCat(body.count)}, {"goodbye", body.goodbye ? "yes" : "no"}}};
}
LogLine Line(const call::MachineAnswered& body) {
  return {LogKind::kCall, "a machine answered", {{"policy", std::string(Name(body.policy))}, {"why", body.detail}}};
}
LogLine Line(const call::CallbackPromised& body) {
  return {LogKind::kTrouble, "call back promised", {{"why", body.reason}}};
}
// The words themselves are not for the log.
LogLine Line(const call::SayRequested& body) {
  return {
      LogKind::kCall, "asked to say", {{"prompt", body.prompt}, {"request", body.request_id}, {"by", body.principal}}};
}
LogLine Line(const call::ContextInjected& body) {
  return {LogKind::kCall, "context given", {{"request", body.request_id}, {"by", body.principal}}};
}
LogLine Line(const call::InstructionsUpdated& body) {
  return {LogKind::kCall, "instructions replaced", {{"by", body.principal}}};
}
LogLine Line(const call::DtmfSent& body) { return {LogKind::kCall, "keys sent", {{"by", body.principal}}}; }
LogLine Line(const call::MuteChanged& body) {
  return {LogKind::kCall,
          "mute changed",
          {{"caller_muted", body.caller_muted ? "yes" : "no"},
           {"assistant_muted", body.assistant_muted ? "yes" : "no"},
           {"by", body.principal}}};
}
LogLine Line(const call::TakeoverChanged& body) {
  return {LogKind::kCall,
          body.taken_over ? "taken over from the assistant" : "given back to the assistant",
          {{"why", body.reason}, {"by", body.principal}}};
}
LogLine Line(const call::SummaryFailed& body) { return {LogKind::kTrouble, "no summary", {{"why", body.reason}}}; }
LogLine Line(const call::TranscriptItemFinal&) { return {}; }

}  // namespace

void Project(call::Event event, const Closing& closing, store::CallWrite& write) {
  std::visit([&](const auto& body) { Apply(body, event, write); }, event.body);
  if (const auto* ended = std::get_if<call::CallEnded>(&event.body)) {
    write.end = store::CallWrite::End{ended->termination, event.time, ended->duration_seconds, closing.transcript};
    write.summary_due |= closing.summary_later && !closing.transcript.empty();
  }
  write.events.push_back(std::move(event));
}

LogLine Describe(const call::Event& event, bool with_words) {
  const auto* const said = std::get_if<call::TranscriptItemFinal>(&event.body);
  if (said != nullptr && with_words) {
    const bool caller = said->item.role == call::Role::kCaller;
    return {caller ? LogKind::kCaller : LogKind::kAssistant, "said", {{"text", said->item.text_heard}}};
  }
  return std::visit([](const auto& body) { return Line(body); }, event.body);
}

}  // namespace callbridge::session
