#include "src/control/convert.h"

#include <algorithm>
#include <cstdint>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "src/control/cursor.h"
#include "src/control/etag.h"
#include "src/control/utf8.h"
#include "src/store/text.h"

namespace callbridge::control {
namespace {

// Ids, numbers and keys: nobody's are longer, and a record with many of them stays small.
constexpr size_t kMaxWordBytes = 512;
constexpr size_t kMaxDetailBytes = 4096;

std::string Word(absl::string_view text) { return ToUtf8(text, kMaxWordBytes); }
std::string Detail(absl::string_view text) { return ToUtf8(text, kMaxDetailBytes); }

// Our enums count from 0 in the order of the messages', which count from 1 behind UNSPECIFIED; convert_test holds them
// together.
template <typename Proto, typename Enum>
Proto Shifted(Enum value) {
  return static_cast<Proto>(static_cast<int>(value) + 1);
}

template <typename SetTime>
void PutTime(absl::Time time, SetTime mutable_field) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return;
  *mutable_field() = ToTimestamp(time);
}

google::protobuf::Duration Milliseconds(int64_t ms) {
  google::protobuf::Duration duration;
  duration.set_seconds(ms / 1000);
  duration.set_nanos(static_cast<int32_t>(ms % 1000) * 1'000'000);
  return duration;
}

google::protobuf::Duration Seconds(int64_t seconds) {
  google::protobuf::Duration duration;
  duration.set_seconds(seconds);
  return duration;
}

// -1 stands for what is not known.
template <typename SetDuration>
void PutMeasured(int64_t ms, SetDuration mutable_field) {
  if (ms >= 0) *mutable_field() = Milliseconds(ms);
}

// `text` is RFC 3339; whatever else a model may have written there is left out.
template <typename SetTime>
void PutTimeText(const std::string& text, SetTime mutable_field) {
  absl::Time time;
  std::string error;
  const bool read = absl::ParseTime(absl::RFC3339_full, text, &time, &error);
  if (read && store::IsStorableTime(time)) PutTime(time, mutable_field);
}

bool IsEmpty(const call::CallResult& result) {
  return result.disposition.empty() && result.interest.empty() && result.follow_up_time.empty() &&
         result.fields_json.empty();
}

// Writes an event's body into its field of the oneof. No overload for all: a kind without its own must not compile.
class BodyWriter {
 public:
  BodyWriter(const call::Event& event, v1::CallEvent& out) : event_(event), out_(out) {}

