#include "src/openai/session_config.h"

#include <algorithm>
#include <initializer_list>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace callbridge::openai {
namespace {

using Json = nlohmann::ordered_json;

// Far above any useful setting; keeps typing errors such as seconds times a million out.
constexpr int64_t kMaxVadMs = 10'000;

absl::Status Bad(absl::string_view field, absl::string_view right) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", right));
}

bool IsOneOf(absl::string_view value, std::initializer_list<absl::string_view> allowed) {
  return std::find(allowed.begin(), allowed.end(), value) != allowed.end();
}

// NaN is in no range.
bool InRange(double value, double low, double high) { return value >= low && value <= high; }

// The models that refuse a session.update with `reasoning`. "gpt-realtime-2025-08-28" is one, "gpt-realtime-2" is not.
bool RefusesReasoning(absl::string_view model) {
  return model == "gpt-realtime" || absl::StartsWith(model, "gpt-realtime-2025-") ||
         absl::StartsWith(model, "gpt-realtime-1.5") || absl::StartsWith(model, "gpt-realtime-mini") ||
         absl::StartsWith(model, "gpt-4o");
}

bool IsOldTranscriptionModel(absl::string_view model) {
  return model == "whisper-1" || absl::StartsWith(model, "gpt-4o-");
}

bool IsToolName(absl::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-';
  });
}

bool IsLanguage(absl::string_view code) {
  return (code.size() == 2 || code.size() == 3) &&
         std::all_of(code.begin(), code.end(), [](unsigned char c) { return absl::ascii_islower(c); });
}

bool IsEffort(absl::string_view effort) { return IsOneOf(effort, {"minimal", "low", "medium", "high", "xhigh"}); }

// --- Validation, one struct each ---

absl::Status Validate(const ServerVad& vad) {
  if (!InRange(vad.threshold, 0, 1)) return Bad("turn_detection.threshold", "must be from 0 to 1");
  if (!InRange(vad.prefix_padding_ms, 0, kMaxVadMs))
    return Bad("turn_detection.prefix_padding_ms", "must be from 0 to 10000");
  if (!InRange(vad.silence_duration_ms, 1, kMaxVadMs))
    return Bad("turn_detection.silence_duration_ms", "must be from 1 to 10000");
  if (vad.idle_timeout_ms && !InRange(*vad.idle_timeout_ms, 5000, 30000)) {
    return Bad("turn_detection.idle_timeout_ms", "must be from 5000 to 30000, or absent");
  }
  return absl::OkStatus();
}

absl::Status Validate(const SemanticVad& vad) {
  if (IsOneOf(vad.eagerness, {"low", "medium", "high", "auto"})) return absl::OkStatus();
  return Bad("turn_detection.eagerness", "must be low, medium, high or auto");
}

absl::Status Validate(const ManualTurns&) { return absl::OkStatus(); }

absl::Status Validate(const Transcription& transcription) {
  const std::string& model = transcription.model;
  const bool old = IsOldTranscriptionModel(model);
  if (model.empty())
    return Bad("transcription.model", absl::StrCat("must be a model's name, such as ", kDefaultTranscriptionModel));
  if (!transcription.language.empty() && !IsLanguage(transcription.language)) {
    return Bad("transcription.language", "must be an ISO 639 code in lower case, such as en");
  }
  if (!std::all_of(transcription.languages.begin(), transcription.languages.end(), IsLanguage)) {
    return Bad("transcription.languages", "must be ISO 639 codes in lower case, such as en");
  }
  const bool takes_lists = !old && model != "gpt-realtime-whisper";
  if (!transcription.languages.empty() && !takes_lists)
    return Bad("transcription.languages", absl::StrCat(model, " takes one language only"));
  if (!transcription.keywords.empty() && !takes_lists)
    return Bad("transcription.keywords", absl::StrCat(model, " takes no keywords"));
  if (!transcription.prompt.empty() && model == "gpt-realtime-whisper") {
    return Bad("transcription.prompt", "gpt-realtime-whisper takes no prompt");
  }
  if (transcription.delay.empty()) return absl::OkStatus();
  if (!IsEffort(transcription.delay)) return Bad("transcription.delay", "must be minimal, low, medium, high or xhigh");
  if (old || model == "gpt-transcribe") return Bad("transcription.delay", absl::StrCat(model, " has no delay to set"));
  return absl::OkStatus();
}

