// The caller's side of a session: audio in, turns found in it, what they say.
#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "src/sim/model_audio.h"
#include "src/sim/model_check.h"
#include "src/sim/model_session.h"
#include "src/sim/mulaw.h"

namespace callbridge::sim {
namespace {

constexpr size_t kMaxAppend = 15 << 20;                           // Of audio in one event.
constexpr size_t kMaxBuffer = 30 * 60 * 1000 * kMulawBytesPerMs;  // Half an hour without a commit.
constexpr int kMinCommitMs = 100;
constexpr int kTrimSlackMs = 1000;  // The buffer is cut seldom, by this much.

// Strict: no blanks, padded, the standard alphabet.
bool DecodeBase64(absl::string_view base64, std::string* bytes) {
  return base64.size() % 4 == 0 && base64.find_first_of(" \t\r\n-_") == absl::string_view::npos &&
         absl::Base64Unescape(base64, bytes);
}

}  // namespace

void ModelSession::OnAppend(const Json& event) {
  ModelCheck check;
  if (!check.Object(event, "", {"type", "event_id", "audio"})) return Refuse(check.error());
  if (!event.contains("audio")) check.Missing("audio");
  if (!check.ok() || !check.Text(event["audio"], "audio")) return Refuse(check.error());
  AppendBase64(event["audio"].get_ref<const std::string&>());
}

void ModelSession::AppendBase64(absl::string_view base64) {
  if (!DecodeBase64(base64, &decoded_)) {
    return Refuse({"invalid_value", "Invalid 'audio': expected base64-encoded audio bytes.", "audio"});
  }
  if (decoded_.size() > kMaxAppend) {
    return Refuse({"invalid_value", "Invalid 'audio': at most 15 MiB of audio may be appended by one event.", "audio"});
  }
  const std::string format = config_.InputFormat();
  if (format == "audio/pcmu") {
    Hear(decoded_);
  } else {
    Hear(ToMulaw(format, decoded_));
  }
}

void ModelSession::Hear(absl::string_view mulaw) {
  report_.appended_bytes += static_cast<int64_t>(mulaw.size());
  if (!turns_.on) {
    vad_.Skip(mulaw.size());
    if (buffer_.size() + mulaw.size() > kMaxBuffer) {
      return Refuse({"invalid_value", "The input audio buffer is full.", "audio"});
    }
    buffer_.append(mulaw.data(), mulaw.size());
    return;
  }
  while (!mulaw.empty()) {
    Vad::Event event;
    const size_t used = vad_.Feed(mulaw, &event);
    buffer_.append(mulaw.data(), used);
    mulaw.remove_prefix(used);
    if (event.kind != Vad::Event::Kind::kNone) OnVad(event);
  }
  // While nobody speaks only what padding can still reach is kept.
  const size_t keep = static_cast<size_t>(turns_.vad.prefix_padding_ms + 200) * kMulawBytesPerMs;
  if (!vad_.speaking() && buffer_.size() > keep + kTrimSlackMs * kMulawBytesPerMs) {
    buffer_begin_ += static_cast<int64_t>(buffer_.size() - keep);
    buffer_.erase(0, buffer_.size() - keep);
  }
}

void ModelSession::OnVad(const Vad::Event& event) {
  if (event.kind == Vad::Event::Kind::kStarted) {
    caller_spoke_ = true;
    idle_at_ = absl::InfiniteFuture();
    user_item_id_ = wire_.NewId("item_");
    const int64_t from = event.audio_ms * kMulawBytesPerMs;
    if (from > buffer_begin_) {
      const size_t before = std::min(buffer_.size(), static_cast<size_t>(from - buffer_begin_));
      buffer_.erase(0, before);
      buffer_begin_ += static_cast<int64_t>(before);
    }
    Note("speech_started", absl::StrCat(event.audio_ms, " ms"));
    wire_.Send("input_audio_buffer.speech_started", {{"audio_start_ms", event.audio_ms}, {"item_id", user_item_id_}});
    if (ModelResponse* response = turns_.interrupt_response ? Running() : nullptr)
      response->Interrupt("turn_detected", now_);
    return;
  }
  Note("speech_stopped", absl::StrCat(event.audio_ms, " ms"));
  wire_.Send("input_audio_buffer.speech_stopped", {{"audio_end_ms", event.audio_ms}, {"item_id", user_item_id_}});
  // An interruption that is still letting go of late audio ends now: the turn is over.
  if (ModelResponse* response = turns_.interrupt_response ? Running() : nullptr) response->Cancel("turn_detected");
  AfterResponses();
  const std::string item_id = std::exchange(user_item_id_, "");
  CommitTurn(std::exchange(buffer_, ""), item_id, true);
  buffer_begin_ = vad_.position_bytes();
  event_type_ = "turn_detection";
  event_id_.clear();
  if (turns_.create_response) StartResponse(Json(nullptr), /*automatic=*/true);
}

void ModelSession::OnBufferCommit(const Json& event) {
  ModelCheck check;
  if (!check.Object(event, "", {"type", "event_id"})) return Refuse(check.error());
  if (buffer_.size() < kMinCommitMs * kMulawBytesPerMs) {
    return Refuse(
        {"input_audio_buffer_commit_empty",
         absl::StrFormat("Error committing input audio buffer: buffer too small. Expected at least %dms of audio, but "
                         "buffer only has %.2fms of audio.",
                         kMinCommitMs, static_cast<double>(buffer_.size()) / kMulawBytesPerMs),
         ""});
  }
  caller_spoke_ = true;
  const std::string item_id = user_item_id_.empty() ? wire_.NewId("item_") : std::exchange(user_item_id_, "");
  vad_.Reset();
  CommitTurn(std::exchange(buffer_, ""), item_id, true);
  buffer_begin_ = vad_.position_bytes();
}

void ModelSession::OnBufferClear(const Json& event) {
  ModelCheck check;
  if (!check.Object(event, "", {"type", "event_id"})) return Refuse(check.error());
  buffer_.clear();
  buffer_begin_ = vad_.position_bytes();
  user_item_id_.clear();
  vad_.Reset();
  wire_.Send("input_audio_buffer.cleared", Json::object());
}

void ModelSession::CommitTurn(std::string mulaw, const std::string& item_id, bool spoken) {
  std::string words = WordsIn(mulaw);
  if (words.empty() && spoken) words = options_.scenario.model.unknown_speech;
  auto item = std::make_shared<ModelItem>();
  item->id = item_id;
  item->role = "user";
  item->audio = true;
  item->text = words;
  item->content = Json::array({Json{{"type", "input_audio"}, {"transcript", nullptr}}});
  item->audio_bytes = static_cast<int64_t>(mulaw.size());
  item->audio_ms = item->audio_bytes / kMulawBytesPerMs;
  if (options_.record) item->mulaw = std::move(mulaw);
  const std::string previous = conversation_.Append(item);
  wire_.Send("input_audio_buffer.committed",
             {{"previous_item_id", previous.empty() ? Json(nullptr) : Json(previous)}, {"item_id", item_id}});
  SendItem(*item, previous);
  if (options_.record) report_.heard_words.push_back(words);
  Note("heard", words);
  Transcribe(item_id, words, item->audio_ms);
}

std::string ModelSession::WordsIn(absl::string_view mulaw) const {
  std::vector<std::string> all;
  for (const Clip* clip : speech_->Recognize(mulaw)) {
    const auto own = options_.scenario.texts.find(clip->name);
    const std::string& words = own != options_.scenario.texts.end() ? own->second : clip->words;
    if (!words.empty()) all.push_back(words);
  }
  return absl::StrJoin(all, " ");
}

// The text comes from another model, later than the turn: pieces first, then the whole.
void ModelSession::Transcribe(const std::string& item_id, const std::string& words, int64_t audio_ms) {
  const ModelManners& manners = options_.scenario.model;
  if (!config_.HasTranscription() || manners.transcription == "none") return;
  const std::string prefix = "conversation.item.input_audio_transcription";
  const Json place = {{"item_id", item_id}, {"content_index", 0}};
  if (manners.transcription == "failed") {
    At(now_ + manners.transcription_delay, [this, prefix, place] {
      Json failed = place;
      failed["error"] = {{"type", "transcription_error"},
                         {"code", "audio_unintelligible"},
                         {"message", "The audio could not be transcribed."},
                         {"param", nullptr}};
      wire_.Send(prefix + ".failed", failed);
    });
    return;
  }
  const std::vector<std::string> pieces = absl::StrSplit(words, ' ', absl::SkipEmpty());
  for (size_t i = 0; i < pieces.size(); ++i) {
    const double share = 0.5 + 0.5 * static_cast<double>(i) / static_cast<double>(pieces.size());
    At(now_ + manners.transcription_delay * share,
       [this, prefix, place, piece = absl::StrCat(i == 0 ? "" : " ", pieces[i])] {
         Json delta = place;
         delta["delta"] = piece;
         wire_.SendDelta(prefix + ".delta", std::move(delta));
       });
  }
  At(now_ + manners.transcription_delay, [this, prefix, place, words, usage = TranscriptionUsage(words, audio_ms)] {
    Json completed = place;
    completed["transcript"] = words;
    completed["usage"] = usage;
    wire_.Send(prefix + ".completed", completed);
  });
}

// Whisper models bill by time, the others by tokens.
Json ModelSession::TranscriptionUsage(const std::string& words, int64_t audio_ms) const {
  const std::string model = config_.TranscriptionModel();
  if (model == "whisper-1" || model == "gpt-realtime-whisper") {
    return {{"type", "duration"}, {"seconds", (audio_ms + 999) / 1000}};
  }
  const int64_t in = audio_ms / 100;
  const int64_t out = static_cast<int64_t>(words.size() + 3) / 4;
  return {{"type", "tokens"},
          {"total_tokens", in + out},
          {"input_tokens", in},
          {"input_token_details", {{"text_tokens", 0}, {"audio_tokens", in}}},
          {"output_tokens", out}};
}

// Nobody spoke for idle_timeout_ms after the model: it commits the silence, tells itself so, and speaks again.
void ModelSession::OnIdle() {
  idle_at_ = absl::InfiniteFuture();
  if (!turns_.on || Running() != nullptr || vad_.speaking()) return;
  const std::string item_id = wire_.NewId("item_");
  const int64_t end_ms = vad_.position_bytes() / kMulawBytesPerMs;
  wire_.Send("input_audio_buffer.timeout_triggered",
             {{"audio_start_ms", std::min(idle_since_ms_, end_ms)}, {"audio_end_ms", end_ms}, {"item_id", item_id}});
  Note("idle timeout");
  auto hint = std::make_shared<ModelItem>();
  hint->id = wire_.NewId("item_");
  hint->role = "system";
  hint->content =
      Json::array({Json{{"type", "input_text"}, {"text", "No speech was heard from the user for a while."}}});
  SendItem(*hint, conversation_.Append(hint));
  vad_.Reset();
  CommitTurn(std::exchange(buffer_, ""), item_id, false);
  buffer_begin_ = vad_.position_bytes();
  event_type_ = "idle_timeout";
  event_id_.clear();
  StartResponse(Json(nullptr), /*automatic=*/true);
}

}  // namespace callbridge::sim
