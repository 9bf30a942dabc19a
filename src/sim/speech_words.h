#ifndef CALLBRIDGE_SRC_SIM_SPEECH_WORDS_H_
#define CALLBRIDGE_SRC_SIM_SPEECH_WORDS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::sim {

// What is said in the recording `name` ("vm-goodbye", "digits/1"), after the script that the Asterisk project publishes
// with its sounds. Recordings that are not in the table get their name in words: "conf-now-recording" is "conf now
// recording". Beeps and "silence/3" have no words.
std::string WordsOf(absl::string_view name);

// Whether the table knows the name: scenarios should prefer such clips.
bool HasWords(absl::string_view name);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_SPEECH_WORDS_H_
