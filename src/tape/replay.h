#ifndef CALLBRIDGE_SRC_TAPE_REPLAY_H_
#define CALLBRIDGE_SRC_TAPE_REPLAY_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "src/tape/reader.h"

namespace callbridge::tape {

// What came of running a call again from its tape.
struct Verdict {
  bool same = false;
  bool complete = false;   // The whole call is on the tape. If not, it was the same as far as the tape goes.
  int64_t inputs = 0;      // Fed.
  int64_t results = 0;     // Commands and events compared.
  int line = 0;            // Where the first difference is; 0: none.
  std::string difference;  // In words, with what came before; several lines, each with its newline.

  // One line: "the same: 812 inputs, 1203 commands and events".
  std::string Summary() const;
};

// Feeds the tape's inputs to a call at their times, and compares what it wants with what is on the tape, in order.
// Stops at the first difference. Uses neither network nor clock; audio is silence of the recorded length where the tape
// has no more. Masked numbers stay masked. `print` gets each line of the timeline without a newline; may be null.
Verdict Replay(const Tape& tape, const std::function<void(absl::string_view)>& print = nullptr);

}  // namespace callbridge::tape

#endif  // CALLBRIDGE_SRC_TAPE_REPLAY_H_