// The schema as JSON; a discarded value if it is not an object of type "object".
Json ToolParameters(absl::string_view json) {
  if (json.empty()) return Json{{"type", "object"}, {"properties", Json::object()}};
  Json parsed = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  const bool good = parsed.is_object() && parsed.contains("type") && parsed["type"] == "object";
  return good ? parsed : Json(nlohmann::detail::value_t::discarded);
}

absl::Status ValidateTools(const SessionConfig& config) {
  std::set<absl::string_view> names;
  for (const Tool& tool : config.tools) {
    const std::string field = absl::StrCat("tools[", names.size(), "]");
    if (!IsToolName(tool.name)) return Bad(absl::StrCat(field, ".name"), "must be 1 to 64 letters, digits, _ or -");
    if (const absl::Status parameters = CheckToolParameters(tool.parameters_json); !parameters.ok()) {
      return Bad(absl::StrCat(field, ".parameters_json"), parameters.message());
    }
    if (!names.insert(tool.name).second)
      return Bad(absl::StrCat(field, ".name"), absl::StrCat(tool.name, " is there twice"));
  }
  if (IsOneOf(config.tool_choice, {"auto", "none", "required"}) || names.count(config.tool_choice) > 0)
    return absl::OkStatus();
  return Bad("tool_choice", "must be auto, none, required, or the name of one of the tools");
}

absl::Status Validate(const Truncation& truncation) {
  if (truncation.kind != Truncation::Kind::kRetentionRatio) return absl::OkStatus();
  if (!(truncation.retention_ratio > 0 && truncation.retention_ratio <= 1)) {
    return Bad("truncation.retention_ratio", "must be above 0 and up to 1");
  }
  if (truncation.post_instructions_tokens < 0)
    return Bad("truncation.post_instructions_tokens", "must not be negative");
  return absl::OkStatus();
}

// --- Formatting ---

Json ToJson(const ServerVad& vad) {
  Json json{{"type", "server_vad"},
            {"threshold", vad.threshold},
            {"prefix_padding_ms", vad.prefix_padding_ms},
            {"silence_duration_ms", vad.silence_duration_ms},
            {"create_response", vad.create_response},
            {"interrupt_response", vad.interrupt_response}};
  if (vad.idle_timeout_ms) json["idle_timeout_ms"] = *vad.idle_timeout_ms;
  return json;
}

Json ToJson(const SemanticVad& vad) {
  return Json{{"type", "semantic_vad"},
              {"eagerness", vad.eagerness},
              {"create_response", vad.create_response},
              {"interrupt_response", vad.interrupt_response}};
}

Json ToJson(const ManualTurns&) { return nullptr; }

Json ToJson(const TurnDetection& turns) {
  return std::visit([](const auto& kind) { return ToJson(kind); }, turns);
}

Json ToJson(const std::optional<Transcription>& transcription) {
  if (!transcription) return nullptr;
  Json json{{"model", transcription->model}};
  if (!transcription->language.empty()) json["language"] = transcription->language;
  if (!transcription->languages.empty()) json["languages"] = transcription->languages;
  if (!transcription->keywords.empty()) json["keywords"] = transcription->keywords;
  if (!transcription->prompt.empty()) json["prompt"] = transcription->prompt;
  if (!transcription->delay.empty()) json["delay"] = transcription->delay;
  return json;
}

Json ToJson(const Truncation& truncation) {
  if (truncation.kind == Truncation::Kind::kAuto) return "auto";
  if (truncation.kind == Truncation::Kind::kDisabled) return "disabled";
  Json json{{"type", "retention_ratio"}, {"retention_ratio", truncation.retention_ratio}};
  if (truncation.post_instructions_tokens > 0)
    json["token_limits"] = {{"post_instructions", truncation.post_instructions_tokens}};
  return json;
}

Json ToolsJson(const std::vector<Tool>& tools) {
  Json json = Json::array();
  for (const Tool& tool : tools) {
    json.push_back({{"type", "function"},
                    {"name", tool.name},
                    {"description", tool.description},
                    {"parameters", ToolParameters(tool.parameters_json)}});
  }
  return json;
}

Json ToolChoiceJson(const std::string& choice) {
  if (IsOneOf(choice, {"auto", "none", "required"})) return choice;
  return Json{{"type", "function"}, {"name", choice}};
}

// mu-law is 8 kHz by definition: the server refuses a `rate` beside it.
Json MuLaw() { return Json{{"type", "audio/pcmu"}}; }