  void operator()(const call::CallCreated& body) const {
    auto* to = out_.mutable_call_created();
    to->set_direction(ToProto(body.direction));
    to->set_from(Word(body.from));
    to->set_to(Word(body.to));
    to->set_agent(Word(body.agent));
    to->set_lead(LeadName(body.lead_id));
  }
  void operator()(const call::StateChanged& body) const {
    out_.mutable_state_changed()->set_from(ToProto(body.from));
    out_.mutable_state_changed()->set_to(ToProto(body.to));
  }
  void operator()(const call::StreamConnected& body) const {
    out_.mutable_stream_connected()->set_stream_id(Word(body.stream_id));
    out_.mutable_stream_connected()->set_ordinal(body.ordinal);
  }
  void operator()(const call::StreamLost& body) const { out_.mutable_stream_lost()->set_detail(Detail(body.detail)); }
  void operator()(const call::ModelReady& body) const {
    auto* to = out_.mutable_model_ready();
    to->set_session_id(Word(body.session_id));
    to->set_model(Word(body.model));
    to->set_ordinal(body.ordinal);
  }
  void operator()(const call::ModelTrouble& body) const {
    auto* to = out_.mutable_model_trouble();
    to->set_code(Word(body.code));
    to->set_message(Detail(body.message));
    to->set_fatal(body.fatal);
  }
  void operator()(const call::CallerSpeechStarted& body) const {
    out_.mutable_caller_speech_started()->set_item_id(Word(body.item_id));
  }
  void operator()(const call::CallerSpeechStopped& body) const {
    out_.mutable_caller_speech_stopped()->set_item_id(Word(body.item_id));
  }
  void operator()(const call::AssistantSpeechStarted& body) const {
    out_.mutable_assistant_speech_started()->set_item_id(Word(body.item_id));
    out_.mutable_assistant_speech_started()->set_greeting(body.greeting);
  }
  void operator()(const call::AssistantSpeechFinished& body) const {
    PutHeard(body, out_.mutable_assistant_speech_finished());
  }
  void operator()(const call::BargeIn& body) const {
    PutHeard(body, out_.mutable_barge_in());
    *out_.mutable_barge_in()->mutable_received_duration() = Milliseconds(body.received_ms);
  }
  void operator()(const call::TranscriptItemFinal& body) const {
    *out_.mutable_transcript_item_final()->mutable_item() = ToProto(body.item, v1::TRANSCRIPT_VIEW_BOTH);
  }
  void operator()(const call::ToolCalled& body) const {
    auto* to = out_.mutable_tool_called();
    to->set_tool_call_id(Word(body.tool_call_id));
    to->set_name(Word(body.name));
    to->set_arguments(ToUtf8(body.arguments));
    PutTime(body.answer_by, [&] { return out_.mutable_tool_called()->mutable_answer_by_time(); });
  }
  void operator()(const call::ToolAnswered& body) const {
    auto* to = out_.mutable_tool_answered();
    to->set_tool_call_id(Word(body.tool_call_id));
    to->set_name(Word(body.name));
    to->set_output(ToUtf8(body.output));
    to->set_ok(body.ok);
  }
  void operator()(const call::TransferChanged& body) const {
    *out_.mutable_transfer_changed()->mutable_transfer() = ToProto(event_.call_id, body.transfer);
  }
  void operator()(const call::CallerReturned& body) const {
    out_.mutable_caller_returned()->set_transfer(TransferName(event_.call_id, body.transfer_id));
  }
  void operator()(const call::DtmfReceived& body) const { out_.mutable_dtmf_received()->set_digit(Word(body.digit)); }
  void operator()(const call::TurnMeasured& body) const {
    auto* to = out_.mutable_turn_measured();
    to->set_caller_item_id(Word(body.caller_item_id));
    PutMeasured(body.to_commit_ms, [to] { return to->mutable_to_commit(); });
    PutFirstAudio(body, to);
  }
  void operator()(const call::CallEnded& body) const {
    *out_.mutable_call_ended()->mutable_end() = ToProto(body.termination);
    *out_.mutable_call_ended()->mutable_duration() = Seconds(body.duration_seconds);
  }
  void operator()(const call::SummaryReady& body) const {
    out_.mutable_summary_ready()->set_summary(ToUtf8(body.summary));
    if (!IsEmpty(body.result)) *out_.mutable_summary_ready()->mutable_result() = ToProto(body.result);
  }
  void operator()(const call::SummaryFailed& body) const {
    out_.mutable_summary_failed()->set_reason(Detail(body.reason));
  }
  void operator()(const call::AssistantSilenced& body) const {
    *out_.mutable_assistant_silenced()->mutable_silence_duration() = Milliseconds(body.silence_ms);
  }
  void operator()(const call::AssistantPaused& body) const {
    out_.mutable_assistant_paused()->set_item_id(Word(body.item_id));
    *out_.mutable_assistant_paused()->mutable_heard_duration() = Milliseconds(body.heard_ms);
  }
  void operator()(const call::AssistantResumed& body) const {
    out_.mutable_assistant_resumed()->set_item_id(Word(body.item_id));
    *out_.mutable_assistant_resumed()->mutable_paused_duration() = Milliseconds(body.paused_ms);
  }
  void operator()(const call::AnswerMeasured& body) const {
    auto* to = out_.mutable_answer_measured();
    PutMeasured(body.to_stream_ms, [to] { return to->mutable_to_stream(); });
    PutMeasured(body.to_model_ready_ms, [to] { return to->mutable_to_model_ready(); });
    PutFirstAudio(body, to);
  }
  void operator()(const call::ModelReopening& body) const {
    out_.mutable_model_reopening()->set_attempt(body.attempt);
    out_.mutable_model_reopening()->set_reason(Word(body.reason));
  }
  void operator()(const call::PromptPlayed& body) const {
    auto* to = out_.mutable_prompt_played();
    to->set_name(Word(body.name));
    to->set_item_id(Word(body.item_id));
    to->set_text(ToUtf8(body.text));
  }
  void operator()(const call::CallerIdle& body) const {
    out_.mutable_caller_idle()->set_count(body.count);
    out_.mutable_caller_idle()->set_goodbye(body.goodbye);
  }
  void operator()(const call::MachineAnswered& body) const {
    out_.mutable_machine_answered()->set_policy(ToProto(body.policy));
    out_.mutable_machine_answered()->set_detail(Detail(body.detail));
  }
  void operator()(const call::CallbackPromised& body) const {
    out_.mutable_callback_promised()->set_reason(Detail(body.reason));
  }
  void operator()(const call::SayRequested& body) const {
    auto* to = out_.mutable_say_requested();
    to->set_request_id(Word(body.request_id));
    to->set_text(ToUtf8(body.text));
    to->set_prompt(Word(body.prompt));
    to->set_interrupt(body.interrupt);
    to->set_principal(Word(body.principal));
  }
  void operator()(const call::ContextInjected& body) const {
    auto* to = out_.mutable_context_injected();
    to->set_request_id(Word(body.request_id));
    to->set_text(ToUtf8(body.text));
    to->set_respond(body.respond);
    to->set_principal(Word(body.principal));
  }
  void operator()(const call::InstructionsUpdated& body) const {
    out_.mutable_instructions_updated()->set_instructions(ToUtf8(body.instructions));
    out_.mutable_instructions_updated()->set_principal(Word(body.principal));
  }
  void operator()(const call::DtmfSent& body) const {
    auto* to = out_.mutable_dtmf_sent();
    to->set_digits(Word(body.digits));
    to->set_request_id(Word(body.request_id));
    to->set_principal(Word(body.principal));
  }
  void operator()(const call::MuteChanged& body) const {
    auto* to = out_.mutable_mute_changed();
    to->set_caller_muted(body.caller_muted);
    to->set_assistant_muted(body.assistant_muted);
    to->set_principal(Word(body.principal));
  }
  void operator()(const call::TakeoverChanged& body) const {
    auto* to = out_.mutable_takeover_changed();
    to->set_taken_over(body.taken_over);
    to->set_reason(Detail(body.reason));
    to->set_principal(Word(body.principal));
  }

