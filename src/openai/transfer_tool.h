#ifndef CALLBRIDGE_SRC_OPENAI_TRANSFER_TOOL_H_
#define CALLBRIDGE_SRC_OPENAI_TRANSFER_TOOL_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/openai/session_config.h"

namespace callbridge::openai {

constexpr char kTransferToolName[] = "transfer_call";

// The tool with which the assistant hands the caller to a human. The model chooses a key of `destinations`, never a
// number; the values tell it when to choose which.
Tool TransferTool(const std::map<std::string, std::string>& destinations);

struct TransferArguments {
  std::string destination;  // As the model wrote it; may be no key of ours.
  std::string reason;
};

// kInvalidArgument: not a JSON object, or `destination` is missing or no string; the message is written for the model
// to read.
absl::StatusOr<TransferArguments> ParseTransferArguments(absl::string_view json);

// What a tool call gave, for the model: {"status":"ok"|"failed","message":...}; a message that is a JSON object or
// array stands as it is under "result" instead.
std::string FormatToolOutput(bool ok, absl::string_view message);

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_TRANSFER_TOOL_H_