Json AudioJson(const SessionConfig& config) {
  Json voice = config.voice;
  if (absl::StartsWith(config.voice, "voice_")) voice = Json{{"id", config.voice}};
  Json noise = nullptr;
  if (!config.noise_reduction.empty()) noise = Json{{"type", config.noise_reduction}};
  return Json{{"input",
               {{"format", MuLaw()},
                {"transcription", ToJson(config.transcription)},
                {"noise_reduction", noise},
                {"turn_detection", ToJson(config.turn_detection)}}},
              {"output", {{"format", MuLaw()}, {"voice", voice}, {"speed", config.speed}}}};
}

std::string SessionUpdate(Json session, absl::string_view event_id) {
  Json event{{"type", "session.update"}};
  if (!event_id.empty()) event["event_id"] = std::string(event_id);
  event["session"] = std::move(session);
  // Texts from a config file may hold broken UTF-8: one strange character is better than no session.
  return event.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// --- Confirmation ---

absl::Status Differs(absl::string_view field, absl::string_view wanted, absl::string_view got) {
  return absl::FailedPreconditionError(
      absl::StrCat("the session's ", field, " is \"", got, "\" and not \"", wanted, "\""));
}

absl::Status ConfirmTurns(absl::string_view wanted, bool create, bool interrupt, const EffectiveTurnDetection& got) {
  if (got.type != wanted) return Differs("turn_detection.type", wanted, got.type);
  if (got.create_response.value_or(create) != create)
    return Differs("turn_detection.create_response", create ? "true" : "false", create ? "false" : "true");
  if (got.interrupt_response.value_or(interrupt) != interrupt) {
    return Differs("turn_detection.interrupt_response", interrupt ? "true" : "false", interrupt ? "false" : "true");
  }
  return absl::OkStatus();
}

absl::Status Confirm(const ServerVad& vad, const EffectiveTurnDetection& got) {
  return ConfirmTurns("server_vad", vad.create_response, vad.interrupt_response, got);
}
absl::Status Confirm(const SemanticVad& vad, const EffectiveTurnDetection& got) {
  return ConfirmTurns("semantic_vad", vad.create_response, vad.interrupt_response, got);
}
absl::Status Confirm(const ManualTurns&, const EffectiveTurnDetection& got) {
  return got.type.empty() ? absl::OkStatus() : Differs("turn_detection.type", "", got.type);
}

absl::Status ConfirmTools(const std::vector<Tool>& wanted, const std::vector<std::string>& got) {
  for (const Tool& tool : wanted) {
    if (std::find(got.begin(), got.end(), tool.name) == got.end()) {
      return absl::FailedPreconditionError(absl::StrCat("the session has no tool \"", tool.name, "\""));
    }
  }
  return absl::OkStatus();
}

// Turns that the server detects can do without it; those by hand never had it.
struct StopInterrupting {
  void operator()(ServerVad& vad) const { vad.interrupt_response = false; }
  void operator()(SemanticVad& vad) const { vad.interrupt_response = false; }
  void operator()(ManualTurns&) const {}
};

struct StopAnswering {
  void operator()(ServerVad& vad) const { vad.create_response = false; }
  void operator()(SemanticVad& vad) const { vad.create_response = false; }
  void operator()(ManualTurns&) const {}
};

}  // namespace

TurnDetection WithoutInterruption(TurnDetection turn_detection) {
  std::visit(StopInterrupting(), turn_detection);
  return turn_detection;
}

TurnDetection WithoutAnswers(TurnDetection turn_detection) {
  std::visit(StopAnswering(), turn_detection);
  return turn_detection;
}

absl::Status ValidateSessionConfig(const SessionConfig& config) {
  if (config.model.empty()) return Bad("model", absl::StrCat("must be a model's name, such as ", kDefaultModel));
  if (config.voice.empty()) return Bad("voice", "must be a voice's name, such as shimmer");
  if (!InRange(config.speed, 0.25, 1.5)) return Bad("speed", "must be from 0.25 to 1.5");
  if (!InRange(config.max_output_tokens, 0, 4096))
    return Bad("max_output_tokens", "must be from 1 to 4096, or 0 for no limit");
  if (!IsOneOf(config.noise_reduction, {"", "near_field", "far_field"})) {
    return Bad("noise_reduction", "must be near_field or far_field, or empty for none");
  }
  if (!config.reasoning_effort.empty()) {
    if (!IsEffort(config.reasoning_effort))
      return Bad("reasoning_effort", "must be minimal, low, medium, high or xhigh");
    if (RefusesReasoning(config.model))
      return Bad("reasoning_effort", absl::StrCat(config.model, " is not a reasoning model"));
  }
  if (config.parallel_tool_calls && RefusesReasoning(config.model)) {
    return Bad("parallel_tool_calls", absl::StrCat(config.model, " is not a reasoning model"));
  }
  absl::Status turns = std::visit([](const auto& kind) { return Validate(kind); }, config.turn_detection);
  if (!turns.ok()) return turns;
  if (config.transcription) {
    absl::Status transcription = Validate(*config.transcription);
    if (!transcription.ok()) return transcription;
  }
  const absl::Status tools = ValidateTools(config);
  return tools.ok() ? Validate(config.truncation) : tools;
}

