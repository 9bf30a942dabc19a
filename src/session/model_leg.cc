#include "src/session/model_leg.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "src/base/ids.h"
#include "src/openai/call_tools.h"
#include "src/openai/client_event.h"
#include "src/openai/connect.h"
#include "src/openai/summary.h"
#include "src/openai/transfer_tool.h"

namespace callbridge::session {
namespace {

namespace c = call::command;
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

// What a close looked like from outside.
std::string Seen(const net::WsClose& close) {
  if (!close.opened) return close.error;
  return absl::StrCat("close code ", close.code, " ", close.reason.empty() ? close.error : close.reason);
}

bool HasTool(const openai::SessionConfig& session, absl::string_view name) {
  return std::any_of(session.tools.begin(), session.tools.end(),
                     [name](const openai::Tool& tool) { return tool.name == name; });
}

}  // namespace

ModelLeg::ModelLeg(Options options, net::WsConnector& connector, openai::ServerEventParser& parser,
                   const base::Clock& clock, Owner& owner)
    : options_(std::move(options)),
      connector_(connector),
      parser_(parser),
      clock_(clock),
      owner_(owner),
      instructions_(options_.session.instructions) {}

ModelLeg::~ModelLeg() { Drop(); }

void ModelLeg::Drop() {
  if (connection_ == nullptr) return;
  connection_->Detach();
  connection_->Close(1000, "");
  connection_ = nullptr;
}

void ModelLeg::Open() {
  Drop();
  session_ = Session();
  ++sessions_;
  net::WsClientOptions options;
  options.url = openai::RealtimeUrl(options_.url, options_.session.model);
  options.ca_file = options_.ca_file;
  openai::Credentials credentials;
  credentials.api_key = options_.api_key;
  // Checked at start; without a key the server refuses, which ends the call with the right reason.
  if (auto headers = openai::RealtimeHeaders(credentials); headers.ok()) options.headers = *std::move(headers);
  connection_ = connector_.Connect(options, *this);
}

void ModelLeg::Close() {
  session_.closing = true;
  if (connection_ != nullptr) connection_->Close(1000, "");
}

void ModelLeg::OnOpen(net::WsConnection&) { session_.open = true; }

void ModelLeg::OnClosed(const net::WsClose& close) {
  session_.open = false;
  connection_ = nullptr;
  if (session_.closing) return;
  if (session_.last_error) {
    const input::ModelError& said = *session_.last_error;
    Give(input::ModelClosed{said.reason, absl::StrCat(said.code, ": ", said.message)});
    return;
  }
  const openai::Diagnosis diagnosis = close.opened ? openai::ClassifyClose(close.code, close.reason)
                                                   : openai::ClassifyRefusal(close.http_status, close.error);
  Give(input::ModelClosed{ReasonOf(diagnosis.error_class, session_.configured),
                          absl::StrCat(Seen(close), " (", diagnosis.text, ")")});
}

void ModelLeg::Append(absl::string_view base64) {
  if (!session_.open) return;
  // The model reads slower than the caller speaks: frames are dropped rather than piled up, and counted.
  if (!connection_->Send(openai::AppendParts(base64)) && ++frames_dropped_ == 1) {
    owner_.OnModelNote("caller audio dropped", "the model reads too slowly");
  }
}

void ModelLeg::Send(const std::string& text) {
  if (session_.open) connection_->Send({text});
}

std::string ModelLeg::NextEventId(absl::string_view kind) { return absl::StrCat("cb_", kind, "_", next_event_id_++); }

std::string ModelLeg::NextItemId() { return absl::StrCat("cb_item_", next_item_id_++); }

void ModelLeg::OnBinary(size_t bytes) { owner_.OnModelNote("binary message ignored", absl::StrCat(bytes, " bytes")); }

void ModelLeg::OnText(absl::string_view message) {
  reading_since_ = clock_.Now();
  Read(message);
  reading_since_ = absl::InfinitePast();
}

void ModelLeg::Read(absl::string_view message) {
  auto parsed = parser_.Parse(message);
  if (!parsed.ok()) {
    if (++session_.bad_messages == 1) owner_.OnModelNote("message ignored", parsed.status().message());
    if (session_.bad_messages >= kMaxBadMessages && connection_ != nullptr)
      connection_->Close(1002, "not the Realtime protocol");
    return;
  }
  session_.bad_messages = 0;
  std::visit([this](const auto& event) { On(event); }, *parsed);
}

void ModelLeg::On(const openai::AudioDelta& event) {
  owner_.OnModelAudio(event.response_id, event.item_id, event.base64, event.bytes);
}

// ---- Commands ----

void ModelLeg::Do(const c::Command& command) {
  std::visit([this](const auto& value) { Carry(value); }, command);
}

void ModelLeg::Carry(const c::ConfigureModel& command) {
  session_.protected_from_voice = command.protect_greeting;
  // The rest stands. To say it again could be refused: the voice is fixed once the assistant has spoken.
  if (session_.configured) return ChangeTurns();
  openai::SessionConfig config = options_.session;
  config.instructions = instructions_;
  config.turn_detection = Turns();
  session_.turns = config.turn_detection;
  session_.update_id = NextEventId("session");
  Send(openai::FormatSessionUpdate(config, session_.update_id));
}

void ModelLeg::Carry(const c::ReleaseGreeting&) {
  session_.protected_from_voice = false;
  ChangeTurns();
}

openai::TurnDetection ModelLeg::Turns() const {
  openai::TurnDetection turns = options_.session.turn_detection;
  if (session_.protected_from_voice) turns = openai::WithoutInterruption(turns);
  return answers_ ? turns : openai::WithoutAnswers(turns);
}

void ModelLeg::ChangeTurns() {
  session_.turns_id = NextEventId("turns");
  Send(openai::FormatTurnDetectionUpdate(Turns(), session_.turns_id));
}

void ModelLeg::Carry(const c::LetAnswer& command) {
  answers_ = command.on;
  if (!session_.update_id.empty()) ChangeTurns();
}

void ModelLeg::Carry(const c::SetInstructions& command) {
  instructions_ = command.instructions;
  if (session_.update_id.empty()) return;  // The session begins with them.
  Send(openai::FormatInstructionsUpdate(instructions_, NextEventId("instructions")));
}

void ModelLeg::Carry(const c::RestoreConversation& command) {
  for (const c::HistoryItem& item : command.items) Restore(item);
}

void ModelLeg::Restore(const c::HistoryItem& item) {
  const std::string item_id = item.item_id.empty() ? NextItemId() : item.item_id;
  session_.names.AddOurs(item_id);
  if (item.role == call::Role::kTool) {
    SendToolCall(item.tool_call_id, item.name, item.arguments, item.text, item_id);
    return;
  }
  if (item.text.empty()) return;
  const std::string event_id = NextEventId("restore");
  const openai::Placement place{item_id, ""};
  switch (item.role) {
    case call::Role::kAssistant: Send(openai::FormatAssistantText(item.text, event_id, place)); break;
    case call::Role::kCaller: Send(openai::FormatUserText(item.text, event_id, place)); break;
    default: Send(openai::FormatSystemText(item.text, event_id, place)); break;
  }
}

void ModelLeg::SendToolCall(absl::string_view tool_call_id, absl::string_view name, absl::string_view arguments,
                            absl::string_view output, absl::string_view item_id) {
  session_.tool_calls.emplace(tool_call_id);
  Send(openai::FormatFunctionCall(tool_call_id, name, arguments, NextEventId("call"), {item_id, ""}));
  Send(openai::FormatFunctionCallOutput(tool_call_id, output, NextEventId("output")));
}

void ModelLeg::Carry(const c::RewriteItem& command) {
  const std::string old = session_.names.InSession(command.item_id);
  if (!old.empty()) Send(openai::FormatDelete(old, NextEventId("delete")));
  if (command.text.empty()) {
    session_.names.Remove(command.item_id, command.previous_item_id);
    return;
  }
  const std::string behind = session_.names.Behind(command.previous_item_id);
  const std::string fresh = NextItemId();
  session_.names.Rename(command.item_id, fresh);
  Send(openai::FormatAssistantText(command.text, NextEventId("rewrite"), {fresh, behind}));
}

void ModelLeg::Carry(const c::AddSystemText& command) {
  Send(openai::FormatSystemText(command.text, NextEventId("text")));
}

void ModelLeg::Carry(const c::AddCallerText& command) {
  // Under an id of ours, so that its echo is not taken for something that the caller said.
  const std::string item_id = NextItemId();
  session_.names.AddOurs(item_id);
  Send(openai::FormatUserText(command.text, NextEventId("text"), {item_id, ""}));
}

void ModelLeg::Carry(const c::CreateResponse& command) {
  const std::string event_id = NextEventId("response");
  if (command.instructions.empty()) {
    Send(openai::FormatResponseCreate(event_id));
    return;
  }
  // They take the place of the session's, without which it would no longer know who it is and which language it speaks.
  Send(openai::FormatResponseCreate(absl::StrCat(instructions_, "\n\n", command.instructions), event_id,
                                    command.request_id));
}

void ModelLeg::Carry(const c::CancelResponse& command) {
  Send(openai::FormatCancel(command.response_id, NextEventId("cancel")));
}

void ModelLeg::Carry(const c::TruncateItem& command) {
  const std::string item_id = session_.names.InSession(command.item_id);
  if (!item_id.empty()) Send(openai::FormatTruncate(item_id, 0, command.audio_end_ms, NextEventId("truncate")));
}

void ModelLeg::Carry(const c::DeleteItem& command) {
  const std::string item_id = session_.names.InSession(command.item_id);
  if (!item_id.empty()) Send(openai::FormatDelete(item_id, NextEventId("delete")));
}

void ModelLeg::Carry(const c::AnswerTool& command) {
  const std::string output = openai::FormatToolOutput(command.ok, command.message);
  const auto seen = tool_calls_.find(command.tool_call_id);
  // A server that never made the call refuses its output: it is told of the call as well.
  if (seen != tool_calls_.end() && session_.tool_calls.count(command.tool_call_id) == 0) {
    SendToolCall(command.tool_call_id, seen->second.name, seen->second.arguments, output, "");
    return;
  }
  Send(openai::FormatFunctionCallOutput(command.tool_call_id, output, NextEventId("output")));
}

void ModelLeg::Carry(const c::RequestSummary&) {
  Send(openai::FormatSummaryRequest(options_.summary_instructions, NextEventId("summary")));
}

// ---- The session ----

void ModelLeg::On(const openai::SessionCreated& event) {
  const openai::EffectiveSession& session = event.session;
  input::ModelCreated created{session.id, session.model.empty() ? options_.session.model : session.model, 0};
  // An end that has passed by our clock tells of a clock that is wrong, not of a session without time.
  if (session.expires_at_s > 0) {
    const absl::Duration left = absl::FromUnixSeconds(session.expires_at_s) - clock_.Now();
    created.lifetime_ms = std::max<int64_t>(absl::ToInt64Milliseconds(left), 0);
  }
  Give(created);
}

void ModelLeg::On(const openai::SessionUpdated& event) {
  // Later ones answer a change of the turn detection, on which nothing waits.
  if (session_.configured) return;
  openai::SessionConfig asked = options_.session;
  asked.turn_detection = session_.turns;
  if (const absl::Status confirmed = openai::ConfirmSession(asked, event.session); !confirmed.ok()) {
    Fail(input::ModelError{"session_not_as_configured", std::string(confirmed.message()), true,
                           call::EndReason::kModelRefused});
    return;
  }
  session_.configured = true;
  Give(input::ModelConfigured{});
}

// Without its configuration a session has the wrong audio format and no instructions: such a call must not go on. The
// server does not always say which of our events it refuses; before the configuration there is only this one.
ErrorClass ModelLeg::ClassOf(const openai::Error& event) const {
  const ErrorClass found = openai::ClassifyError(event.type, event.code, event.message).error_class;
  const bool configuring = !session_.configured && !session_.update_id.empty();
  if (!configuring || openai::IsFatal(found)) return found;
  const bool named = event.event_id == session_.update_id;
  if (named && found == ErrorClass::kRetryResponse) return ErrorClass::kReconnect;
  const bool unnamed = event.event_id.empty() && found == ErrorClass::kClientBug;
  return named || unnamed ? ErrorClass::kFatalConfig : found;
}

void ModelLeg::On(const openai::Error& event) {
  const ErrorClass error_class = ClassOf(event);
  const bool of_turns = !session_.turns_id.empty() && event.event_id == session_.turns_id;
  if (error_class == ErrorClass::kReconnect) {
    GiveUp(ReasonOf(error_class, session_.configured), absl::StrCat(event.code, ": ", event.message));
    return;
  }
  if (error_class == ErrorClass::kHarmless || of_turns) {
    owner_.OnModelNote(of_turns ? "turn detection not changed" : "harmless error",
                       absl::StrCat(event.code, " ", event.message));
    return;
  }
  input::ModelError error{event.code.empty() ? event.type : event.code, event.message, openai::IsFatal(error_class),
                          ReasonOf(error_class, session_.configured)};
  if (error.fatal) {
    Fail(error);
    return;
  }
  if (error_class == ErrorClass::kSessionExpired) session_.last_error = error;
  Give(error);
}

// The session is of no use any more: nothing that still comes of it is the call's business.
void ModelLeg::Fail(const input::ModelError& error) {
  const int session = sessions_;
  Give(error);
  if (session == sessions_) GiveUp(error.reason, absl::StrCat(error.code, ": ", error.message));
}

void ModelLeg::GiveUp(call::EndReason reason, const std::string& detail) {
  Drop();
  session_.open = false;
  if (!session_.closing) Give(input::ModelClosed{reason, detail});
}

// ---- The caller ----

void ModelLeg::On(const openai::SpeechStarted& event) { Give(input::SpeechStarted{event.item_id}); }
void ModelLeg::On(const openai::SpeechStopped& event) { Give(input::SpeechStopped{event.item_id}); }
void ModelLeg::On(const openai::BufferCommitted& event) {
  Give(input::TurnCommitted{event.item_id, session_.names.InCall(event.previous_item_id)});
}
void ModelLeg::On(const openai::UserTranscriptDelta& event) { owner_.OnCallerWords(event.item_id, event.delta); }
void ModelLeg::On(const openai::UserTranscriptCompleted& event) {
  Give(input::CallerText{event.item_id, event.transcript});
}
void ModelLeg::On(const openai::UserTranscriptFailed& event) {
  Give(input::CallerTextFailed{event.item_id, absl::StrCat(event.code, " ", event.message)});
}

// ---- The assistant ----

void ModelLeg::On(const openai::ItemAdded& event) {
  if (event.item.type != openai::ItemType::kMessage || session_.names.IsOurs(event.item.id)) return;
  const std::string previous = session_.names.InCall(event.previous_item_id);
  if (event.item.role == openai::Role::kAssistant) {
    Give(input::ItemAdded{event.item.id, previous, call::Role::kAssistant, ""});
  } else if (event.item.role == openai::Role::kUser) {
    Give(input::ItemAdded{event.item.id, previous, call::Role::kCaller, ""});
  }
}

void ModelLeg::On(const openai::ResponseCreated& event) {
  if (openai::IsSummary(event)) {
    session_.asides.insert(event.response_id);
  } else {
    Give(input::ResponseStarted{event.response_id, openai::RequestIdOf(event.metadata)});
  }
}

void ModelLeg::On(const openai::AudioDone& event) { Give(input::ModelAudioDone{event.item_id}); }

void ModelLeg::On(const openai::TranscriptDelta& event) {
  if (session_.asides.count(event.response_id) == 0) Give(input::AssistantText{event.item_id, event.delta});
}

void ModelLeg::On(const openai::TranscriptDone& event) {
  if (session_.asides.count(event.response_id) == 0) Give(input::AssistantTextDone{event.item_id, event.transcript});
}

void ModelLeg::On(const openai::OutputItemDone& event) {
  if (event.item.type == openai::ItemType::kFunctionCall) OnFunctionCall(event.item);
}

void ModelLeg::OnFunctionCall(const openai::Item& item) {
  // A cancelled response's call may have half its arguments.
  if (item.status != openai::ItemStatus::kCompleted) return;
  session_.tool_calls.insert(item.call_id);
  if (tool_calls_.emplace(item.call_id, ToolCall{item.name, item.arguments}).second) Give(ToolInput(item));
}

input::Input ModelLeg::ToolInput(const openai::Item& item) const {
  const auto refused = [&item](absl::string_view why) -> input::Input {
    return input::ToolRefused{item.call_id, item.name, std::string(why)};
  };
  // The model may know a name from its instructions.
  if (!HasTool(options_.session, item.name)) return refused(absl::StrCat("there is no tool named ", item.name));
  if (item.name == openai::kTransferToolName) {
    const auto arguments = openai::ParseTransferArguments(item.arguments);
    if (!arguments.ok()) return refused(arguments.status().message());
    return input::TransferAsked{base::NewUuid(), item.call_id, arguments->destination, arguments->reason,
                                item.arguments};
  }
  if (item.name == openai::kEndCallToolName) {
    const auto arguments = openai::ParseEndArguments(item.arguments);
    if (!arguments.ok()) return refused(arguments.status().message());
    return input::EndAsked{item.call_id, arguments->reason, item.arguments};
  }
  if (item.name == openai::kSendDtmfToolName) {
    const auto arguments = openai::ParseDtmfArguments(item.arguments);
    if (!arguments.ok()) return refused(arguments.status().message());
    return input::DtmfAsked{item.call_id, arguments->digits, item.arguments};
  }
  const auto arguments = openai::ToolArguments(item.arguments);
  if (!arguments.ok()) return refused(arguments.status().message());
  if (options_.check_arguments) {
    if (const absl::Status fits = options_.check_arguments(item.name, *arguments); !fits.ok()) {
      return refused(fits.message());
    }
  }
  return input::ToolAsked{item.call_id, item.name, *arguments};
}

void ModelLeg::On(const openai::ResponseDone& event) {
  if (session_.asides.erase(event.response_id) > 0 || openai::IsSummary(event)) {
    OnSummary(event);
    return;
  }
  // What an input makes the call do may be to open another session, which has nothing to do with the rest of this.
  const int session = sessions_;
  // Each call was acted on when its item was done; servers that leave that event out are met here.
  for (const openai::Item& item : event.output) {
    if (item.type == openai::ItemType::kFunctionCall && session == sessions_) OnFunctionCall(item);
  }
  if (session != sessions_) return;
  const ErrorClass error_class =
      event.status == openai::ResponseStatus::kFailed
          ? openai::ClassifyError(event.error_type, event.error_code, event.error_message).error_class
          : ErrorClass::kHarmless;
  Give(input::ResponseEnded{event.response_id, std::string(StatusName(event.status)), event.error_code,
                            event.error_message.empty() ? event.reason : event.error_message});
  if (session != sessions_ || !openai::IsFatal(error_class)) return;
  Fail(input::ModelError{event.error_code.empty() ? event.error_type : event.error_code, event.error_message, true,
                         ReasonOf(error_class, session_.configured)});
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
