#include "src/openai/server_event.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/numeric/bits.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "simdjson.h"
#include "src/audio/base64_check.h"
#include "src/openai/json_fields.h"

namespace callbridge::openai {
namespace {

constexpr size_t kKeepBytes = 1 << 20;
constexpr size_t kSmallestBuffer = 16 << 10;

bool IsAudioDelta(absl::string_view type) {
  return type == "response.output_audio.delta" || type == "response.audio.delta";
}

// One event on its way into a value. Remembers the first key that should have been there.
class EventReader {
 public:
  EventReader(absl::string_view type, JsonFields root) : root(root), type(type) {}

  std::string Require(const JsonFields& fields, absl::string_view key, absl::string_view path = "") {
    if (!fields.HasString(key) && missing_.empty()) missing_ = absl::StrCat(path, key, ": must be a string");
    return fields.String(key);
  }
  std::string Require(absl::string_view key) { return Require(root, key); }

  JsonFields RequireObject(absl::string_view key) {
    JsonFields fields = root.Object(key);
    if (!fields.is_object() && missing_.empty()) missing_ = absl::StrCat(key, ": must be an object");
    return fields;
  }

  absl::Status status() const {
    return missing_.empty() ? absl::OkStatus() : absl::InvalidArgumentError(absl::StrCat(type, ": ", missing_));
  }

  const JsonFields root;
  const absl::string_view type;