 private:
  template <typename Body, typename Message>
  static void PutHeard(const Body& body, Message* to) {
    to->set_item_id(Word(body.item_id));
    *to->mutable_heard_duration() = Milliseconds(body.heard_ms);
    to->set_heard_basis(ToProto(body.basis));
  }

  // What the measures of a turn and those of an answer have in common.
  template <typename Measured, typename Message>
  static void PutFirstAudio(const Measured& body, Message* to) {
    PutMeasured(body.to_first_audio_ms, [to] { return to->mutable_to_first_audio(); });
    PutMeasured(body.to_first_sent_ms, [to] { return to->mutable_to_first_sent(); });
    PutMeasured(body.to_first_heard_ms, [to] { return to->mutable_to_first_heard(); });
  }

  const call::Event& event_;
  v1::CallEvent& out_;
};

v1::LeadCallStatus LeadCallStatusOf(absl::string_view status) {
  if (status == "new") return v1::LEAD_CALL_STATUS_NEW;
  if (status == "called") return v1::LEAD_CALL_STATUS_CALLED;
  if (status == "transferred") return v1::LEAD_CALL_STATUS_TRANSFERRED;
  return v1::LEAD_CALL_STATUS_UNSPECIFIED;
}

}  // namespace

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  google::protobuf::Timestamp out;
  // Whole seconds rounded down, so that the rest is never negative. Of the rest what the store keeps, so that an event
  // reads the same as it happens and when it is replayed.
  const int64_t seconds = absl::ToUnixSeconds(time);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Microseconds(time - absl::FromUnixSeconds(seconds))) * 1000);
  return out;
}

google::protobuf::Duration ToDuration(absl::Duration duration) {
  return Milliseconds(absl::ToInt64Milliseconds(duration));
}

std::string CallName(absl::string_view call_id) { return absl::StrCat("calls/", Word(call_id)); }

std::string LeadName(absl::string_view lead_id) {
  return lead_id.empty() ? std::string() : absl::StrCat("leads/", Word(lead_id));
}

std::string TransferName(absl::string_view call_id, absl::string_view transfer_id) {
  return absl::StrCat(CallName(call_id), "/transfers/", Word(transfer_id));
}

