#include "src/app/config_agent.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/app/config_tools.h"
#include "src/app/prompt_file.h"
#include "src/audio/tone.h"
#include "src/base/phone.h"
#include "src/openai/session_config.h"

namespace callbridge::app {
namespace {

namespace v1 = config::v1;

void ReadVad(const std::string& at, const v1::ServerVad& in, ConfigReading& reading, openai::ServerVad& out) {
  if (in.has_threshold()) {
    out.threshold = in.threshold();
    reading.Check(out.threshold >= 0 && out.threshold <= 1, at + ".threshold", "0 to 1 is possible");
  }
  if (in.has_prefix_padding_ms()) {
    out.prefix_padding_ms = in.prefix_padding_ms();
    reading.Check(out.prefix_padding_ms >= 0 && out.prefix_padding_ms <= 2000, at + ".prefix_padding_ms",
                  "0 to 2000 is possible");
  }
  if (in.has_silence_duration_ms()) {
    out.silence_duration_ms = in.silence_duration_ms();
    reading.Check(out.silence_duration_ms >= 100 && out.silence_duration_ms <= 5000, at + ".silence_duration_ms",
                  "100 to 5000 is possible");
  }
  if (in.has_interrupt_response()) out.interrupt_response = in.interrupt_response();
}

void ReadBargeIn(const std::string& at, const v1::Agent& in, ConfigReading& reading, openai::ServerVad& vad,
                 call::CallOptions& out) {
  switch (in.barge_in()) {
    case v1::Agent::BARGE_IN_UNSPECIFIED:
    case v1::Agent::IMMEDIATE: out.barge_in = call::BargeInMode::kImmediate; break;
    case v1::Agent::PROTECTED_GREETING: out.barge_in = call::BargeInMode::kProtectedGreeting; break;
    case v1::Agent::REVERSIBLE:
      out.barge_in = call::BargeInMode::kReversible;
      reading.Check(!in.server_vad().interrupt_response(), at + ".server_vad.interrupt_response",
                    "REVERSIBLE needs it false, or not set: it is we who decide what is an interruption");
      // Neither may the server drop the rest of a sentence that goes on, nor answer a cough.
      vad.interrupt_response = false;
      vad.create_response = false;
      break;
    default: reading.Wrong(at + ".barge_in", "IMMEDIATE, REVERSIBLE or PROTECTED_GREETING is possible");
  }
  out.server_cancels = vad.interrupt_response;
  if (!in.has_barge_in_evidence()) return;
  reading.Check(out.barge_in == call::BargeInMode::kReversible, at + ".barge_in_evidence",
                "only with barge_in: REVERSIBLE");
  reading.ReadDuration(at + ".barge_in_evidence", in.barge_in_evidence(), absl::Milliseconds(300),
                       absl::Milliseconds(600), &out.evidence_time);
}

void ReadSession(const std::string& at, const v1::Agent& in, ConfigReading& reading, openai::SessionConfig& out) {
  reading.Check(!in.instructions().empty(), at + ".instructions", "missing; tell the assistant who it is");
  out.instructions = in.instructions();
  ConfigReading::ReadText(in.voice(), &out.voice);
  ConfigReading::ReadText(in.model(), &out.model);
  ConfigReading::ReadText(in.transcription().model(), &out.transcription->model);
  out.transcription->language = in.transcription().language();
  out.max_output_tokens = in.max_output_tokens();
  out.reasoning_effort = in.reasoning_effort();
  out.noise_reduction = in.noise_reduction();
  reading.CheckWithin(at, openai::ValidateSessionConfig(out));
}

void ReadIdle(const std::string& at, const v1::Idle& in, ConfigReading& reading, call::CallOptions& out) {
  out.idle_after = absl::Seconds(20);
  if (in.has_after()) {
    const bool never = in.after().seconds() == 0 && in.after().nanos() == 0;
    if (never) {
      out.idle_after = absl::InfiniteDuration();
    } else {
      reading.ReadDuration(at + ".after", in.after(), absl::Seconds(5), absl::Minutes(10), &out.idle_after);
    }
  }
  if (in.has_reprompts()) reading.ReadNumber(at + ".reprompts", in.reprompts(), 0, 10, &out.idle_reprompts);
  ConfigReading::ReadText(in.prompt(), &out.idle_prompt);
  ConfigReading::ReadText(in.goodbye(), &out.idle_goodbye);
}

// Whether the destination exists is looked at when all are known.
void ReadFallback(const std::string& at, const v1::Recovery& in, ConfigReading& reading, call::CallOptions& out) {
  switch (in.fallback()) {
    case v1::Recovery::FALLBACK_UNSPECIFIED:
    case v1::Recovery::GOODBYE: out.fallback = call::FallbackKind::kGoodbye; break;
    case v1::Recovery::CALLBACK: out.fallback = call::FallbackKind::kCallback; break;
    case v1::Recovery::TRANSFER: out.fallback = call::FallbackKind::kTransfer; break;
    default: reading.Wrong(at + ".fallback", "GOODBYE, CALLBACK or TRANSFER is possible");
  }
  out.fallback_destination = in.fallback_destination();
  const bool transfer = out.fallback == call::FallbackKind::kTransfer;
  if (transfer) {
    reading.Check(!out.fallback_destination.empty(), at + ".fallback_destination",
                  "missing; fallback: TRANSFER needs a key of destinations");
  } else {
    reading.Check(out.fallback_destination.empty(), at + ".fallback_destination", "only with fallback: TRANSFER");
  }
}

void ReadRecovery(const std::string& at, const v1::Recovery& in, ConfigReading& reading, call::CallOptions& out) {
  if (in.attempts() != 0) reading.ReadNumber(at + ".attempts", in.attempts(), 1, 10, &out.model_attempts);
  if (in.has_hold_after()) {
    reading.ReadDuration(at + ".hold_after", in.hold_after(), absl::Milliseconds(500), absl::Seconds(10),
                         &out.hold_after);
  }
  if (in.has_answer_limit()) {
    reading.ReadDuration(at + ".answer_limit", in.answer_limit(), absl::Seconds(2), absl::Seconds(30),
                         &out.answer_limit);
  }
  ReadFallback(at, in, reading, out);
}

void ReadPrompt(const std::string& at, bool given, const v1::Prompt& in, ConfigReading& reading, call::Prompt& out) {
  if (!given) return;
  reading.Check(!in.text().empty(), at + ".text", "missing; what the prompt says, for the transcript");
  if (!reading.Check(!in.file().empty(), at + ".file", "missing; a file of 8 kHz mu-law")) return;
  const std::string content = reading.ReadFile(at + ".file", in.file(), kMaxPromptFileBytes);
  if (content.empty()) return;
  const auto audio = PromptAudio(in.file(), content);
  if (!reading.Check(audio.ok(), at + ".file", absl::StrCat(in.file(), ": ", audio.status().message()))) return;
  out.text = in.text();
  out.base64 = absl::Base64Escape(*audio);
}

void ReadPrompts(const std::string& at, const v1::Prompts& in, ConfigReading& reading, call::CallOptions& out) {
  // Without a text: it is nothing that was said.
  out.hold_prompt.base64 = audio::HoldTone();
  ReadPrompt(at + ".hold", in.has_hold(), in.hold(), reading, out.hold_prompt);
  ReadPrompt(at + ".goodbye", in.has_goodbye(), in.goodbye(), reading, out.goodbye_prompt);
  ReadPrompt(at + ".callback", in.has_callback(), in.callback(), reading, out.callback_prompt);
  ReadPrompt(at + ".voicemail", in.has_voicemail(), in.voicemail(), reading, out.voicemail_prompt);
}

void ReadPlayout(const std::string& at, const v1::Playout& in, ConfigReading& reading,
                 audio::AssistantPlayout::Options& out) {
  if (in.has_lead())
    reading.ReadDuration(at + ".lead", in.lead(), absl::Milliseconds(100), absl::Seconds(2), &out.lead);
  if (!in.has_longest_piece()) return;
  absl::Duration piece;
  reading.ReadDuration(at + ".longest_piece", in.longest_piece(), absl::Milliseconds(20), absl::Milliseconds(500),
                       &piece);
  out.max_piece_chars = audio::AssistantPlayout::PieceChars(piece);
}

void ReadVoicemail(const std::string& at, const v1::Voicemail& in, ConfigReading& reading, session::Agent& out) {
  call::CallOptions& conduct = out.conduct;
  switch (in.policy()) {
    case v1::Voicemail::POLICY_UNSPECIFIED:
    case v1::Voicemail::OFF: conduct.voicemail = call::VoicemailPolicy::kOff; break;
    case v1::Voicemail::CONTINUE: conduct.voicemail = call::VoicemailPolicy::kContinue; break;
    case v1::Voicemail::HANG_UP: conduct.voicemail = call::VoicemailPolicy::kHangUp; break;
    case v1::Voicemail::LEAVE_MESSAGE: conduct.voicemail = call::VoicemailPolicy::kLeaveMessage; break;
    default: reading.Wrong(at + ".policy", "OFF, CONTINUE, HANG_UP or LEAVE_MESSAGE is possible");
  }
  conduct.voicemail_message = in.message();
  const bool can_say = !in.message().empty() || !conduct.voicemail_prompt.base64.empty();
  reading.Check(conduct.voicemail != call::VoicemailPolicy::kLeaveMessage || can_say, at + ".message",
                "missing; LEAVE_MESSAGE needs a message, or prompts.voicemail");
  if (in.has_detection_time()) {
    reading.ReadDuration(at + ".detection_time", in.detection_time(), absl::Seconds(2), absl::Seconds(10),
                         &out.machine_detection_time);
  }
}

}  // namespace

void ReadAgent(const std::string& at, const v1::Agent& in, ConfigReading& reading, session::Agent& out) {
  openai::ServerVad vad;
  ReadVad(at + ".server_vad", in.server_vad(), reading, vad);
  ReadBargeIn(at, in, reading, vad, out.conduct);
  out.session.turn_detection = vad;
  ReadSession(at, in, reading, out.session);
  out.greeting_prompt = in.greeting_prompt();
  reading.Check(in.caller_id().empty() || base::IsE164(in.caller_id()), at + ".caller_id",
                "not in E.164 form, such as +14155550100");
  out.caller_id = in.caller_id();
  if (in.has_ring_timeout()) {
    reading.ReadDuration(at + ".ring_timeout", in.ring_timeout(), absl::Seconds(5), absl::Seconds(120),
                         &out.ring_timeout);
  }
  if (in.has_max_duration()) {
    reading.ReadDuration(at + ".max_duration", in.max_duration(), absl::Seconds(10), absl::Hours(4), &out.max_duration);
  }
  if (in.has_max_transfers()) {
    reading.ReadNumber(at + ".max_transfers", in.max_transfers(), 0, 20, &out.conduct.max_transfers);
  }
  ReadIdle(at + ".idle", in.idle(), reading, out.conduct);
  ReadRecovery(at + ".recovery", in.recovery(), reading, out.conduct);
  ReadPlayout(at + ".playout", in.playout(), reading, out.conduct.playout);
  ReadPrompts(at + ".prompts", in.prompts(), reading, out.conduct);
  ReadVoicemail(at + ".voicemail", in.voicemail(), reading, out);
  ReadTools(at, in, reading, out);
  ReadAfterCall(at + ".after_call", in.after_call(), reading, out);
}

}  // namespace callbridge::app
