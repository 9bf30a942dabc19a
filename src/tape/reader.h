#ifndef CALLBRIDGE_SRC_TAPE_READER_H_
#define CALLBRIDGE_SRC_TAPE_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/call/input.h"
#include "src/call/options.h"

namespace callbridge::tape {

// One thing on a tape.
struct Entry {
  enum class Kind {
    kInput,
    kFrame,  // Audio of the caller, by Call::OnCallerAudio.
    kSound,  // Audio of the model, by Call::OnModelAudio.
    kCommand,
    kEvent,
  };
  Kind kind = Kind::kInput;
  absl::Duration at;         // Since the begin.
  int line = 0;              // Of the file; frames that were written together share theirs.
  std::string text;          // As written, without time and mark.
  call::input::Input input;  // Not of commands and events.
  int64_t bytes = 0;         // kSound: the length that its message told.
};

// A tape that was read: everything that is needed to run its call again.
struct Tape {
  absl::Time begin;
  call::CallOptions options;
  std::vector<Entry> entries;  // In their order.
  bool complete = false;       // Its end is there. If not, the process died, or could not write any more.
};

// kInvalidArgument names the line and what would be right. A last line without its newline is the trace of a crash: it
// is left out. At most 256 MB.
absl::StatusOr<Tape> ReadTape(absl::string_view text);

// The same from a file; kNotFound, kPermissionDenied ... as the system says.
absl::StatusOr<Tape> ReadTapeFile(const std::string& path);

}  // namespace callbridge::tape

#endif  // CALLBRIDGE_SRC_TAPE_READER_H_