v1::CallDirection ToProto(call::Direction value) { return Shifted<v1::CallDirection>(value); }
v1::CallState ToProto(call::State value) { return Shifted<v1::CallState>(value); }
v1::Party ToProto(call::Party value) { return Shifted<v1::Party>(value); }
v1::EvidenceLayer ToProto(call::Layer value) { return Shifted<v1::EvidenceLayer>(value); }
v1::EndReason ToProto(call::EndReason value) { return Shifted<v1::EndReason>(value); }
v1::SpeakerRole ToProto(call::Role value) { return Shifted<v1::SpeakerRole>(value); }
v1::TranscriptItemStatus ToProto(call::ItemStatus value) { return Shifted<v1::TranscriptItemStatus>(value); }
v1::TransferOutcome ToProto(call::TransferOutcome value) { return Shifted<v1::TransferOutcome>(value); }
v1::TransferState ToProto(call::TransferState value) { return Shifted<v1::TransferState>(value); }
v1::VoicemailPolicy ToProto(call::VoicemailPolicy value) { return Shifted<v1::VoicemailPolicy>(value); }
// The only one whose zero means something: kNone is UNSPECIFIED.
v1::HeardBasis ToProto(call::HeardBasis value) { return static_cast<v1::HeardBasis>(value); }

v1::CallEnd ToProto(const call::Termination& termination) {
  v1::CallEnd out;
  out.set_reason(ToProto(termination.reason));
  out.set_initiator(ToProto(termination.initiator));
  out.set_layer(ToProto(termination.layer));
  out.set_evidence(Detail(termination.evidence));
  out.set_retryable(termination.retryable);
  out.set_failed(termination.failed);
  return out;
}

v1::CallResult ToProto(const call::CallResult& result) {
  v1::CallResult out;
  out.set_disposition(Word(result.disposition));
  out.set_interest(Word(result.interest));
  PutTimeText(result.follow_up_time, [&] { return out.mutable_follow_up_time(); });
  // Half a JSON object is of no use to anybody.
  if (result.fields_json.size() <= kMaxTextBytes) out.set_fields_json(ToUtf8(result.fields_json));
  return out;
}

v1::CallSettlement ToProto(const store::Settlement& settlement) {
  v1::CallSettlement out;
  if (settlement.duration_seconds) *out.mutable_duration() = Seconds(*settlement.duration_seconds);
  if (settlement.billed_seconds) *out.mutable_billed_duration() = Seconds(*settlement.billed_seconds);
  out.set_cost(Word(settlement.cost));
  out.set_currency(Word(settlement.currency));
  out.set_cause_code(settlement.cause_code.value_or(0));
  out.set_cause(Word(settlement.cause));
  out.set_source(Word(settlement.source));
  PutTime(settlement.time, [&] { return out.mutable_settle_time(); });
  return out;
}

v1::Call ToProto(const store::CallRecord& record) {
  v1::Call out;
  out.set_name(CallName(record.call_id));
  out.set_direction(ToProto(record.direction));
  out.set_state(ToProto(record.state));
  out.set_from(Word(record.from));
  out.set_to(Word(record.to));
  out.set_agent(Word(record.agent));
  out.set_lead(LeadName(record.lead_id));
  PutTime(record.create_time, [&] { return out.mutable_create_time(); });
  PutTime(record.answer_time, [&] { return out.mutable_answer_time(); });
  PutTime(record.end_time, [&] { return out.mutable_end_time(); });
  if (call::IsFinal(record.state)) *out.mutable_duration() = Seconds(record.duration_seconds);
  if (record.termination) *out.mutable_end() = ToProto(*record.termination);
  out.set_transferred(record.transferred);
  out.set_transfer_reason(Detail(record.transfer_reason));
  for (const auto& [key, value] : record.metadata) (*out.mutable_metadata())[Word(key)] = Detail(value);
  for (const auto& [key, value] : record.labels) (*out.mutable_labels())[Word(key)] = Word(value);
  out.set_event_sequence(record.event_head);
  out.set_summary(ToUtf8(record.summary));
  out.set_carrier_call_id(Word(record.carrier_call_id));
  out.set_model_session_id(Word(record.model_session_id));
  if (!IsEmpty(record.result)) *out.mutable_result() = ToProto(record.result);
  if (record.answered_by_machine) out.set_answered_by(v1::ANSWERED_BY_MACHINE);
  if (store::IsStorableTime(record.settlement.time)) *out.mutable_settlement() = ToProto(record.settlement);
  return out;
}

