#include "src/plivo/stream_message.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"
#include "simdjson.h"
#include "src/audio/base64_check.h"

namespace callbridge::plivo {
namespace {

using Json = nlohmann::json;
namespace ondemand = simdjson::ondemand;

constexpr size_t kMaxExtraHeaders = 64;
constexpr size_t kUsualMessageBytes = 4 * 1024;

absl::Status Bad(absl::string_view key, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("stream message: ", key, ": ", what));
}

bool ParseDigits(absl::string_view text, int64_t* value) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit) && absl::SimpleAtoi(text, value);
}

// ---- The hot path: `event` and what a media message holds, as the raw JSON text of each value. ----

// Views of JSON tokens, quotes and all; empty: the key is not there.
struct Tokens {
  absl::string_view event;
  absl::string_view sequence;
  absl::string_view stream_id;
  absl::string_view media;  // "{" if it is an object.
  absl::string_view track;
  absl::string_view timestamp;
  absl::string_view chunk;
  absl::string_view payload;
};

struct Slot {
  std::string_view key;
  absl::string_view Tokens::*token;
};
constexpr Slot kTopSlots[] = {{"event", &Tokens::event},
                              {"sequenceNumber", &Tokens::sequence},
                              {"streamId", &Tokens::stream_id},
                              {"media", &Tokens::media}};
constexpr Slot kMediaSlots[] = {{"track", &Tokens::track},
                                {"timestamp", &Tokens::timestamp},
                                {"chunk", &Tokens::chunk},
                                {"payload", &Tokens::payload}};

template <size_t N>
const Slot* FindSlot(const Slot (&slots)[N], ondemand::raw_json_string key) {
  for (const Slot& slot : slots) {
    if (key.unsafe_is_equal(slot.key)) return &slot;
  }
  return nullptr;
}

// The text of a scalar, of which simdjson's token also takes in the white space behind it; of an object or array its
// bracket.
absl::string_view TokenText(ondemand::value& value) {
  const std::string_view token = value.raw_json_token();
  return absl::StripTrailingAsciiWhitespace(absl::string_view(token.data(), token.size()));
}

simdjson::error_code ReadMediaObject(ondemand::value& value, Tokens* tokens) {
  ondemand::object object;
  SIMDJSON_TRY(value.get_object().get(object));
  for (auto field : object) {
    ondemand::raw_json_string key;
    ondemand::value inner;
    SIMDJSON_TRY(field.key().get(key));
    SIMDJSON_TRY(field.value().get(inner));
    if (const Slot* slot = FindSlot(kMediaSlots, key)) tokens->*slot->token = TokenText(inner);
  }
  return simdjson::SUCCESS;
}

// One pass over all of the object, so that a frame cut short is noticed wherever it was cut.
simdjson::error_code ReadTokens(ondemand::document& document, Tokens* tokens) {
  ondemand::object object;
  SIMDJSON_TRY(document.get_object().get(object));
  for (auto field : object) {
    ondemand::raw_json_string key;
    ondemand::value value;
    SIMDJSON_TRY(field.key().get(key));
    SIMDJSON_TRY(field.value().get(value));
    const Slot* slot = FindSlot(kTopSlots, key);
    if (slot == nullptr) continue;
    tokens->*slot->token = TokenText(value);
    if (slot->token == &Tokens::media && tokens->media == "{") SIMDJSON_TRY(ReadMediaObject(value, tokens));
  }
  // Success here would mean that there is something behind the object.
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS ? simdjson::SUCCESS : simdjson::TAPE_ERROR;
}

bool IsAbsent(absl::string_view token) { return token.empty() || token == "null"; }

// What stands between the quotes, unaltered. False if the token is no string.
bool Unquote(absl::string_view token, absl::string_view* text) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return false;
  *text = token.substr(1, token.size() - 2);
  return true;
}

absl::Status ReadText(absl::string_view key, absl::string_view token, absl::string_view* text) {
  if (IsAbsent(token)) return absl::OkStatus();
  if (!Unquote(token, text)) return Bad(key, "must be a string");
  if (text->size() > kMaxTextBytes) return Bad(key, "too long");
  if (absl::StrContains(*text, '\\')) return Bad(key, "must not be written with escapes");
  return absl::OkStatus();
}

