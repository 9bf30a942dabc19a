#ifndef CALLBRIDGE_SRC_AUDIO_VOICE_METER_H_
#define CALLBRIDGE_SRC_AUDIO_VOICE_METER_H_

#include "absl/strings/string_view.h"

namespace callbridge::audio {

// Whether somebody is heard in a frame of a telephone line, by its energy above a floor that follows the line's noise:
// down at once, up slowly, so that a sentence does not become the floor. Not a word detector: a cough counts while it
// lasts. Not thread-safe; a few microseconds for each frame.
class VoiceMeter {
 public:
  // One frame of the caller, usually 20 ms, as base64 of 8 kHz mu-law. What is no such text is silence.
  bool Voiced(absl::string_view base64);

  // Forgets the line's noise.
  void Reset() { *this = VoiceMeter(); }

 private:
  static constexpr double kFirstFloorDb = -60;
  double floor_db_ = kFirstFloorDb;  // Against full scale.
};

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_VOICE_METER_H_
