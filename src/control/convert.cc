#include "src/control/convert.h"

#include <algorithm>
#include <cstdint>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "src/control/cursor.h"
#include "src/control/utf8.h"

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
  google::protobuf::Timestamp* field = mutable_field();
  // Whole seconds rounded down, so that the rest is never negative. Of the rest what the store keeps, so that an event
  // reads the same as it happens and when it is replayed.
  const int64_t seconds = absl::ToUnixSeconds(time);
  field->set_seconds(seconds);
  field->set_nanos(static_cast<int32_t>(absl::ToInt64Microseconds(time - absl::FromUnixSeconds(seconds))) * 1000);
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

// Writes an event's body into its field of the oneof.
struct BodyWriter {
  const call::Event& event;
  v1::CallEvent& out;

  void operator()(const call::CallCreated& body) const {
    auto* to = out.mutable_call_created();
    to->set_direction(ToProto(body.direction));
    to->set_from(Word(body.from));
    to->set_to(Word(body.to));
    to->set_agent(Word(body.agent));
    to->set_lead(LeadName(body.lead_id));
  }
  void operator()(const call::StateChanged& body) const {
    out.mutable_state_changed()->set_from(ToProto(body.from));
    out.mutable_state_changed()->set_to(ToProto(body.to));
  }
  void operator()(const call::StreamConnected& body) const {
    out.mutable_stream_connected()->set_stream_id(Word(body.stream_id));
    out.mutable_stream_connected()->set_ordinal(body.ordinal);
  }
  void operator()(const call::StreamLost& body) const { out.mutable_stream_lost()->set_detail(Detail(body.detail)); }
  void operator()(const call::ModelReady& body) const {
    out.mutable_model_ready()->set_session_id(Word(body.session_id));
    out.mutable_model_ready()->set_model(Word(body.model));
  }
  void operator()(const call::ModelTrouble& body) const {
    auto* to = out.mutable_model_trouble();
    to->set_code(Word(body.code));
    to->set_message(Detail(body.message));
    to->set_fatal(body.fatal);
  }
  void operator()(const call::CallerSpeechStarted& body) const {
    out.mutable_caller_speech_started()->set_item_id(Word(body.item_id));
  }
  void operator()(const call::CallerSpeechStopped& body) const {
    out.mutable_caller_speech_stopped()->set_item_id(Word(body.item_id));
  }
  void operator()(const call::AssistantSpeechStarted& body) const {
    out.mutable_assistant_speech_started()->set_item_id(Word(body.item_id));
    out.mutable_assistant_speech_started()->set_greeting(body.greeting);
  }
  void operator()(const call::AssistantSpeechFinished& body) const {
    auto* to = out.mutable_assistant_speech_finished();
    to->set_item_id(Word(body.item_id));
    *to->mutable_heard_duration() = Milliseconds(body.heard_ms);
    to->set_heard_basis(ToProto(body.basis));
  }
  void operator()(const call::BargeIn& body) const {
    auto* to = out.mutable_barge_in();
    to->set_item_id(Word(body.item_id));
    *to->mutable_heard_duration() = Milliseconds(body.heard_ms);
    *to->mutable_received_duration() = Milliseconds(body.received_ms);
    to->set_heard_basis(ToProto(body.basis));
  }
  void operator()(const call::TranscriptItemFinal& body) const {
    *out.mutable_transcript_item_final()->mutable_item() = ToProto(body.item, v1::TRANSCRIPT_VIEW_BOTH);
  }
  void operator()(const call::ToolCalled& body) const {
    auto* to = out.mutable_tool_called();
    to->set_tool_call_id(Word(body.tool_call_id));
    to->set_name(Word(body.name));
    to->set_arguments(ToUtf8(body.arguments));
  }
  void operator()(const call::ToolAnswered& body) const {
    auto* to = out.mutable_tool_answered();
    to->set_tool_call_id(Word(body.tool_call_id));
    to->set_name(Word(body.name));
    to->set_output(ToUtf8(body.output));
    to->set_ok(body.ok);
  }
  void operator()(const call::TransferChanged& body) const {
    *out.mutable_transfer_changed()->mutable_transfer() = ToProto(event.call_id, body.transfer);
  }
  void operator()(const call::CallerReturned& body) const {
    out.mutable_caller_returned()->set_transfer(TransferName(event.call_id, body.transfer_id));
  }
  void operator()(const call::DtmfReceived& body) const { out.mutable_dtmf_received()->set_digit(Word(body.digit)); }
  void operator()(const call::TurnMeasured& body) const {
    auto* to = out.mutable_turn_measured();
    to->set_caller_item_id(Word(body.caller_item_id));
    if (body.to_commit_ms >= 0) *to->mutable_to_commit() = Milliseconds(body.to_commit_ms);
    if (body.to_first_audio_ms >= 0) *to->mutable_to_first_audio() = Milliseconds(body.to_first_audio_ms);
    if (body.to_first_sent_ms >= 0) *to->mutable_to_first_sent() = Milliseconds(body.to_first_sent_ms);
    if (body.to_first_heard_ms >= 0) *to->mutable_to_first_heard() = Milliseconds(body.to_first_heard_ms);
  }
  void operator()(const call::CallEnded& body) const {
    *out.mutable_call_ended()->mutable_end() = ToProto(body.termination);
    *out.mutable_call_ended()->mutable_duration() = Seconds(body.duration_seconds);
  }
  void operator()(const call::SummaryReady& body) const {
    out.mutable_summary_ready()->set_summary(ToUtf8(body.summary));
  }
  template <typename Body>
  void operator()(const Body&) const {}
  void operator()(const call::SummaryFailed& body) const {
    out.mutable_summary_failed()->set_reason(Detail(body.reason));
  }
};

v1::LeadCallStatus LeadCallStatusOf(absl::string_view status) {
  if (status == "new") return v1::LEAD_CALL_STATUS_NEW;
  if (status == "called") return v1::LEAD_CALL_STATUS_CALLED;
  if (status == "transferred") return v1::LEAD_CALL_STATUS_TRANSFERRED;
  return v1::LEAD_CALL_STATUS_UNSPECIFIED;
}

}  // namespace

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
  out.set_event_sequence(record.event_head);
  out.set_summary(ToUtf8(record.summary));
  out.set_carrier_call_id(Word(record.carrier_call_id));
  out.set_model_session_id(Word(record.model_session_id));
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
  std::visit(BodyWriter{stored.event, out}, stored.event.body);
  return out;
}

}  // namespace callbridge::control