 private:
  std::string missing_;
};

// --- Shared values ---

ItemType ToItemType(absl::string_view type) {
  if (type == "message") return ItemType::kMessage;
  if (type == "function_call") return ItemType::kFunctionCall;
  if (type == "function_call_output") return ItemType::kFunctionCallOutput;
  return ItemType::kOther;
}

Role ToRole(absl::string_view role) {
  if (role == "system") return Role::kSystem;
  if (role == "user") return Role::kUser;
  if (role == "assistant") return Role::kAssistant;
  return Role::kNone;
}

ItemStatus ToItemStatus(absl::string_view status) {
  if (status == "in_progress") return ItemStatus::kInProgress;
  if (status == "completed") return ItemStatus::kCompleted;
  if (status == "incomplete") return ItemStatus::kIncomplete;
  return ItemStatus::kNone;
}

ResponseStatus ToResponseStatus(absl::string_view status) {
  if (status == "completed") return ResponseStatus::kCompleted;
  // Some beta-era servers and clients spell it the American way.
  if (status == "cancelled" || status == "canceled") return ResponseStatus::kCancelled;
  if (status == "incomplete") return ResponseStatus::kIncomplete;
  if (status == "failed") return ResponseStatus::kFailed;
  if (status == "in_progress") return ResponseStatus::kInProgress;
  return ResponseStatus::kUnknown;
}

// A content part's words: `text` of text parts, `transcript` of audio parts.
std::string PartText(const JsonFields& part) {
  return part.HasString("text") ? part.String("text") : part.String("transcript");
}

Item ToItem(const JsonFields& fields) {
  Item item;
  item.id = fields.String("id");
  item.type = ToItemType(fields.String("type"));
  item.role = ToRole(fields.String("role"));
  item.status = ToItemStatus(fields.String("status"));
  item.phase = fields.String("phase");
  for (const JsonFields& part : fields.Objects("content")) {
    if (absl::StrContains(part.String("type"), "audio")) item.has_audio = true;
    const std::string text = PartText(part);
    if (!text.empty()) absl::StrAppend(&item.text, item.text.empty() ? "" : "\n", text);
  }
  item.call_id = fields.String("call_id");
  item.name = fields.String("name");
  item.arguments = fields.String("arguments");
  item.output = fields.String("output");
  return item;
}

Item RequireItem(EventReader& in) {
  const JsonFields fields = in.RequireObject("item");
  in.Require(fields, "id", "item.");
  return ToItem(fields);
}

Usage ToUsage(const JsonFields& fields) {
  const JsonFields input = fields.Object("input_token_details");
  const JsonFields cached = input.Object("cached_tokens_details");
  const JsonFields output = fields.Object("output_token_details");
  Usage usage;
  usage.total = fields.Int("total_tokens");
  usage.input = fields.Int("input_tokens");
  usage.output = fields.Int("output_tokens");
  usage.input_text = input.Int("text_tokens");
  usage.input_audio = input.Int("audio_tokens");
  usage.input_image = input.Int("image_tokens");
  usage.cached = input.Int("cached_tokens");
  usage.cached_text = cached.Int("text_tokens");
  usage.cached_audio = cached.Int("audio_tokens");
  usage.cached_image = cached.Int("image_tokens");
  usage.output_text = output.Int("text_tokens");
  usage.output_audio = output.Int("audio_tokens");
  usage.reasoning = output.Int("reasoning_tokens");
  return usage;
}

TranscriptionUsage ToTranscriptionUsage(const JsonFields& fields) {
  TranscriptionUsage usage;
  const std::string type = fields.String("type");
  if (type == "tokens") usage.kind = TranscriptionUsage::Kind::kTokens;
  if (type == "duration") usage.kind = TranscriptionUsage::Kind::kDuration;
  const JsonFields input = fields.Object("input_token_details");
  usage.total_tokens = fields.Int("total_tokens");
  usage.input_tokens = fields.Int("input_tokens");
  usage.input_text_tokens = input.Int("text_tokens");
  usage.input_audio_tokens = input.Int("audio_tokens");
  usage.output_tokens = fields.Int("output_tokens");
  usage.seconds = fields.Double("seconds");
  return usage;
}

Metadata ToMetadata(const JsonFields& fields) {
  Metadata metadata;
  for (auto& [key, value] : fields.StringPairs()) metadata.emplace(std::move(key), std::move(value));
  return metadata;
}

std::optional<std::string> OptionalString(const JsonFields& fields, absl::string_view key) {
  if (!fields.HasString(key)) return std::nullopt;
  return fields.String(key);
}

// --- The session ---

// `session` is where the beta kept formats, by other names.
AudioFormat ToFormat(const JsonFields& direction, const JsonFields& session, absl::string_view beta_key) {
  const JsonFields format = direction.Object("format");
  if (format.is_object()) return {format.String("type"), format.Int("rate")};
  std::string beta = direction.HasString("format") ? direction.String("format") : session.String(beta_key);
  if (beta == "g711_ulaw") return {"audio/pcmu", 0};
  if (beta == "g711_alaw") return {"audio/pcma", 0};
  if (beta == "pcm16") return {"audio/pcm", 24000};
  return {std::move(beta), 0};
}

// The object `key` where GA keeps it, or else under the beta's name at the top of the session.
JsonFields GaOrBeta(const JsonFields& ga, absl::string_view ga_key, const JsonFields& session,
                    absl::string_view beta_key) {
  const JsonFields fields = ga.Object(ga_key);
  return fields.is_object() ? fields : session.Object(beta_key);
}

EffectiveTurnDetection ToTurnDetection(const JsonFields& fields) {
  EffectiveTurnDetection turns;
  turns.type = fields.String("type");
  turns.threshold = fields.Double("threshold");
  turns.prefix_padding_ms = fields.Int("prefix_padding_ms");
  turns.silence_duration_ms = fields.Int("silence_duration_ms");
  turns.idle_timeout_ms = fields.Int("idle_timeout_ms");
  turns.create_response = fields.Bool("create_response");
  turns.interrupt_response = fields.Bool("interrupt_response");
  turns.eagerness = fields.String("eagerness");
  return turns;
}

std::string ToVoice(const JsonFields& holder) {
  return holder.HasString("voice") ? holder.String("voice") : holder.Object("voice").String("id");
}

EffectiveSession RequireSession(EventReader& in) {
  const JsonFields fields = in.RequireObject("session");
  const JsonFields audio = fields.Object("audio");
  const JsonFields input = audio.Object("input");
  const JsonFields output = audio.Object("output");
  const JsonFields transcription = GaOrBeta(input, "transcription", fields, "input_audio_transcription");
  EffectiveSession session;
  session.id = fields.String("id");
  session.model = fields.String("model");
  session.expires_at_s = fields.Int("expires_at");
  session.voice = output.is_object() ? ToVoice(output) : ToVoice(fields);
  session.input_format = ToFormat(input, fields, "input_audio_format");
  session.output_format = ToFormat(output, fields, "output_audio_format");
  session.output_modalities = fields.Strings("output_modalities");
  if (session.output_modalities.empty()) session.output_modalities = fields.Strings("modalities");
  session.instructions = fields.String("instructions");
  session.transcription_model = transcription.String("model");
  session.transcription_language = transcription.String("language");
  session.noise_reduction = GaOrBeta(input, "noise_reduction", fields, "input_audio_noise_reduction").String("type");
  session.turn_detection = ToTurnDetection(GaOrBeta(input, "turn_detection", fields, "turn_detection"));
  for (const JsonFields& tool : fields.Objects("tools")) session.tool_names.push_back(tool.String("name"));
  session.speed = output.is_object() ? output.Double("speed") : fields.Double("speed");
  session.max_output_tokens = fields.Int("max_output_tokens", fields.Int("max_response_output_tokens"));
  session.tells_turn_detection = input.Has("turn_detection") || fields.Has("turn_detection");
  session.tells_transcription = input.Has("transcription") || fields.Has("input_audio_transcription");
  session.tells_tools = fields.Has("tools");
  return session;
}

// --- One function per event that is more than its fields ---

ServerEvent ReadUserTranscriptFailed(EventReader& in) {
  const JsonFields error = in.root.Object("error");
  return UserTranscriptFailed{in.Require("item_id"), in.root.Int("content_index"), error.String("type"),
                              error.String("code"), error.String("message")};
}

ServerEvent ReadResponseCreated(EventReader& in) {
  const JsonFields response = in.RequireObject("response");
  return ResponseCreated{in.Require(response, "id", "response."), OptionalString(response, "conversation_id"),
                         ToMetadata(response.Object("metadata"))};
}

ServerEvent ReadResponseDone(EventReader& in) {
  const JsonFields response = in.RequireObject("response");
  const JsonFields details = response.Object("status_details");
  const JsonFields error = details.Object("error");
  ResponseDone done;
  done.response_id = in.Require(response, "id", "response.");
  done.conversation_id = OptionalString(response, "conversation_id");
  done.status = ToResponseStatus(response.String("status"));
  done.reason = details.String("reason");
  done.error_type = error.String("type");
  done.error_code = error.String("code");
  done.error_message = error.String("message");
  for (const JsonFields& item : response.Objects("output")) done.output.push_back(ToItem(item));
  done.usage = ToUsage(response.Object("usage"));
  done.metadata = ToMetadata(response.Object("metadata"));
  return done;
}

ServerEvent ReadRateLimits(EventReader& in) {
  RateLimits limits;
  for (const JsonFields& limit : in.root.Objects("rate_limits")) {
    limits.limits.push_back(
        {limit.String("name"), limit.Int("limit"), limit.Int("remaining"), limit.Double("reset_seconds")});
  }
  return limits;
}

// Never refused: an error without details is still an error.
ServerEvent ReadError(EventReader& in) {
  const JsonFields error = in.root.Object("error");
  if (!error.is_object()) return Error{"", in.root.String("code"), in.root.String("message"), "", ""};
  return Error{error.String("type"), error.String("code"), error.String("message"), error.String("param"),
               error.String("event_id")};
}

template <typename Part>
ServerEvent ReadContentPart(EventReader& in) {
  const JsonFields part = in.root.Object("part");
  return Part{in.root.String("response_id"), in.Require("item_id"), in.root.Int("content_index"), part.String("type"),
              PartText(part)};
}

// The assistant's words: `key` is where the event keeps them.
template <typename Words>
ServerEvent ReadWords(EventReader& in, absl::string_view key) {
  return Words{in.root.String("response_id"), in.Require("item_id"), in.root.Int("content_index"), in.Require(key)};
}

ServerEvent ReadFunctionArgumentsDone(EventReader& in) {
  return FunctionArgumentsDone{in.root.String("response_id"), in.root.String("item_id"), in.Require("call_id"),
                               in.root.String("name"), in.Require("arguments")};
}

ServerEvent ReadMcp(EventReader& in) { return McpProgress{std::string(in.type), in.root.String("item_id")}; }

ServerEvent ReadOutputAudioBuffer(EventReader& in) {
  return OutputAudioBuffer{std::string(in.type), in.root.String("response_id")};
}

using Read = ServerEvent (*)(EventReader&);

// Evaluation inside braces is in order, so a key missing early is the one reported.
const std::map<absl::string_view, Read>& Readers() {
  static const auto& readers = *new std::map<absl::string_view, Read>{
      {"session.created", [](EventReader& in) -> ServerEvent { return SessionCreated{RequireSession(in)}; }},
      {"session.updated", [](EventReader& in) -> ServerEvent { return SessionUpdated{RequireSession(in)}; }},
      {"conversation.created",
       [](EventReader& in) -> ServerEvent { return ConversationCreated{in.root.Object("conversation").String("id")}; }},
      // The bridge must stop talking when the caller speaks, so nothing else is asked of these two.
      {"input_audio_buffer.speech_started",
       [](EventReader& in) -> ServerEvent {
         return SpeechStarted{in.root.String("item_id"), in.root.Int("audio_start_ms")};
       }},
      {"input_audio_buffer.speech_stopped",
       [](EventReader& in) -> ServerEvent {
         return SpeechStopped{in.root.String("item_id"), in.root.Int("audio_end_ms")};
       }},
      {"input_audio_buffer.committed",
       [](EventReader& in) -> ServerEvent {
         return BufferCommitted{in.Require("item_id"), in.root.String("previous_item_id")};
       }},
      {"input_audio_buffer.cleared", [](EventReader&) -> ServerEvent { return BufferCleared{}; }},
      {"input_audio_buffer.timeout_triggered",
       [](EventReader& in) -> ServerEvent {
         return TimeoutTriggered{in.root.String("item_id"), in.root.Int("audio_start_ms"), in.root.Int("audio_end_ms")};
       }},
      {"input_audio_buffer.dtmf_event_received",
       [](EventReader& in) -> ServerEvent {
         return DtmfReceived{in.root.String("event"), in.root.Int("received_at")};
       }},

      {"conversation.item.added",
       [](EventReader& in) -> ServerEvent {
         return ItemAdded{RequireItem(in), in.root.String("previous_item_id")};
       }},
      {"conversation.item.created",  // Beta.
       [](EventReader& in) -> ServerEvent {
         return ItemAdded{RequireItem(in), in.root.String("previous_item_id")};
       }},
      {"conversation.item.done",
       [](EventReader& in) -> ServerEvent {
         return ItemDone{RequireItem(in), in.root.String("previous_item_id")};
       }},
      {"conversation.item.retrieved", [](EventReader& in) -> ServerEvent { return ItemRetrieved{RequireItem(in)}; }},
      {"conversation.item.deleted", [](EventReader& in) -> ServerEvent { return ItemDeleted{in.Require("item_id")}; }},
      {"conversation.item.truncated",
       [](EventReader& in) -> ServerEvent {
         return ItemTruncated{in.Require("item_id"), in.root.Int("content_index"), in.root.Int("audio_end_ms")};
       }},

      {"conversation.item.input_audio_transcription.delta",
       [](EventReader& in) -> ServerEvent {
         return UserTranscriptDelta{in.Require("item_id"), in.root.Int("content_index"), in.root.String("delta")};
       }},
      {"conversation.item.input_audio_transcription.completed",
       [](EventReader& in) -> ServerEvent {
         return UserTranscriptCompleted{in.Require("item_id"), in.root.Int("content_index"),
                                        in.root.String("transcript"), ToTranscriptionUsage(in.root.Object("usage"))};
       }},
      {"conversation.item.input_audio_transcription.failed", ReadUserTranscriptFailed},
      {"conversation.item.input_audio_transcription.segment",
       [](EventReader& in) -> ServerEvent {
         return UserTranscriptSegment{in.Require("item_id"), in.root.String("text"), in.root.String("speaker"),
                                      in.root.Double("start"), in.root.Double("end")};
       }},

      {"response.created", ReadResponseCreated},
      {"response.done", ReadResponseDone},
      {"response.output_item.added",
       [](EventReader& in) -> ServerEvent {
         return OutputItemAdded{in.root.String("response_id"), in.root.Int("output_index"), RequireItem(in)};
       }},
      {"response.output_item.done",
       [](EventReader& in) -> ServerEvent {
         return OutputItemDone{in.root.String("response_id"), in.root.Int("output_index"), RequireItem(in)};
       }},
      {"response.content_part.added", ReadContentPart<ContentPartAdded>},
      {"response.content_part.done", ReadContentPart<ContentPartDone>},

      // Each under its GA name, then the beta's.
      {"response.output_audio.done",
       [](EventReader& in) -> ServerEvent {
         return AudioDone{in.root.String("response_id"), in.Require("item_id"), in.root.Int("content_index")};
       }},
      {"response.audio.done",
       [](EventReader& in) -> ServerEvent {
         return AudioDone{in.root.String("response_id"), in.Require("item_id"), in.root.Int("content_index")};
       }},
      {"response.output_audio_transcript.delta",
       [](EventReader& in) { return ReadWords<TranscriptDelta>(in, "delta"); }},
      {"response.audio_transcript.delta", [](EventReader& in) { return ReadWords<TranscriptDelta>(in, "delta"); }},
      {"response.output_audio_transcript.done",
       [](EventReader& in) { return ReadWords<TranscriptDone>(in, "transcript"); }},
      {"response.audio_transcript.done", [](EventReader& in) { return ReadWords<TranscriptDone>(in, "transcript"); }},
      {"response.output_text.delta", [](EventReader& in) { return ReadWords<TextDelta>(in, "delta"); }},
      {"response.text.delta", [](EventReader& in) { return ReadWords<TextDelta>(in, "delta"); }},
      {"response.output_text.done", [](EventReader& in) { return ReadWords<TextDone>(in, "text"); }},
      {"response.text.done", [](EventReader& in) { return ReadWords<TextDone>(in, "text"); }},

      {"response.function_call_arguments.delta",
       [](EventReader& in) -> ServerEvent {
         return FunctionArgumentsDelta{in.root.String("response_id"), in.root.String("item_id"),
                                       in.root.String("call_id"), in.Require("delta")};
       }},
      {"response.function_call_arguments.done", ReadFunctionArgumentsDone},

      {"rate_limits.updated", ReadRateLimits},
      {"error", ReadError},
      {"mcp_list_tools.in_progress", ReadMcp},
      {"mcp_list_tools.completed", ReadMcp},
      {"mcp_list_tools.failed", ReadMcp},
      {"response.mcp_call_arguments.delta", ReadMcp},
      {"response.mcp_call_arguments.done", ReadMcp},
      {"response.mcp_call.in_progress", ReadMcp},
      {"response.mcp_call.completed", ReadMcp},
      {"response.mcp_call.failed", ReadMcp},
      {"output_audio_buffer.started", ReadOutputAudioBuffer},
      {"output_audio_buffer.stopped", ReadOutputAudioBuffer},
      {"output_audio_buffer.cleared", ReadOutputAudioBuffer},
  };
  return readers;
}

// --- The hot path ---

// The top level of a message: the values that an audio delta is made of, as they stand in the text, quotes included.
struct TopLevel {
  absl::string_view type;
  absl::string_view response_id;
  absl::string_view item_id;
  absl::string_view content_index;
  absl::string_view delta;
};

absl::string_view* SlotOf(TopLevel& top, const simdjson::ondemand::raw_json_string& key) {
  if (key == "type") return &top.type;
  if (key == "delta") return &top.delta;
  if (key == "item_id") return &top.item_id;
  if (key == "response_id") return &top.response_id;
  if (key == "content_index") return &top.content_index;
  return nullptr;
}

absl::string_view StripSpace(std::string_view token) {
  while (!token.empty() &&
         (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t')) {
    token.remove_suffix(1);
  }
  return {token.data(), token.size()};
}

// What stands between the quotes, escapes as they are. False: not a string.
bool Unquote(absl::string_view token, absl::string_view& inside) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return false;
  inside = token.substr(1, token.size() - 2);
  return true;
}

// An id that can be viewed in place. An absent one is empty.
bool UnquoteId(absl::string_view token, absl::string_view& id) {
  if (token.empty() || token == "null") return true;
  return Unquote(token, id) && !absl::StrContains(id, '\\');
}

int64_t SmallNumber(absl::string_view token) {
  int64_t number = 0;
  for (const char c : token) {
    if (c < '0' || c > '9' || number > 1'000'000) return 0;
    number = number * 10 + (c - '0');
  }
  return number;
}

absl::Status BadKey(absl::string_view type, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(type, ": ", problem));
}

absl::StatusOr<ServerEvent> ToAudioDelta(absl::string_view type, const TopLevel& top) {
  AudioDelta delta;
  if (!UnquoteId(top.response_id, delta.response_id))
    return BadKey(type, "response_id: must be a string without escapes");
  if (!UnquoteId(top.item_id, delta.item_id) || delta.item_id.empty()) {
    return BadKey(type, "item_id: must be a string without escapes, not empty");
  }
  if (!Unquote(top.delta, delta.base64)) return BadKey(type, "delta: must be a string");
  delta.bytes = audio::DecodedSize(delta.base64);
  if (delta.bytes < 0) return BadKey(type, "delta: must be base64 with padding, without escapes");
  delta.content_index = SmallNumber(top.content_index);
  return delta;
}

absl::Status NotJson(simdjson::error_code error) {
  return absl::InvalidArgumentError(absl::StrCat("not a JSON object: ", simdjson::error_message(error)));
}

// Walks the top level once. Stops early at a type that is not an audio delta's: such events are read from a tree.
simdjson::error_code Scan(simdjson::ondemand::document& document, TopLevel& top, bool& is_audio_delta) {
  simdjson::ondemand::object object;
  if (const auto error = document.get_object().get(object)) return error;
  for (auto result : object) {
    simdjson::ondemand::field field;
    if (const auto error = std::move(result).get(field)) return error;
    absl::string_view* const slot = SlotOf(top, field.key());
    if (slot == nullptr || !slot->empty()) continue;
    *slot = StripSpace(field.value().raw_json_token());
    absl::string_view type;
    if (slot == &top.type && !(Unquote(top.type, type) && IsAudioDelta(type))) return simdjson::SUCCESS;
  }
  is_audio_delta = !top.type.empty();
  // Where a document has been read to its end there is no current location any more.
  const bool at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  return is_audio_delta && !at_end ? simdjson::TRAILING_CONTENT : simdjson::SUCCESS;
}

}  // namespace