absl::Status CheckToolParameters(absl::string_view json) {
  if (!ToolParameters(json).is_discarded()) return absl::OkStatus();
  return absl::InvalidArgumentError("must be a JSON object with \"type\": \"object\"");
}

absl::string_view ModelNotice(absl::string_view model) {
  if (model == "gpt-realtime" || absl::StartsWith(model, "gpt-realtime-2025-")) {
    return "OpenAI shuts this model down on 2027-01-20; gpt-realtime-2.1 takes its place";
  }
  if (absl::StartsWith(model, "gpt-realtime-mini")) {
    return "OpenAI shuts this model down on 2027-01-20; gpt-realtime-2.1-mini takes its place";
  }
  if (absl::StartsWith(model, "gpt-4o")) return "OpenAI shut this model down on 2026-05-07; use gpt-realtime-2.1";
  if (absl::StartsWith(model, "gpt-realtime-translate") || absl::StartsWith(model, "gpt-realtime-whisper") ||
      absl::StartsWith(model, "gpt-live") || absl::StartsWith(model, "gpt-audio")) {
    return "this model does not hold conversations over the Realtime API; use gpt-realtime-2.1";
  }
  return "";
}

absl::string_view TranscriptionModelNotice(absl::string_view model) {
  if (!IsOldTranscriptionModel(model)) return "";
  return "OpenAI shuts this transcription model down on 2027-02-26; use gpt-realtime-whisper or gpt-transcribe";
}

std::string FormatSessionUpdate(const SessionConfig& config, absl::string_view event_id) {
  Json session{{"type", "realtime"},
               {"output_modalities", Json::array({config.text_only ? "text" : "audio"})},
               {"instructions", config.instructions}};
  session["audio"] = AudioJson(config);
  session["tools"] = ToolsJson(config.tools);
  session["tool_choice"] = ToolChoiceJson(config.tool_choice);
  if (config.max_output_tokens > 0) {
    session["max_output_tokens"] = config.max_output_tokens;
  } else {
    session["max_output_tokens"] = "inf";
  }
  session["truncation"] = ToJson(config.truncation);
  // Models without reasoning refuse the whole update when they see either of these.
  if (!config.reasoning_effort.empty()) session["reasoning"] = Json{{"effort", config.reasoning_effort}};
  if (config.parallel_tool_calls) session["parallel_tool_calls"] = *config.parallel_tool_calls;
  return SessionUpdate(std::move(session), event_id);
}

std::string FormatTurnDetectionUpdate(const TurnDetection& turn_detection, absl::string_view event_id) {
  Json session{{"type", "realtime"}};
  session["audio"]["input"]["turn_detection"] = ToJson(turn_detection);
  return SessionUpdate(std::move(session), event_id);
}

std::string FormatInstructionsUpdate(absl::string_view instructions, absl::string_view event_id) {
  return SessionUpdate(Json{{"type", "realtime"}, {"instructions", std::string(instructions)}}, event_id);
}

absl::Status ConfirmSession(const SessionConfig& config, const EffectiveSession& effective) {
  const std::string& input = effective.input_format.type;
  const std::string& output = effective.output_format.type;
  if (input != "audio/pcmu") return Differs("audio.input.format", "audio/pcmu", input);
  if (output != "audio/pcmu" && !config.text_only) return Differs("audio.output.format", "audio/pcmu", output);
  if (effective.tells_turn_detection) {
    auto turns =
        std::visit([&](const auto& kind) { return Confirm(kind, effective.turn_detection); }, config.turn_detection);
    if (!turns.ok()) return turns;
  }
  if (effective.tells_transcription && config.transcription && effective.transcription_model.empty()) {
    return Differs("audio.input.transcription.model", config.transcription->model, "");
  }
  return effective.tells_tools ? ConfirmTools(config.tools, effective.tool_names) : absl::OkStatus();
}

}  // namespace callbridge::openai
