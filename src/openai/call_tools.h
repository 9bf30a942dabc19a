#ifndef CALLBRIDGE_SRC_OPENAI_CALL_TOOLS_H_
#define CALLBRIDGE_SRC_OPENAI_CALL_TOOLS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/openai/session_config.h"

namespace callbridge::openai {

// The tools with which the assistant handles the call itself, beside the transfer (transfer_tool.h). What the model
// writes as arguments is checked here; every error is written for the model to read: it says what would be right.

constexpr char kEndCallToolName[] = "end_call";
constexpr char kSendDtmfToolName[] = "send_dtmf";

// Keys in one call of send_dtmf.
constexpr size_t kMaxDigits = 32;

// Ends the call once the assistant's last words were heard.
Tool EndCallTool();

// Presses keys, as in another company's telephone menu.
Tool SendDtmfTool();

// Whether a tool of this name is ours, so that no other may have it: transfer_call, end_call, send_dtmf.
bool IsBuiltInTool(absl::string_view name);

struct EndArguments {
  std::string reason;  // In the model's words; may be empty.
};
// Lenient, because a caller who was told goodbye must not wait: kInvalidArgument only for what is no JSON object.
absl::StatusOr<EndArguments> ParseEndArguments(absl::string_view json);

struct DtmfArguments {
  std::string digits;  // 1 to kMaxDigits of 0-9 * # A-D.
};
// kInvalidArgument: not a JSON object, or `digits` is missing, no string, too long, or has other characters.
absl::StatusOr<DtmfArguments> ParseDtmfArguments(absl::string_view json);

// The arguments of any tool as a JSON object: blanks around it are cut, and nothing at all is an object without
// members. kInvalidArgument: something else.
absl::StatusOr<std::string> ToolArguments(absl::string_view json);

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_CALL_TOOLS_H_
