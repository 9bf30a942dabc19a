#include "src/sim/vad.h"

#include <algorithm>

#include "src/sim/mulaw.h"

namespace callbridge::sim {
namespace {

constexpr int kWindowBytes = 160;
constexpr int kWindowMs = kWindowBytes / kMulawBytesPerMs;
constexpr int kWindowsToStart = 3;  // A click is not speech.

// Mean magnitude of a window in the units of MulawLoudness (1/32 of a 16-bit sample): 0 for threshold 0 would hear line
// noise as speech, so the scale starts above it. The default of 0.5 is about -36 dB of full scale; telephone speech has
// 5 to 10 times that.
int LevelFor(double threshold) { return 4 + static_cast<int>(threshold * 24); }

}  // namespace

void Vad::Configure(const Settings& settings) {
  settings_ = settings;
  level_ = LevelFor(settings.threshold);
  Reset();
}

void Vad::Reset() {
  speaking_ = false;
  loud_windows_ = 0;
  in_window_ = 0;
  loudness_ = 0;
  floor_ms_ = Ms();
}

void Vad::Skip(size_t bytes) { position_ += static_cast<int64_t>(bytes); }

size_t Vad::Feed(absl::string_view mulaw, Event* event) {
  *event = Event();
  const auto& loudness = MulawLoudness();
  size_t used = 0;
  while (used < mulaw.size()) {
    const size_t take = std::min(mulaw.size() - used, static_cast<size_t>(kWindowBytes - in_window_));
    int64_t sum = 0;
    for (size_t i = 0; i < take; ++i) sum += loudness[static_cast<uint8_t>(mulaw[used + i])];
    loudness_ += sum;
    in_window_ += static_cast<int>(take);
    position_ += static_cast<int64_t>(take);
    used += take;
    if (in_window_ < kWindowBytes) break;
    *event = EndWindow();
    if (event->kind != Event::Kind::kNone) break;
  }
  return used;
}

Vad::Event Vad::EndWindow() {
  // Speech goes on at half the level that began it, so that soft endings of words do not cut it.
  const int64_t needed = static_cast<int64_t>(speaking_ ? level_ / 2 : level_) * kWindowBytes;
  const bool loud = loudness_ >= needed;
  in_window_ = 0;
  loudness_ = 0;
  loud_windows_ = loud ? loud_windows_ + 1 : 0;
  if (loud) last_loud_ms_ = Ms();
  Event event;
  if (!speaking_ && loud_windows_ >= kWindowsToStart) {
    speaking_ = true;
    event.kind = Event::Kind::kStarted;
    event.audio_ms = std::max(floor_ms_, Ms() - kWindowsToStart * kWindowMs - settings_.prefix_padding_ms);
  } else if (speaking_ && !loud && Ms() - last_loud_ms_ >= settings_.silence_duration_ms) {
    speaking_ = false;
    loud_windows_ = 0;
    event.kind = Event::Kind::kStopped;
    event.audio_ms = Ms();
    floor_ms_ = Ms();
  }
  return event;
}

}  // namespace callbridge::sim
