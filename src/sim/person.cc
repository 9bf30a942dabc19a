#include "src/sim/person.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace callbridge::sim {
namespace {

constexpr size_t kFrameBytes = 160;
// A pause of the assistant that is longer begins a new utterance.
constexpr absl::Duration kUtteranceGap = absl::Milliseconds(300);
constexpr absl::Duration kBetweenKeys = absl::Milliseconds(100);
// Steps done within one tick; a script that needs more is spread over the next.
constexpr int kStepsPerTick = 16;

bool IsSilence(absl::string_view mulaw) {
  return std::all_of(mulaw.begin(), mulaw.end(), [](char c) { return c == '\xff' || c == '\x7f'; });
}

}  // namespace

std::string DescribeStep(const PersonStep& step) {
  using Kind = PersonStep::Kind;
  switch (step.kind) {
    case Kind::kPause: return absl::StrCat("pause ", absl::FormatDuration(step.duration));
    case Kind::kSay: return absl::StrCat("say ", absl::StrJoin(step.clips, " "));
    case Kind::kWaitAssistantSpeaking:
      return absl::StrCat("wait assistant speaking ", absl::FormatDuration(step.duration));
    case Kind::kWaitAssistantDone: return absl::StrCat("wait assistant done ", absl::FormatDuration(step.duration));
    case Kind::kWaitTransferring: return "wait transferring";
    case Kind::kWaitReturned: return "wait returned";
    case Kind::kWaitConnected: return "wait connected";
    case Kind::kPress: return absl::StrCat("press ", step.text);
    case Kind::kHangUp: return "hang up";
    case Kind::kDropStream: return step.text.empty() ? "drop stream" : "drop stream and reconnect";
    case Kind::kStopAudio: return "stop audio";
    case Kind::kResumeAudio: return "resume audio";
  }
  return "";
}

Person::Person(std::vector<PersonStep> steps, std::shared_ptr<const SpeechLibrary> speech)
    : steps_(std::move(steps)), speech_(std::move(speech)) {}

void Person::Hear(absl::Time start, absl::string_view mulaw) {
  // In frames, so that silence inside a longer piece is found too.
  for (size_t at = 0; at < mulaw.size(); at += kFrameBytes) {
    const absl::string_view frame = mulaw.substr(at, kFrameBytes);
    if (IsSilence(frame)) continue;
    HearSound(start + absl::Microseconds(125) * at, absl::Microseconds(125) * frame.size());
  }
}

void Person::HearSound(absl::Time start, absl::Duration length) {
  if (start - sound_end_ > kUtteranceGap) utterance_ = absl::ZeroDuration();
  utterance_ += length;
  sound_end_ = start + length;
}

void Person::Tick(absl::Time now, const Sight& sight, Phone& phone) {
  voice_ = {};
  for (int i = 0; i < kStepsPerTick && !done(); ++i) {
    if (!begun_) Begin(now, phone);
    if (Continue(now, sight, phone) == Progress::kWaiting) return;
    ++at_;
    begun_ = false;
    if (!voice_.empty()) return;  // The rest of this tick is spoken for.
  }
}

void Person::Begin(absl::Time now, Phone& phone) {
  begun_ = true;
  began_ = now;
  clip_ = position_ = key_ = 0;
  spoken_ = absl::ZeroDuration();
  phone.OnStep(DescribeStep(steps_[at_]));
}

bool Person::IsWait() const {
  using Kind = PersonStep::Kind;
  const Kind kind = steps_[at_].kind;
  return kind == Kind::kWaitAssistantDone || kind == Kind::kWaitAssistantSpeaking || kind == Kind::kWaitConnected ||
         kind == Kind::kWaitReturned || kind == Kind::kWaitTransferring;
}

Person::Progress Person::Continue(absl::Time now, const Sight& sight, Phone& phone) {
  using Kind = PersonStep::Kind;
  const PersonStep& step = steps_[at_];
  if (IsWait()) {
    if (WaitIsOver(now, sight)) {
      mark_ = now;
      if (step.kind == Kind::kWaitAssistantDone) utterance_ = absl::ZeroDuration();
      // A stream that only reconnected is no return.
      if (step.kind == Kind::kWaitReturned || step.kind == Kind::kWaitTransferring) streams_seen_ = sight.streams;
      return Progress::kDone;
    }
    if (now - began_ < step.limit) return Progress::kWaiting;
    phone.OnFailed(DescribeStep(step));
    at_ = steps_.size() - 1;  // Nothing comes after giving up.
    phone.HangUp();
    return Progress::kDone;
  }
  switch (step.kind) {
    case Kind::kPause: return now - began_ >= step.duration ? Progress::kDone : Progress::kWaiting;
    case Kind::kSay:
      if (!sight.line_open && clip_ == 0 && position_ == 0) return Progress::kWaiting;
      if (Speak() == Progress::kWaiting) return Progress::kWaiting;
      mark_ = now;
      return Progress::kDone;
    case Kind::kPress:
      if (!sight.line_open) return Progress::kWaiting;
      if (PressNext(now, phone) == Progress::kWaiting) return Progress::kWaiting;
      mark_ = now;
      return Progress::kDone;
    case Kind::kHangUp: phone.HangUp(); return Progress::kDone;
    case Kind::kDropStream: phone.DropStream(!step.text.empty()); return Progress::kDone;
    default: phone.SetAudio(step.kind == Kind::kResumeAudio); return Progress::kDone;
  }
}

Person::Progress Person::Speak() {
  const std::vector<std::string>& clips = steps_[at_].clips;
  const Clip* const clip = speech_->Find(clips[clip_]);
  const absl::string_view audio = clip == nullptr ? absl::string_view() : absl::string_view(clip->mulaw);
  voice_ = audio.substr(std::min(position_, audio.size()), kFrameBytes);
  if (voice_.size() < kFrameBytes) {
    // The last, short frame of a clip is filled with silence.
    frame_.assign(kFrameBytes, '\xff');
    frame_.replace(0, voice_.size(), voice_.data(), voice_.size());
    voice_ = frame_;
  }
  position_ += kFrameBytes;
  spoken_ += absl::Microseconds(125) * kFrameBytes;
  const absl::Duration enough = steps_[at_].duration;
  if (enough > absl::ZeroDuration() && spoken_ >= enough) return Progress::kDone;
  if (position_ < audio.size()) return Progress::kWaiting;
  position_ = 0;
  ++clip_;
  return clip_ < clips.size() ? Progress::kWaiting : Progress::kDone;
}

Person::Progress Person::PressNext(absl::Time now, Phone& phone) {
  const std::string& keys = steps_[at_].text;
  if (key_ == 0) began_ = now;
  if (now - began_ >= kBetweenKeys * key_ && key_ < keys.size()) phone.Press(keys[key_++]);
  return key_ < keys.size() ? Progress::kWaiting : Progress::kDone;
}

bool Person::WaitIsOver(absl::Time now, const Sight& sight) const {
  using Kind = PersonStep::Kind;
  const PersonStep& step = steps_[at_];
  const bool heard = sound_end_ > mark_;
  switch (step.kind) {
    case Kind::kWaitAssistantSpeaking: return heard && utterance_ >= step.duration;
    case Kind::kWaitAssistantDone: return heard && now - sound_end_ >= step.duration;
    case Kind::kWaitTransferring: return sight.transferring;
    case Kind::kWaitConnected: return sight.connected;
    default: return sight.streams > streams_seen_ && !sight.transferring;
  }
}

}  // namespace callbridge::sim