absl::Status ReadNumber(absl::string_view key, absl::string_view token, int64_t* number) {
  if (IsAbsent(token)) return absl::OkStatus();
  absl::string_view digits = token;
  Unquote(token, &digits);
  if (!ParseDigits(digits, number)) return Bad(key, "must be a whole number or a string of digits");
  return absl::OkStatus();
}

absl::Status ReadPayload(absl::string_view token, Media* media) {
  if (IsAbsent(token)) return Bad("media.payload", "missing");
  if (!Unquote(token, &media->payload)) return Bad("media.payload", "must be a string");
  media->bytes = audio::DecodedSize(media->payload);
  if (media->bytes < 0) return Bad("media.payload", "must be base64 with padding, without escapes or white space");
  if (media->bytes == 0) return Bad("media.payload", "empty");
  if (media->bytes > static_cast<int64_t>(kMaxPayloadBytes)) {
    return Bad("media.payload", absl::StrCat("longer than ", kMaxPayloadBytes, " bytes of audio"));
  }
  return absl::OkStatus();
}

absl::StatusOr<StreamMessage> MakeMedia(const Tokens& tokens) {
  if (tokens.media != "{") return Bad("media", IsAbsent(tokens.media) ? "missing" : "must be an object");
  Media media;
  absl::Status status = ReadPayload(tokens.payload, &media);
  if (status.ok()) status = ReadText("streamId", tokens.stream_id, &media.stream_id);
  if (status.ok()) status = ReadText("media.track", tokens.track, &media.track);
  if (status.ok()) status = ReadNumber("media.timestamp", tokens.timestamp, &media.timestamp_ms);
  if (status.ok()) status = ReadNumber("media.chunk", tokens.chunk, &media.chunk);
  if (status.ok()) status = ReadNumber("sequenceNumber", tokens.sequence, &media.sequence);
  if (!status.ok()) return status;
  return StreamMessage(media);
}

// ---- The cold path: everything else comes a few times per call at most, and is read from a DOM. ----

// The value behind `key`; null if it is missing, null, or `object` is no object.
const Json* Find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

absl::Status ReadText(const Json& object, const char* key, absl::string_view path, std::string* text) {
  const Json* value = Find(object, key);
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_string()) return Bad(path, "must be a string");
  *text = value->get_ref<const std::string&>();
  return text->size() > kMaxTextBytes ? Bad(path, "too long") : absl::OkStatus();
}

absl::Status ReadRequired(const Json& object, const char* key, absl::string_view path, std::string* text) {
  const absl::Status status = ReadText(object, key, path, text);
  return status.ok() && text->empty() ? Bad(path, "missing or empty") : status;
}

// A string as it is, a number, true or false as written; empty for objects and arrays (dump() would recurse into them).
std::string ScalarText(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>();
  return value.is_primitive() ? value.dump() : std::string();
}

absl::Status ReadNumber(const Json& object, const char* key, absl::string_view path, int64_t* number) {
  const Json* value = Find(object, key);
  if (value == nullptr) return absl::OkStatus();
  if (!ParseDigits(ScalarText(*value), number)) return Bad(path, "must be a whole number or a string of digits");
  return absl::OkStatus();
}

absl::Status ReadTracks(const Json& start, std::vector<std::string>* tracks) {
  const Json* value = Find(start, "tracks");
  if (value == nullptr) return absl::OkStatus();
  if (value->is_string()) {
    tracks->push_back(value->get_ref<const std::string&>());
    return absl::OkStatus();
  }
  if (!value->is_array()) return Bad("start.tracks", "must be an array of strings");
  for (const Json& track : *value) {
    if (!track.is_string()) return Bad("start.tracks", "must be an array of strings");
    tracks->push_back(track.get_ref<const std::string&>());
  }
  return absl::OkStatus();
}

absl::Status ReadMediaFormat(const Json& start, Start* out) {
  const Json* format = Find(start, "mediaFormat");
  if (format == nullptr) return absl::OkStatus();
  if (!format->is_object()) return Bad("start.mediaFormat", "must be an object");
  absl::Status status = ReadText(*format, "encoding", "start.mediaFormat.encoding", &out->encoding);
  if (!status.ok()) return status;
  out->encoding = absl::AsciiStrToLower(absl::StripAsciiWhitespace(out->encoding.substr(0, out->encoding.find(';'))));
  return ReadNumber(*format, "sampleRate", "start.mediaFormat.sampleRate", &out->sample_rate);
}

