#include "src/call/input_text.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/call/field_text.h"

namespace callbridge::call {
namespace {

// The fields of each value, once, for writing and for reading. `V` is a visitor called with each name and member.
template <typename V>
void Fields(input::DialAccepted& in, V&& v) {
  v("request_id", in.request_id);
}
template <typename V>
void Fields(input::DialRefused& in, V&& v) {
  v("reason", in.reason);
  v("detail", in.detail);
}
template <typename V>
void Fields(input::DialUnknown& in, V&& v) {
  v("detail", in.detail);
}
template <typename V>
void Fields(input::Rang& in, V&& v) {
  v("carrier_call_id", in.carrier_call_id);
}
template <typename V>
void Fields(input::Answered& in, V&& v) {
  v("carrier_call_id", in.carrier_call_id);
}
template <typename V>
void Fields(input::HungUp& in, V&& v) {
  v("reason", in.reason);
  v("party", in.party);
  v("detail", in.detail);
}
template <typename V>
void Fields(input::StreamOpened& in, V&& v) {
  v("stream_id", in.stream_id);
}
template <typename V>
void Fields(input::StreamClosed& in, V&& v) {
  v("clean", in.clean);
  v("detail", in.detail);
}
template <typename V>
void Fields(input::CallerAudio& in, V&& v) {
  v("base64", in.base64);
}
template <typename V>
void Fields(input::CheckpointPlayed& in, V&& v) {
  v("number", in.number);
}
template <typename V>
void Fields(input::AudioCleared&, V&&) {}
template <typename V>
void Fields(input::Dtmf& in, V&& v) {
  v("digit", in.digit);
}
template <typename V>
void Fields(input::ModelCreated& in, V&& v) {
  v("session_id", in.session_id);
  v("model", in.model);
  v("lifetime_ms", in.lifetime_ms);
}
template <typename V>
void Fields(input::ModelConfigured&, V&&) {}
template <typename V>
void Fields(input::ResponseStarted& in, V&& v) {
  v("response_id", in.response_id);
  v("request_id", in.request_id);
}
template <typename V>
void Fields(input::ItemAdded& in, V&& v) {
  v("item_id", in.item_id);
  v("previous_item_id", in.previous_item_id);
  v("role", in.role);
  v("response_id", in.response_id);
}
template <typename V>
void Fields(input::ModelAudio& in, V&& v) {
  v("response_id", in.response_id);
  v("item_id", in.item_id);
  v("base64", in.base64);
}
template <typename V>
void Fields(input::ModelAudioDone& in, V&& v) {
  v("item_id", in.item_id);
}
template <typename V>
void Fields(input::AssistantText& in, V&& v) {
  v("item_id", in.item_id);
  v("delta", in.delta);
}
template <typename V>
void Fields(input::AssistantTextDone& in, V&& v) {
  v("item_id", in.item_id);
  v("text", in.text);
}
template <typename V>
void Fields(input::ResponseEnded& in, V&& v) {
  v("response_id", in.response_id);
  v("status", in.status);
  v("code", in.code);
  v("detail", in.detail);
}
template <typename V>
void Fields(input::SpeechStarted& in, V&& v) {
  v("item_id", in.item_id);
}
template <typename V>
void Fields(input::SpeechStopped& in, V&& v) {
  v("item_id", in.item_id);
}
template <typename V>
void Fields(input::TurnCommitted& in, V&& v) {
  v("item_id", in.item_id);
  v("previous_item_id", in.previous_item_id);
}
template <typename V>
void Fields(input::CallerText& in, V&& v) {
  v("item_id", in.item_id);
  v("text", in.text);
}
template <typename V>
void Fields(input::CallerTextFailed& in, V&& v) {
  v("item_id", in.item_id);
  v("detail", in.detail);
}
template <typename V>
void Fields(input::TransferAsked& in, V&& v) {
  v("transfer_id", in.transfer_id);
  v("tool_call_id", in.tool_call_id);
  v("destination", in.destination);
  v("reason", in.reason);
  v("arguments", in.arguments);
}
template <typename V>
void Fields(input::EndAsked& in, V&& v) {
  v("tool_call_id", in.tool_call_id);
  v("reason", in.reason);
  v("arguments", in.arguments);
}
template <typename V>
void Fields(input::DtmfAsked& in, V&& v) {
  v("tool_call_id", in.tool_call_id);
  v("digits", in.digits);
  v("arguments", in.arguments);
}
template <typename V>
void Fields(input::ToolAsked& in, V&& v) {
  v("tool_call_id", in.tool_call_id);
  v("name", in.name);
  v("arguments", in.arguments);
}
template <typename V>
void Fields(input::ToolFinished& in, V&& v) {
  v("tool_call_id", in.tool_call_id);
  v("ok", in.ok);
  v("output", in.output);
}
template <typename V>
void Fields(input::CallerVoice& in, V&& v) {
  v("voiced", in.voiced);
  v("ms", in.ms);
}
template <typename V>
void Fields(input::BeepHeard&, V&&) {}
template <typename V>
void Fields(input::MachineDetected& in, V&& v) {
  v("detail", in.detail);
}
template <typename V>
void Fields(input::TransferCancelRequested& in, V&& v) {
  v("transfer_id", in.transfer_id);
}
template <typename V>
void Fields(input::ToolRefused& in, V&& v) {
  v("tool_call_id", in.tool_call_id);
  v("name", in.name);
  v("problem", in.problem);
}
template <typename V>
void Fields(input::SummaryMade& in, V&& v) {
  v("text", in.text);
}
template <typename V>
void Fields(input::SummaryUnavailable& in, V&& v) {
  v("detail", in.detail);
}
template <typename V>
void Fields(input::ModelError& in, V&& v) {
  v("code", in.code);
  v("message", in.message);
  v("fatal", in.fatal);
  v("reason", in.reason);
}
template <typename V>
void Fields(input::ModelClosed& in, V&& v) {
  v("reason", in.reason);
  v("detail", in.detail);
}
template <typename V>
void Fields(input::TransferTaken& in, V&& v) {
  v("transfer_id", in.transfer_id);
}
template <typename V>
void Fields(input::TransferRefused& in, V&& v) {
  v("transfer_id", in.transfer_id);
  v("detail", in.detail);
}
template <typename V>
void Fields(input::TransferFetched& in, V&& v) {
  v("transfer_id", in.transfer_id);
  v("target", in.target);
}
template <typename V>
void Fields(input::HumanAnswered& in, V&& v) {
  v("transfer_id", in.transfer_id);
  v("target", in.target);
}
template <typename V>
void Fields(input::TransferDone& in, V&& v) {
  v("transfer_id", in.transfer_id);
  v("target", in.target);
  v("outcome", in.outcome);
  v("detail", in.detail);
}
template <typename V>
void Fields(input::EndRequested& in, V&& v) {
  v("reason", in.reason);
  v("detail", in.detail);
  v("goodbye", in.goodbye);
}
template <typename V>
void Fields(input::TransferRequested& in, V&& v) {
  v("transfer_id", in.transfer_id);
  v("destination", in.destination);
  v("reason", in.reason);
  v("number", in.number);
}
template <typename V>
void Fields(input::SayRequested& in, V&& v) {
  v("request_id", in.request_id);
  v("text", in.text);
  v("prompt", in.prompt);
  v("interrupt", in.interrupt);
  v("principal", in.principal);
}
template <typename V>
void Fields(input::ContextGiven& in, V&& v) {
  v("request_id", in.request_id);
  v("text", in.text);
  v("respond", in.respond);
  v("principal", in.principal);
}
template <typename V>
void Fields(input::InstructionsGiven& in, V&& v) {
  v("instructions", in.instructions);
  v("principal", in.principal);
}
template <typename V>
void Fields(input::DtmfRequested& in, V&& v) {
  v("request_id", in.request_id);
  v("digits", in.digits);
  v("principal", in.principal);
}
template <typename V>
void Fields(input::MuteRequested& in, V&& v) {
  v("caller_muted", in.caller_muted);
  v("assistant_muted", in.assistant_muted);
  v("principal", in.principal);
}
template <typename V>
void Fields(input::TakeoverRequested& in, V&& v) {
  v("reason", in.reason);
  v("principal", in.principal);
}
template <typename V>
void Fields(input::ReleaseRequested& in, V&& v) {
  v("context", in.context);
  v("respond", in.respond);
  v("principal", in.principal);
}
template <typename V>
void Fields(input::ToolResultGiven& in, V&& v) {
  v("tool_call_id", in.tool_call_id);
  v("ok", in.ok);
  v("output", in.output);
}
template <typename V>
void Fields(input::Tick&, V&&) {}
template <typename V>
void Fields(command::OpenModel&, V&&) {}
template <typename V>
void Fields(command::ConfigureModel& in, V&& v) {
  v("protect_greeting", in.protect_greeting);
}
template <typename V>
void Fields(command::ReleaseGreeting&, V&&) {}
template <typename V>
void Fields(command::RestoreConversation& in, V&& v) {
  for (command::HistoryItem& item : in.items) {
    v("role", item.role);
    v("item_id", item.item_id);
    v("text", item.text);
    v("tool_call_id", item.tool_call_id);
    v("name", item.name);
    v("arguments", item.arguments);
  }
}
template <typename V>
void Fields(command::RewriteItem& in, V&& v) {
  v("item_id", in.item_id);
  v("previous_item_id", in.previous_item_id);
  v("text", in.text);
}
template <typename V>
void Fields(command::AddCallerText& in, V&& v) {
  v("text", in.text);
}
template <typename V>
void Fields(command::RunTool& in, V&& v) {
  v("tool_call_id", in.tool_call_id);
  v("name", in.name);
  v("arguments", in.arguments);
}
template <typename V>
void Fields(command::SendDtmf& in, V&& v) {
  v("digits", in.digits);
}
template <typename V>
void Fields(command::AddSystemText& in, V&& v) {
  v("text", in.text);
}
template <typename V>
void Fields(command::CreateResponse& in, V&& v) {
  v("instructions", in.instructions);
  v("request_id", in.request_id);
}
template <typename V>
void Fields(command::SetInstructions& in, V&& v) {
  v("instructions", in.instructions);
}
template <typename V>
void Fields(command::LetAnswer& in, V&& v) {
  v("on", in.on);
}
template <typename V>
void Fields(command::CancelResponse& in, V&& v) {
  v("response_id", in.response_id);
}
template <typename V>
void Fields(command::TruncateItem& in, V&& v) {
  v("item_id", in.item_id);
  v("audio_end_ms", in.audio_end_ms);
}
template <typename V>
void Fields(command::DeleteItem& in, V&& v) {
  v("item_id", in.item_id);
}
template <typename V>
void Fields(command::AnswerTool& in, V&& v) {
  v("tool_call_id", in.tool_call_id);
  v("ok", in.ok);
  v("message", in.message);
}
template <typename V>
void Fields(command::RequestSummary&, V&&) {}
template <typename V>
void Fields(command::CloseModel&, V&&) {}
template <typename V>
void Fields(command::SendCheckpoint& in, V&& v) {
  v("number", in.number);
}
template <typename V>
void Fields(command::ClearAudio&, V&&) {}
template <typename V>
void Fields(command::CloseStream&, V&&) {}
template <typename V>
void Fields(command::TransferCarrier& in, V&& v) {
  v("transfer_id", in.transfer_id);
}
template <typename V>
void Fields(command::HangUpCarrier&, V&&) {}
template <typename V>
void Fields(command::NextStep& in, V&& v) {
  v("kind", in.kind);
  v("transfer_id", in.transfer_id);
  for (command::NextStep::Target& target : in.targets) {
    int64_t ring_ms = absl::ToInt64Milliseconds(target.ring_time);
    v("number", target.number);
    v("ring_ms", ring_ms);
  }
  if (in.first_target > 0) v("first_target", in.first_target);
  v("whisper", in.whisper);
  v("confirm_key", in.confirm_key);
}
template <typename V>
void Fields(command::SaveTranscript& in, V&& v) {
  v("transcript", in.transcript);
}
template <typename V>
void Fields(command::Finished&, V&&) {}
template <typename V>
void Fields(command::SaveItem& in, V&& v) {
  v("item_id", in.item.item_id);
  v("position", in.item.position);
  v("role", in.item.role);
  v("status", in.item.status);
  v("text", in.item.text_generated);
  if (in.item.generated_ms == 0) return;
  v("heard", in.item.text_heard);
  v("generated_ms", in.item.generated_ms);
  v("heard_ms", in.item.heard_ms);
  v("basis", in.item.basis);
}

// In the order of Input's and Command's alternatives.
constexpr absl::string_view kInputNames[] = {
    "dial_accepted",
    "dial_refused",
    "dial_unknown",
    "rang",
    "answered",
    "hung_up",
    "stream_opened",
    "stream_closed",
    "caller_audio",
    "checkpoint_played",
    "audio_cleared",
    "dtmf",
    "model_created",
    "model_configured",
    "response_started",
    "item_added",
    "model_audio",
    "model_audio_done",
    "assistant_text",
    "assistant_text_done",
    "response_ended",
    "speech_started",
    "speech_stopped",
    "turn_committed",
    "caller_text",
    "caller_text_failed",
    "transfer_asked",
    "end_asked",
    "dtmf_asked",
    "tool_asked",
    "tool_finished",
    "tool_refused",
    "summary_made",
    "summary_unavailable",
    "model_error",
    "model_closed",
    "caller_voice",
    "beep_heard",
    "machine_detected",
    "transfer_taken",
    "transfer_refused",
    "transfer_fetched",
    "human_answered",
    "transfer_done",
    "end_requested",
    "transfer_requested",
    "transfer_cancel_requested",
    "say_requested",
    "context_given",
    "instructions_given",
    "dtmf_requested",
    "mute_requested",
    "takeover_requested",
    "release_requested",
    "tool_result_given",
    "tick",
};
static_assert(std::size(kInputNames) == std::variant_size_v<input::Input>, "each input has its name");
constexpr absl::string_view kCommandNames[] = {
    "open_model",       "configure_model", "release_greeting", "restore_conversation", "rewrite_item",
    "add_system_text",  "add_caller_text", "create_response",  "cancel_response",      "truncate_item",
    "delete_item",      "answer_tool",     "run_tool",         "request_summary",      "close_model",
    "send_checkpoint",  "clear_audio",     "send_dtmf",        "close_stream",         "transfer_carrier",
    "hang_up_carrier",  "next_step",       "save_item",        "save_transcript",      "finished",
    "set_instructions", "let_answer",
};
static_assert(std::size(kCommandNames) == std::variant_size_v<command::Command>, "each command has its name");
constexpr absl::string_view kStepNames[] = {"stream", "dial", "hang_up"};

// Writes " name=value" for each field that is not empty.
class Writer {
 public:
  explicit Writer(std::string& line) : line_(line) {}
  void operator()(absl::string_view name, const std::string& value) {
    if (!value.empty()) AppendText(absl::StrCat(" ", name), value, &line_);
  }
  void operator()(absl::string_view name, int64_t value) { absl::StrAppend(&line_, " ", name, "=", value); }
  void operator()(absl::string_view name, bool value) {
    absl::StrAppend(&line_, " ", name, "=", value ? "true" : "false");
  }
  void operator()(absl::string_view name, command::NextStep::Kind value) {
    absl::StrAppend(&line_, " ", name, "=", kStepNames[static_cast<int>(value)]);
  }
  template <typename Enum>
  void operator()(absl::string_view name, Enum value) {
    absl::StrAppend(&line_, " ", name, "=", Name(value));
  }

