#ifndef CALLBRIDGE_SRC_SIM_SPEECH_H_
#define CALLBRIDGE_SRC_SIM_SPEECH_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace callbridge::sim {

// Recorded human speech: name, words, and 8 kHz mu-law samples (1 byte each, 160 are 20 ms).
struct Clip {
  std::string name;   // "demo-congrats", "digits/1": the file's path in the library without suffix.
  std::string words;  // What is said.
  std::string mulaw;
};

// The recordings of Debian's asterisk-core-sounds-en-wav, converted to mu-law. Immutable after loading; any thread.
class SpeechLibrary {
 public:
  // Loads the .wav files (16-bit mono PCM at 8 kHz) of `folder` and its sub-folders. kNotFound: the folder or all files
  // are missing, with the package to install. kDataLoss names a file of another format.
  static absl::StatusOr<std::shared_ptr<const SpeechLibrary>> Load(
      const std::string& folder = "/usr/share/asterisk/sounds/en_US_f_Allison");
  virtual ~SpeechLibrary() = default;

  // Null if there is none of that name. Some are made, 1 to 60000 ms long and without words: "tone:500" is 440 Hz,
  // "beep:400" an answering machine's 1 kHz, "cough:300" a burst of noise, "hum:400" a voice that says nothing, and
  // "silence:500" silence. The clip lives as long as the library.
  virtual const Clip* Find(absl::string_view name) const = 0;

  // All recordings, by name in byte order, without the made ones.
  virtual std::vector<const Clip*> All() const = 0;

  // Which clips these samples contain, in order: recognised by their exact bytes, so only audio that passed untouched
  // is understood. A clip counts when at least 200 ms of it, or all that sounds of it, matched in order; pieces of it
  // may be missing. Silence and unknown sound are skipped. `mulaw` need not be aligned to frames. Of two recordings
  // with the same bytes the first by name counts.
  virtual std::vector<const Clip*> Recognize(absl::string_view mulaw) const = 0;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_SPEECH_H_
