#ifndef CALLBRIDGE_SRC_AUDIO_TONE_H_
#define CALLBRIDGE_SRC_AUDIO_TONE_H_

#include <string>

namespace callbridge::audio {

// What holds the line where no prompt is stored: two soft notes, less than a second, as base64 of 8 kHz mu-law.
const std::string& HoldTone();

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_TONE_H_
