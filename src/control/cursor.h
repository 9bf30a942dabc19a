#ifndef CALLBRIDGE_SRC_CONTROL_CURSOR_H_
#define CALLBRIDGE_SRC_CONTROL_CURSOR_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace callbridge::control {

// How far a reader of events got. Serves streams of one call and of all: the position is always known.
struct Cursor {
  int64_t position = 0;  // In the log of all calls; 0: before the first event.
  std::string call_id;   // With `sequence`: that call's event at `position`. Empty: made by a stream of all calls.
  int64_t sequence = 0;
};

// Opaque to clients, versioned.
std::string FormatCursor(const Cursor& cursor);

// nullopt: not a cursor of ours, or damaged.
absl::optional<Cursor> ParseCursor(absl::string_view text);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_CURSOR_H_
