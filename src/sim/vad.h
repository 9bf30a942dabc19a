#ifndef CALLBRIDGE_SRC_SIM_VAD_H_
#define CALLBRIDGE_SRC_SIM_VAD_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace callbridge::sim {

// Finds where a caller speaks, by energy, over mu-law as it is written; wall time plays no part. All positions are
// milliseconds of audio since the start of the session.
class Vad {
 public:
  struct Settings {
    double threshold = 0.5;  // 0..1: how loud speech must be.
    int prefix_padding_ms = 300;
    int silence_duration_ms = 500;
  };
  struct Event {
    enum class Kind { kNone, kStarted, kStopped };
    Kind kind = Kind::kNone;
    // Started: moved back by the padding, not before the end of the turn before. Stopped: silence included.
    int64_t audio_ms = 0;
  };

  // Forgets speech under way; positions go on.
  void Configure(const Settings& settings);
  void Reset();

  // Listens until something happens or the audio ends; returns the bytes consumed. Call again with the rest.
  size_t Feed(absl::string_view mulaw, Event* event);

  // Counts audio without listening: turn detection is off.
  void Skip(size_t bytes);

  bool speaking() const { return speaking_; }
  int64_t position_bytes() const { return position_; }

 private:
  Event EndWindow();
  int64_t Ms() const { return position_ / 8; }

  Settings settings_;
  int level_ = 0;         // Mean loudness at which a window counts as speech.
  int64_t position_ = 0;  // Bytes so far.
  int in_window_ = 0;     // Bytes of the window under way, and their loudness.
  int64_t loudness_ = 0;
  int loud_windows_ = 0;  // In a row.
  bool speaking_ = false;
  int64_t last_loud_ms_ = 0;
  int64_t floor_ms_ = 0;  // End of the turn before.
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_VAD_H_
