#ifndef CALLBRIDGE_SRC_CALL_INPUT_TEXT_H_
#define CALLBRIDGE_SRC_CALL_INPUT_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/call/command.h"
#include "src/call/input.h"

// Inputs and commands as lines of text, so that a call can be written down and fed again:
//   speech_started item_id="u1"
// The name, then the fields as name=value, strings quoted with C escapes. Fields that are not named keep their
// defaults.
namespace callbridge::call {

std::string FormatInput(const input::Input& input);
std::string FormatCommand(const command::Command& command);

// The inverse of FormatInput; also takes unquoted strings without blanks. kInvalidArgument names the word that is
// wrong.
absl::StatusOr<input::Input> ParseInput(absl::string_view line);

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_INPUT_TEXT_H_
