#include "src/session/model_leg.h"

#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "src/base/ids.h"
#include "src/openai/client_event.h"
#include "src/openai/connect.h"
#include "src/openai/error_class.h"
#include "src/openai/summary.h"
#include "src/openai/transfer_tool.h"

namespace callbridge::session {
namespace {

namespace input = call::input;
using openai::ErrorClass;

// A server that sends this many messages in a row that make no sense does not speak the protocol.
constexpr int kMaxBadMessages = 20;

call::EndReason ReasonOf(ErrorClass error_class, bool was_configured) {
  switch (error_class) {
    case ErrorClass::kFatalConfig: return call::EndReason::kModelRefused;
    case ErrorClass::kFatalAccount: return call::EndReason::kModelQuota;
    default: return was_configured ? call::EndReason::kModelSessionLost : call::EndReason::kModelUnavailable;
  }
}

absl::string_view StatusName(openai::ResponseStatus status) {
  switch (status) {
    case openai::ResponseStatus::kCompleted: return "completed";
    case openai::ResponseStatus::kCancelled: return "cancelled";
    case openai::ResponseStatus::kIncomplete: return "incomplete";
    case openai::ResponseStatus::kFailed: return "failed";
    default: return "unknown";
  }
}

}  // namespace

ModelLeg::ModelLeg(Options options, net::WsConnector& connector, openai::ServerEventParser& parser, Owner& owner)
    : options_(std::move(options)), connector_(connector), owner_(owner), parser_(parser) {}

ModelLeg::~ModelLeg() {
  if (connection_ == nullptr) return;
  connection_->Detach();
  connection_->Close(1000, "");
}

void ModelLeg::Open() {
  if (connection_ != nullptr) return;
  net::WsClientOptions options;
  options.url = openai::RealtimeUrl(options_.url, options_.session.model);
  options.ca_file = options_.ca_file;
  options.ping_interval = absl::Seconds(20);
  openai::Credentials credentials;
  credentials.api_key = options_.api_key;
  // Checked at start; without a key the server refuses, which ends the call with the right reason.
  if (auto headers = openai::RealtimeHeaders(credentials); headers.ok()) options.headers = *std::move(headers);
  connection_ = connector_.Connect(options, *this);
}

void ModelLeg::Close() {
  closing_ = true;
  if (connection_ != nullptr) connection_->Close(1000, "");
}

void ModelLeg::OnOpen(net::WsConnection&) { open_ = true; }

void ModelLeg::OnClosed(const net::WsClose& close) {
  open_ = false;
  connection_ = nullptr;
  if (closing_) return;
  if (has_last_error_) {
    Give(input::ModelClosed{last_error_.reason, absl::StrCat(last_error_.code, ": ", last_error_.message)});
    return;
  }
  const openai::Diagnosis diagnosis = close.opened ? openai::ClassifyClose(close.code, close.reason)
                                                   : openai::ClassifyRefusal(close.http_status, close.error);
  const std::string seen = close.opened ? absl::StrCat("close code ", close.code, " ", close.reason) : close.error;
  Give(input::ModelClosed{ReasonOf(diagnosis.error_class, configured_), absl::StrCat(seen, " (", diagnosis.text, ")")});
}

void ModelLeg::Append(absl::string_view base64) {
  if (!open_) return;
  // The model reads slower than the caller speaks: frames are dropped rather than piled up, and counted.
  if (!connection_->Send(openai::AppendParts(base64)) && ++frames_dropped_ == 1) {
    owner_.OnModelNote("caller audio dropped", "the model reads too slowly");
  }
}

void ModelLeg::Send(const std::string& text) {
  if (open_) connection_->Send({text});
}

std::string ModelLeg::NextEventId(absl::string_view kind) { return absl::StrCat("cb_", kind, "_", next_event_id_++); }

void ModelLeg::Do(const call::command::Command& command) {
  namespace c = call::command;
  if (std::holds_alternative<c::ConfigureModel>(command)) {
    session_update_id_ = NextEventId("session");
    Send(openai::FormatSessionUpdate(options_.session, session_update_id_));
  } else if (const auto* text = std::get_if<c::AddSystemText>(&command)) {
    Send(openai::FormatSystemText(text->text, NextEventId("text")));
  } else if (std::holds_alternative<c::CreateResponse>(command)) {
    Send(openai::FormatResponseCreate(NextEventId("response")));
  } else if (const auto* cancel = std::get_if<c::CancelResponse>(&command)) {
    Send(openai::FormatCancel(cancel->response_id, NextEventId("cancel")));
  } else if (const auto* cut = std::get_if<c::TruncateItem>(&command)) {
    Send(openai::FormatTruncate(cut->item_id, 0, cut->audio_end_ms, NextEventId("truncate")));
  } else if (const auto* gone = std::get_if<c::DeleteItem>(&command)) {
    Send(openai::FormatDelete(gone->item_id, NextEventId("delete")));
  } else if (const auto* answer = std::get_if<c::AnswerTool>(&command)) {
    Send(openai::FormatFunctionCallOutput(answer->tool_call_id, openai::FormatToolOutput(answer->ok, answer->message),
                                          NextEventId("output")));
  } else if (std::holds_alternative<c::RequestSummary>(command)) {
    Send(openai::FormatSummaryRequest(options_.summary_instructions, NextEventId("summary")));
  }
}

void ModelLeg::OnBinary(size_t bytes) { owner_.OnModelNote("binary message ignored", absl::StrCat(bytes, " bytes")); }

void ModelLeg::OnText(absl::string_view message) {
  auto parsed = parser_.Parse(message);
  if (!parsed.ok()) {
    if (++bad_messages_ == 1) owner_.OnModelNote("message ignored", parsed.status().message());
    if (bad_messages_ >= kMaxBadMessages && connection_ != nullptr)
      connection_->Close(1002, "not the Realtime protocol");
    return;
  }
  bad_messages_ = 0;
  std::visit([this](const auto& event) { On(event); }, *parsed);
}

void ModelLeg::On(const openai::AudioDelta& event) {
  owner_.OnModelAudio(event.response_id, event.item_id, event.base64, event.bytes);
}

// ---- The session ----

void ModelLeg::On(const openai::SessionCreated& event) {
  Give(input::ModelCreated{event.session.id,
                           event.session.model.empty() ? options_.session.model : event.session.model});
}

void ModelLeg::On(const openai::SessionUpdated& event) {
  if (configured_) return;
  if (const absl::Status confirmed = openai::ConfirmSession(options_.session, event.session); !confirmed.ok()) {
    Give(input::ModelError{"session_not_as_configured", std::string(confirmed.message()), true,
                           call::EndReason::kModelRefused});
    return;
  }
  configured_ = true;
  Give(input::ModelConfigured{});
}

void ModelLeg::On(const openai::Error& event) {
  openai::Diagnosis diagnosis = openai::ClassifyError(event.type, event.code, event.message);
  // Without its configuration a session has the wrong audio format and no instructions: such a call must not go on.
  if (!configured_ && !session_update_id_.empty() && event.event_id == session_update_id_) {
    diagnosis.error_class = ErrorClass::kFatalConfig;
  }
  if (diagnosis.error_class == ErrorClass::kHarmless) {
    owner_.OnModelNote("harmless error", absl::StrCat(event.code, " ", event.message));
    return;
  }
  input::ModelError error{event.code.empty() ? event.type : event.code, event.message,
                          openai::IsFatal(diagnosis.error_class), ReasonOf(diagnosis.error_class, configured_)};
  if (error.fatal || diagnosis.error_class == ErrorClass::kSessionExpired) {
    last_error_ = error;
    has_last_error_ = true;
  }
  Give(error);
}

// ---- The caller ----

void ModelLeg::On(const openai::SpeechStarted& event) { Give(input::SpeechStarted{event.item_id}); }
void ModelLeg::On(const openai::SpeechStopped& event) { Give(input::SpeechStopped{event.item_id}); }
void ModelLeg::On(const openai::BufferCommitted& event) {
  Give(input::TurnCommitted{event.item_id, event.previous_item_id});
}
void ModelLeg::On(const openai::UserTranscriptCompleted& event) {
  Give(input::CallerText{event.item_id, event.transcript});
}
void ModelLeg::On(const openai::UserTranscriptFailed& event) {
  Give(input::CallerTextFailed{event.item_id, absl::StrCat(event.code, " ", event.message)});
}

// ---- The assistant ----

void ModelLeg::On(const openai::ItemAdded& event) {
  if (event.item.type != openai::ItemType::kMessage) return;
  if (event.item.role == openai::Role::kAssistant) {
    Give(input::ItemAdded{event.item.id, event.previous_item_id, call::Role::kAssistant, ""});
  } else if (event.item.role == openai::Role::kUser) {
    Give(input::ItemAdded{event.item.id, event.previous_item_id, call::Role::kCaller, ""});
  }
}

void ModelLeg::On(const openai::ResponseCreated& event) {
  if (openai::IsSummary(event)) {
    asides_.insert(event.response_id);
  } else {
    Give(input::ResponseStarted{event.response_id});
  }
}

void ModelLeg::On(const openai::AudioDone& event) { Give(input::ModelAudioDone{event.item_id}); }

void ModelLeg::On(const openai::TranscriptDelta& event) {
  if (asides_.count(event.response_id) == 0) Give(input::AssistantText{event.item_id, event.delta});
}

void ModelLeg::On(const openai::TranscriptDone& event) {
  if (asides_.count(event.response_id) == 0) Give(input::AssistantTextDone{event.item_id, event.transcript});
}

void ModelLeg::On(const openai::OutputItemDone& event) {
  if (event.item.type == openai::ItemType::kFunctionCall) OnFunctionCall(event.item);
}

void ModelLeg::OnFunctionCall(const openai::Item& item) {
  // A cancelled response's call may have half its arguments.
  if (item.status != openai::ItemStatus::kCompleted || !tool_calls_.insert(item.call_id).second) return;
  if (item.name != openai::kTransferToolName) {
    Give(input::ToolRefused{item.call_id, item.name, absl::StrCat("there is no tool named ", item.name)});
    return;
  }
  const auto arguments = openai::ParseTransferArguments(item.arguments);
  if (!arguments.ok()) {
    Give(input::ToolRefused{item.call_id, item.name, std::string(arguments.status().message())});
    return;
  }
  Give(input::TransferAsked{base::NewUuid(), item.call_id, arguments->destination, arguments->reason, item.arguments});
}

void ModelLeg::On(const openai::ResponseDone& event) {
  if (asides_.erase(event.response_id) > 0 || openai::IsSummary(event)) {
    OnSummary(event);
    return;
  }
  // Each call was acted on when its item was done; servers that leave that event out are met here.
  for (const openai::Item& item : event.output) {
    if (item.type == openai::ItemType::kFunctionCall) OnFunctionCall(item);
  }
  const openai::Diagnosis diagnosis =
      event.status == openai::ResponseStatus::kFailed
          ? openai::ClassifyError(event.error_type, event.error_code, event.error_message)
          : openai::Diagnosis{ErrorClass::kHarmless, ""};
  Give(input::ResponseEnded{event.response_id, std::string(StatusName(event.status)), event.error_code,
                            event.error_message.empty() ? event.reason : event.error_message});
  if (openai::IsFatal(diagnosis.error_class)) {
    Give(input::ModelError{event.error_code, event.error_message, true, ReasonOf(diagnosis.error_class, configured_)});
  }
}

void ModelLeg::OnSummary(const openai::ResponseDone& event) {
  if (const auto summary = openai::SummaryText(event)) {
    Give(input::SummaryMade{*summary});
  } else {
    Give(input::SummaryUnavailable{
        absl::StrCat("the model's response was ", StatusName(event.status), " ", event.error_code)});
  }
}

}  // namespace callbridge::session