void AddHeader(absl::string_view key, absl::string_view value, ExtraHeaders* headers) {
  key = absl::StripAsciiWhitespace(key);
  if (absl::StartsWithIgnoreCase(key, "X-PH-")) key.remove_prefix(5);
  if (key.empty() || headers->size() >= kMaxExtraHeaders) return;
  headers->emplace_back(std::string(key), std::string(absl::StripAsciiWhitespace(value)));
}

ExtraHeaders HeadersFromJson(const Json& object) {
  ExtraHeaders headers;
  for (const auto& [key, value] : object.items()) {
    if (value.is_primitive() && !value.is_null()) AddHeader(key, ScalarText(value), &headers);
  }
  return headers;
}

ExtraHeaders ReadExtraHeaders(const Json& message, const Json& start) {
  const Json* value = Find(message, "extra_headers");
  if (value == nullptr) value = Find(start, "extra_headers");
  if (value == nullptr) return {};
  if (value->is_object()) return HeadersFromJson(*value);
  return value->is_string() ? ParseExtraHeaders(value->get_ref<const std::string&>()) : ExtraHeaders();
}

absl::StatusOr<StreamMessage> MakeStart(const Json& message) {
  const Json* body = Find(message, "start");
  if (body == nullptr) return Bad("start", "missing");
  if (!body->is_object()) return Bad("start", "must be an object");
  Start start;
  absl::Status status = ReadRequired(*body, "callId", "start.callId", &start.call_id);
  // The id stands inside `start`; compatible carriers repeat it, or only have it, at the top.
  if (status.ok()) status = ReadText(message, "streamId", "streamId", &start.stream_id);
  if (status.ok() && (start.stream_id.empty() || Find(*body, "streamId") != nullptr)) {
    status = ReadRequired(*body, "streamId", "start.streamId", &start.stream_id);
  }
  if (status.ok()) status = ReadText(*body, "accountId", "start.accountId", &start.account_id);
  if (status.ok()) status = ReadTracks(*body, &start.tracks);
  if (status.ok()) status = ReadMediaFormat(*body, &start);
  if (status.ok()) status = ReadNumber(message, "sequenceNumber", "sequenceNumber", &start.sequence);
  if (!status.ok()) return status;
  start.extra_headers = ReadExtraHeaders(message, *body);
  return StreamMessage(std::move(start));
}

absl::StatusOr<StreamMessage> MakeDtmf(const Json& message) {
  const Json* body = Find(message, "dtmf");
  if (body == nullptr) return Bad("dtmf", "missing");
  const Json* digit = body->is_object() ? Find(*body, "digit") : body;
  if (digit == nullptr) return Bad("dtmf.digit", "missing");
  const std::string text = ScalarText(*digit);
  Dtmf dtmf;
  dtmf.digit = text.size() == 1 ? absl::ascii_toupper(text[0]) : '\0';
  if (dtmf.digit == '\0' || !absl::StrContains("0123456789*#ABCD", dtmf.digit)) {
    return Bad("dtmf.digit", "must be one of 0-9 * # A-D");
  }
  const absl::Status status = ReadText(message, "streamId", "streamId", &dtmf.stream_id);
  if (!status.ok()) return status;
  return StreamMessage(std::move(dtmf));
}

absl::StatusOr<StreamMessage> MakePlayedStream(const Json& message) {
  PlayedStream played;
  absl::Status status = ReadRequired(message, "name", "name", &played.name);
  if (status.ok()) status = ReadText(message, "streamId", "streamId", &played.stream_id);
  if (!status.ok()) return status;
  return StreamMessage(std::move(played));
}

absl::StatusOr<StreamMessage> MakeClearedAudio(const Json& message) {
  ClearedAudio cleared;
  const absl::Status status = ReadText(message, "streamId", "streamId", &cleared.stream_id);
  if (!status.ok()) return status;
  return StreamMessage(std::move(cleared));
}

// Stop, PlayFailed and Error carry a reason for people, at the top or inside an object named like the event; or none.
template <typename Message>
absl::StatusOr<StreamMessage> MakeReason(const Json& message, const char* body_key) {
  Message out;
  const Json* body = Find(message, body_key);
  const bool nested = body != nullptr && body->is_object() && Find(message, "reason") == nullptr;
  absl::Status status = nested ? ReadText(*body, "reason", absl::StrCat(body_key, ".reason"), &out.reason)
                               : ReadText(message, "reason", "reason", &out.reason);
  if (!status.ok()) return status;
  if (out.reason.empty() && body != nullptr && body->is_string()) {
    status = ReadText(message, body_key, body_key, &out.reason);
    if (!status.ok()) return status;
  }
  return StreamMessage(std::move(out));
}