v1::Lead ToProto(const store::LeadRecord& record) {
  v1::Lead out;
  out.set_name(LeadName(record.lead_id));
  out.set_phone(Word(record.phone));
  out.set_display_name(Word(record.name));
  out.set_call_status(LeadCallStatusOf(record.call_status));
  out.set_transferred_to_human(record.transferred_to_human);
  if (!record.last_call_id.empty()) out.set_last_call(CallName(record.last_call_id));
  PutTime(record.create_time, [&] { return out.mutable_create_time(); });
  PutTime(record.update_time, [&] { return out.mutable_update_time(); });
  out.set_disposition(Word(record.result.disposition));
  out.set_interest(Word(record.result.interest));
  PutTimeText(record.result.follow_up_time, [&] { return out.mutable_follow_up_time(); });
  if (!record.result_call_id.empty()) out.set_result_call(CallName(record.result_call_id));
  if (!record.status_call_id.empty()) out.set_status_call(CallName(record.status_call_id));
  for (const auto& [key, value] : record.metadata) (*out.mutable_metadata())[Word(key)] = Detail(value);
  out.set_suppressed(record.suppressed);
  out.set_suppress_reason(Detail(record.suppressed_reason));
  PutTime(record.suppressed_time, [&] { return out.mutable_suppress_time(); });
  out.set_etag(FormatEtag(record.revision));
  return out;
}

v1::Transfer ToProto(absl::string_view call_id, const call::Transfer& transfer) {
  v1::Transfer out;
  out.set_name(TransferName(call_id, transfer.transfer_id));
  out.set_destination(Word(transfer.destination));
  out.set_number(Word(transfer.number));
  out.set_reason(Detail(transfer.reason));
  out.set_requested_by(ToProto(transfer.requested_by));
  out.set_state(ToProto(transfer.state));
  out.set_outcome(ToProto(transfer.outcome));
  out.set_detail(Detail(transfer.detail));
  PutTime(transfer.request_time, [&] { return out.mutable_request_time(); });
  PutTime(transfer.connect_time, [&] { return out.mutable_connect_time(); });
  PutTime(transfer.end_time, [&] { return out.mutable_end_time(); });
  for (const call::TransferAttempt& attempt : transfer.attempts) {
    v1::TransferAttempt* to = out.add_attempts();
    to->set_number(Word(attempt.number));
    to->set_outcome(ToProto(attempt.outcome));
    to->set_detail(Detail(attempt.detail));
    PutTime(attempt.start_time, [to] { return to->mutable_start_time(); });
    PutTime(attempt.end_time, [to] { return to->mutable_end_time(); });
  }
  return out;
}

v1::TranscriptItem ToProto(const call::TranscriptItem& item, v1::TranscriptView view) {
  v1::TranscriptItem out;
  out.set_item_id(Word(item.item_id));
  out.set_position(item.position);
  out.set_role(ToProto(item.role));
  out.set_status(ToProto(item.status));
  if (view != v1::TRANSCRIPT_VIEW_GENERATED) out.set_text_heard(ToUtf8(item.text_heard));
  if (view == v1::TRANSCRIPT_VIEW_GENERATED || view == v1::TRANSCRIPT_VIEW_BOTH) {
    out.set_text_generated(ToUtf8(item.text_generated));
  }
  *out.mutable_heard_duration() = Milliseconds(item.heard_ms);
  *out.mutable_generated_duration() = Milliseconds(item.generated_ms);
  out.set_heard_basis(ToProto(item.basis));
  PutTime(item.start_time, [&] { return out.mutable_start_time(); });
  return out;
}

v1::CallEvent ToProto(const events::StoredEvent& stored) {
  v1::CallEvent out;
  out.set_cursor(FormatCursor({stored.position, stored.event.call_id, stored.event.sequence}));
  out.set_call(CallName(stored.event.call_id));
  out.set_sequence(stored.event.sequence);
  PutTime(stored.event.time, [&] { return out.mutable_event_time(); });
  out.set_type(std::string(call::TypeName(stored.event.body)));
  if (!stored.erased) std::visit(BodyWriter(stored.event, out), stored.event.body);
  return out;
}

}  // namespace callbridge::control