 private:
  std::string& line_;
};

using Pairs = std::map<std::string, std::string>;

// Takes each field's value out of the pairs; what is left over names no field.
class Reader {
 public:
  explicit Reader(Pairs pairs) : pairs_(std::move(pairs)) {}
  void operator()(absl::string_view name, std::string& value) { Take(name, &value); }
  void operator()(absl::string_view name, int64_t& value) {
    std::string text;
    if (Take(name, &text) && !absl::SimpleAtoi(text, &value)) problem_ = absl::StrCat(name, ": not a number");
  }
  void operator()(absl::string_view name, bool& value) {
    std::string text;
    if (!Take(name, &text)) return;
    value = text == "true";
    if (text != "true" && text != "false") problem_ = absl::StrCat(name, ": neither true nor false");
  }
  template <typename Enum>
  void operator()(absl::string_view name, Enum& value) {
    std::string text;
    if (Take(name, &text) && !Parse(text, &value)) problem_ = absl::StrCat(name, ": '", text, "' is none of its words");
  }
  absl::Status Result(absl::string_view what) const {
    if (!problem_.empty()) return absl::InvalidArgumentError(absl::StrCat(what, ": ", problem_));
    if (pairs_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(what, ": no field '", pairs_.begin()->first, "'"));
  }

 private:
  bool Take(absl::string_view name, std::string* value) {
    const auto found = pairs_.find(std::string(name));
    if (found == pairs_.end()) return false;
    *value = std::move(found->second);
    pairs_.erase(found);
    return true;
  }
  Pairs pairs_;
  std::string problem_;
};

absl::Status TakePair(absl::string_view& rest, Pairs& pairs) {
  std::string name;
  std::string value;
  if (auto status = TakeField(&rest, &name, &value); !status.ok()) return status;
  if (pairs.emplace(name, std::move(value)).second) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, ": given twice"));
}

