#ifndef CALLBRIDGE_SRC_AUDIO_BEEP_DETECTOR_H_
#define CALLBRIDGE_SRC_AUDIO_BEEP_DETECTOR_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace callbridge::audio {

// Hears the tone with which an answering machine begins to record: a single frequency of 350 to 2500 Hz that stays the
// same for 120 ms or more. Speech and music change, and a key is two tones far apart; two that are close (a busy
// signal) count as one. Not thread-safe.
class BeepDetector {
 public:
  // One frame of the line, usually 20 ms, as base64 of 8 kHz mu-law. True once: when the first beep has ended.
  bool OnFrame(absl::string_view base64);

 private:
  // Takes 20 ms, or the shorter rest of a frame.
  void Take(absl::Span<const int16_t> samples);

  int steady_ = 0;       // Windows in a row with the same tone.
  int gone_ = 0;         // Windows in a row without it, behind a beep.
  double cosine_ = 0;    // Twice that of the tone's step from sample to sample.
  bool beeped_ = false;  // Long enough.
  bool ended_ = false;
};

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_BEEP_DETECTOR_H_
