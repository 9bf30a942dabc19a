#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/audio/base64_check.h"
#include "src/audio/silence.h"
#include "src/call/call.h"
#include "src/call/deadlines.h"
#include "src/call/heard.h"

// Audio both ways: the caller's to the model without a hole, the assistant's to the carrier as far as it may be heard.
namespace callbridge::call {

using namespace deadline;  // NOLINT(google-build-using-namespace): a list of names, of this room alone.

namespace {

int64_t MsSince(absl::Time start, absl::Time end) {
  if (start == absl::InfinitePast() || end == absl::InfinitePast() || end == absl::InfiniteFuture()) return -1;
  return absl::ToInt64Milliseconds(end - start);
}

// The first audio's sound is looked up so long after it was expected: by then its checkpoint has spoken.
constexpr absl::Duration kMeasureSlack = absl::Milliseconds(200);

}  // namespace

void Call::PlayoutCarrier::Play(absl::string_view item_id, absl::string_view base64) {
  call_.sink_.AudioToCarrier(base64);
  if (call_.speaking_item_ != item_id) call_.OnFirstSent(item_id);
}

void Call::PlayoutCarrier::Checkpoint(int64_t number) { call_.sink_.Do(command::SendCheckpoint{number}); }

// ---- The caller ----

void Call::OnCallerAudio(absl::string_view base64, absl::Time now) {
  now_ = now;
  if (!MediaUp() || hangup_asked_) return;
  gap_since_ = caller_until_ = now;
  if (caller_muted_) base64 = audio::SilenceBase64(static_cast<int64_t>(base64.size() / 4 * 3) / audio::kBytesPerMs);
  const bool usable = ModelUsable();
  if (usable) sink_.AudioToModel(base64);
  if (usable || session_.open || !session_.given_up) backlog_.Push(base64, now, usable);
}

void Call::On(const input::CallerAudio& in) { OnCallerAudio(in.base64, now_); }

void Call::FlushBacklog() {
  if (!ModelUsable()) return;
  backlog_.TakeUnsent([this](absl::string_view frame) { sink_.AudioToModel(frame); });
}

absl::Time Call::NextGap() const {
  if (caller_until_ == absl::InfinitePast() || !MediaUp() || !ModelUsable()) return absl::InfiniteFuture();
  if (caller_until_ - gap_since_ >= options_.gap_limit) return absl::InfiniteFuture();
  return caller_until_ + options_.gap_after;
}

// The model ends a turn by hearing silence, not by hearing nothing.
void Call::PadGap() {
  if (now_ < NextGap()) return;
  const absl::Duration gap = std::min(now_ - caller_until_, absl::Seconds(1));
  sink_.AudioToModel(audio::SilenceBase64(absl::ToInt64Milliseconds(gap)));
  caller_until_ += gap;
}

// ---- The assistant ----

void Call::OnModelAudio(absl::string_view response_id, absl::string_view item_id, absl::string_view base64,
                        int64_t bytes, absl::Time now) {
  now_ = now;
  if (!ModelUsable()) return;
  const bool cut = (!cut_responses_.empty() && cut_responses_.count(std::string(response_id)) > 0) ||
                   (!cut_items_.empty() && cut_items_.count(std::string(item_id)) > 0);
  if (cut || assistant_muted_ || !MediaUp() || hangup_asked_ || voicemail_ == Voicemail::kWaiting) {
    DropModelAudio(item_id, bytes);
    return;
  }
  response_spoke_ = true;
  if (first_audio_ == absl::InfinitePast()) first_audio_ = now;
  if (turn_.open && turn_.first_audio == absl::InfinitePast()) turn_.first_audio = now;
  OnAnswered();
  playout_.OnAudio(item_id, base64, bytes, now);
}

// Nobody hears it, so the model must not believe that somebody did; and its words count as unheard in the transcript.
void Call::DropModelAudio(absl::string_view item_id, int64_t bytes) {
  ++late_audio_dropped_;
  if (over()) return;
  if (assistant_muted_) {  // It does answer.
    OnAnswered();
    turn_.open = false;
  }
  if (!cut_items_.insert(std::string(item_id)).second) {
    transcript_.OnMoreGenerated(item_id, bytes);
    return;
  }
  transcript_.OnCut(item_id, 0, bytes / audio::kBytesPerMs, HeardBasis::kNone);
  if (ModelUsable()) sink_.Do(command::DeleteItem{std::string(item_id)});
}

void Call::On(const input::ModelAudio& in) {
  const int64_t bytes = audio::DecodedSize(in.base64);
  if (bytes >= 0) OnModelAudio(in.response_id, in.item_id, in.base64, bytes, now_);
}

void Call::On(const input::ModelAudioDone& in) { playout_.OnItemComplete(in.item_id, now_); }

void Call::OnFirstSent(absl::string_view item_id) {
  speaking_item_ = std::string(item_id);
  if (prompt_items_.count(speaking_item_) > 0) return;
  const bool greeting = greeting_item_.empty() && !turn_.open && !options_.greeting_prompt.empty();
  if (greeting_item_.empty()) greeting_item_ = speaking_item_;
  Emit(AssistantSpeechStarted{speaking_item_, greeting});
  if (!turn_.open && answer_measured_) return;
  Measured(absl::InfinitePast());
  measure_.item_id = speaking_item_;
  measure_.turn = turn_.open ? turn_ : Turn();
  measure_.turn.first_sent = now_;
  turn_.open = false;
  const absl::Time sound = playout_.ledger().FirstSound(speaking_item_);
  SetDeadline(kMeasure, (sound == absl::InfiniteFuture() ? absl::ZeroDuration() : sound - now_) + kMeasureSlack);
}

void Call::Measured(absl::Time heard) {
  ClearDeadline(kMeasure);
  if (measure_.item_id.empty()) return;
  const Measure done = std::exchange(measure_, Measure());
  if (!std::exchange(answer_measured_, true)) {
    const absl::Time ready = std::max(session_ready_, answer_time_);
    Emit(AnswerMeasured{MsSince(answer_time_, stream_time_), MsSince(answer_time_, ready),
                        MsSince(answer_time_, first_audio_), MsSince(answer_time_, done.turn.first_sent),
                        MsSince(answer_time_, heard)});
  }
  if (done.turn.item_id.empty()) return;
  const absl::Time stopped = done.turn.stopped;
  Emit(TurnMeasured{done.turn.item_id, MsSince(stopped, done.turn.committed), MsSince(stopped, done.turn.first_audio),
                    MsSince(stopped, done.turn.first_sent), MsSince(stopped, heard)});
}

void Call::On(const input::CheckpointPlayed& in) {
  if (!playout_.OnCheckpointPlayed(in.number, now_)) return;
  if (MediaUp()) playout_.Pump(now_);
  TakeHeardItems();
}

// The ledger was settled when we cleared, and checkpoints that the clear swallowed are not awaited: this only tells how
// long the caller had to listen.
void Call::On(const input::AudioCleared&) {
  if (over() || silencing_since_ == absl::InfinitePast()) return;
  Emit(AssistantSilenced{MsSince(std::exchange(silencing_since_, absl::InfinitePast()), now_)});
}

void Call::TakeHeardItems() {
  for (const auto& item : playout_.TakeFinished(now_)) {
    if (item.item_id == measure_.item_id) Measured(item.first_sound);
    transcript_.OnHeard(item.item_id, HeardMs(item), item.received / audio::kBytesPerMs, BasisOf(item));
    Emit(AssistantSpeechFinished{item.item_id, HeardMs(item), BasisOf(item)});
    if (greeting_protected_ && item.item_id == greeting_item_) {
      greeting_protected_ = false;
      if (ModelUsable()) sink_.Do(command::ReleaseGreeting{});
    }
  }
}

// ---- Prompts ----

bool Call::PlayPrompt(absl::string_view name, const Prompt& prompt) {
  const int64_t bytes = audio::DecodedSize(prompt.base64);
  if (bytes <= 0 || !MediaUp() || assistant_muted_) return false;
  const std::string item_id = absl::StrCat("prompt_", ++prompts_);
  prompt_items_.insert(item_id);
  transcript_.Add(item_id, "", Role::kAssistant, now_);
  Emit(PromptPlayed{std::string(name), item_id, prompt.text});
  playout_.OnAudio(item_id, prompt.base64, bytes, now_);
  playout_.OnItemComplete(item_id, now_);
  transcript_.OnAssistantTextDone(item_id, prompt.text);
  return true;
}

}  // namespace callbridge::call