// A copy of the message with the bytes behind it that simdjson reads past the end, and simdjson's own buffers.
struct ServerEventParser::Buffers {
  std::unique_ptr<char[]> text;
  size_t capacity = 0;
  simdjson::ondemand::parser scanner;
  simdjson::dom::parser tree;
};

ServerEventParser::ServerEventParser() : buffers_(std::make_unique<Buffers>()) {}
ServerEventParser::~ServerEventParser() = default;

absl::StatusOr<ServerEvent> ServerEventParser::Parse(absl::string_view message) {
  if (message.size() > kMaxMessageBytes) return absl::ResourceExhaustedError("message is longer than 64 MiB");
  if (buffers_->capacity > kKeepBytes && message.size() <= kKeepBytes) buffers_ = std::make_unique<Buffers>();
  Buffers& buffers = *buffers_;
  if (buffers.capacity < message.size() || buffers.capacity == 0) {
    buffers.capacity = absl::bit_ceil(std::max(message.size(), kSmallestBuffer));
    buffers.text.reset(new char[buffers.capacity + simdjson::SIMDJSON_PADDING]);
    if (const auto error = buffers.scanner.allocate(buffers.capacity))
      return absl::ResourceExhaustedError(simdjson::error_message(error));
  }
  char* const text = buffers.text.get();
  if (!message.empty()) std::memcpy(text, message.data(), message.size());
  std::memset(text + message.size(), ' ', simdjson::SIMDJSON_PADDING);

  simdjson::ondemand::document document;
  const simdjson::padded_string_view padded(text, message.size(), message.size() + simdjson::SIMDJSON_PADDING);
  if (const auto error = buffers.scanner.iterate(padded).get(document)) return NotJson(error);
  TopLevel top;
  bool is_audio_delta = false;
  if (const auto error = Scan(document, top, is_audio_delta)) return NotJson(error);
  if (is_audio_delta) return ToAudioDelta(top.type.substr(1, top.type.size() - 2), top);

  ReplaceLoneSurrogates(text, message.size());
  simdjson::dom::element root;
  if (const auto error = buffers.tree.parse(text, message.size(), /*realloc_if_needed=*/false).get(root))
    return NotJson(error);
  const JsonFields fields(root);
  if (!fields.is_object()) return absl::InvalidArgumentError("not a JSON object");
  if (!fields.HasString("type")) return absl::InvalidArgumentError("type: must be a string");
  const std::string type = fields.String("type");
  // Legal JSON, but nobody escapes letters in names: whoever does may be hiding something from the check of the base64.
  if (IsAudioDelta(type)) return BadKey(type, "must be written without escapes in its keys and type");
  const auto reader = Readers().find(type);
  if (reader == Readers().end()) return Unknown{type};
  EventReader in(type, fields);
  ServerEvent event = reader->second(in);
  if (!in.status().ok()) return in.status();
  return event;
}

}  // namespace callbridge::openai