template <size_t kIndex = 0>
absl::StatusOr<input::Input> ReadInput(size_t index, Pairs pairs) {
  if constexpr (kIndex < std::variant_size_v<input::Input>) {
    if (index != kIndex) return ReadInput<kIndex + 1>(index, std::move(pairs));
    std::variant_alternative_t<kIndex, input::Input> value;
    Reader reader(std::move(pairs));
    Fields(value, reader);
    if (auto status = reader.Result(kInputNames[kIndex]); !status.ok()) return status;
    return input::Input(std::move(value));
  } else {
    return absl::InternalError("no such alternative");
  }
}

template <typename Variant>
std::string Write(absl::string_view name, const Variant& value) {
  std::string line(name);
  // Fields() serves writing and reading, so it takes its value as mutable; a copy keeps the promise of const.
  Variant copy = value;
  std::visit([&line](auto& alternative) { Fields(alternative, Writer(line)); }, copy);
  return line;
}

}  // namespace

std::string FormatInput(const input::Input& input) { return Write(kInputNames[input.index()], input); }

std::string FormatCommand(const command::Command& command) { return Write(kCommandNames[command.index()], command); }

absl::StatusOr<input::Input> ParseInput(absl::string_view line) {
  absl::string_view rest = absl::StripAsciiWhitespace(line);
  const absl::string_view name = rest.substr(0, rest.find(' '));
  const auto* const found = std::find(std::begin(kInputNames), std::end(kInputNames), name);
  if (found == std::end(kInputNames)) return absl::InvalidArgumentError(absl::StrCat("no input is named '", name, "'"));
  rest.remove_prefix(name.size());
  Pairs pairs;
  while (!(rest = absl::StripLeadingAsciiWhitespace(rest)).empty()) {
    if (auto status = TakePair(rest, pairs); !status.ok()) return status;
  }
  return ReadInput(static_cast<size_t>(found - std::begin(kInputNames)), std::move(pairs));
}

}  // namespace callbridge::call