absl::StatusOr<StreamMessage> ParseCold(absl::string_view text) {
  const Json message = Json::parse(text.begin(), text.end(), /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!message.is_object()) return Bad("message", "must be one JSON object");
  std::string event;
  const absl::Status status = ReadRequired(message, "event", "event", &event);
  if (!status.ok()) return status;
  if (event == "start") return MakeStart(message);
  if (event == "dtmf") return MakeDtmf(message);
  if (event == "playedStream" || event == "played") return MakePlayedStream(message);
  if (event == "clearedAudio") return MakeClearedAudio(message);
  if (event == "stop") return MakeReason<Stop>(message, "stop");
  if (event == "playFailed") return MakeReason<PlayFailed>(message, "playFailed");
  if (event == "error") return MakeReason<Error>(message, "error");
  if (event == "media") return Bad("event", "must not be written with escapes");  // Else the hot path had taken it.
  return StreamMessage(Unknown{std::move(event)});
}

}  // namespace

class StreamParser::Buffers {
 public:
  Buffers() { Reserve(kUsualMessageBytes); }

  // simdjson reads past the end of its input, hence the copy.
  std::string_view CopyPadded(absl::string_view text) {
    if (text.size() > capacity_) Reserve(std::max(text.size(), capacity_ * 2));
    std::memcpy(text_.get(), text.data(), text.size());
    std::memset(text_.get() + text.size(), 0, simdjson::SIMDJSON_PADDING);
    return {text_.get(), text.size()};
  }

  simdjson::error_code Read(std::string_view padded, Tokens* tokens) {
    ondemand::document document;
    SIMDJSON_TRY(parser_.iterate(padded, capacity_ + simdjson::SIMDJSON_PADDING).get(document));
    return ReadTokens(document, tokens);
  }

 private:
  void Reserve(size_t bytes) {
    text_ = std::make_unique<char[]>(bytes + simdjson::SIMDJSON_PADDING);
    capacity_ = bytes;
    // Failing here (no memory) shows at the next iterate(), which tries again and reports it.
    const simdjson::error_code ignored = parser_.allocate(bytes);
    (void)ignored;
  }

  std::unique_ptr<char[]> text_;
  size_t capacity_ = 0;
  ondemand::parser parser_;
};

StreamParser::StreamParser() : buffers_(std::make_unique<Buffers>()) {}
StreamParser::~StreamParser() = default;

absl::StatusOr<StreamMessage> StreamParser::Parse(absl::string_view text) {
  if (text.empty()) return Bad("message", "empty");
  if (text.size() > kMaxMessageBytes) return Bad("message", absl::StrCat("longer than ", kMaxMessageBytes, " bytes"));
  Tokens tokens;
  const simdjson::error_code error = buffers_->Read(buffers_->CopyPadded(text), &tokens);
  if (error != simdjson::SUCCESS) {
    return Bad("message", absl::StrCat("must be one JSON object: ", simdjson::error_message(error)));
  }
  return tokens.event == "\"media\"" ? MakeMedia(tokens) : ParseCold(text);
}

ExtraHeaders ParseExtraHeaders(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  ExtraHeaders headers;
  if (absl::ConsumePrefix(&text, "{")) {
    const Json json = Json::parse(absl::StrCat("{", text), /*cb=*/nullptr, /*allow_exceptions=*/false);
    if (json.is_object()) return HeadersFromJson(json);
    absl::ConsumeSuffix(&text, "}");
    for (const absl::string_view pair : absl::StrSplit(text, absl::ByAnyChar(",;"))) {
      const size_t colon = pair.find_first_of(":=");
      if (colon != absl::string_view::npos) AddHeader(pair.substr(0, colon), pair.substr(colon + 1), &headers);
    }
    return headers;
  }
  for (const absl::string_view pair : absl::StrSplit(text, absl::ByAnyChar(",;"))) {
    const size_t equals = pair.find('=');
    if (equals != absl::string_view::npos) AddHeader(pair.substr(0, equals), pair.substr(equals + 1), &headers);
  }
  return headers;
}

}  // namespace callbridge::plivo
