#ifndef CALLBRIDGE_SRC_CALL_OPTIONS_TEXT_H_
#define CALLBRIDGE_SRC_CALL_OPTIONS_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "src/call/options.h"

// How a call is conducted, as lines of text, so that a call that was written down can be conducted the same way again:
//   direction=outbound
//   answer_limit_ms=4000
//   destination.sales.target.1.number="+15550111"
// Durations are milliseconds, with decimals where needed, or "never". Of prompts the text and the length are kept.
namespace callbridge::call {

// All options, also those that have their defaults: a default may change. Each line ends with a newline.
std::string FormatOptions(const CallOptions& options);

// Sets what one line says, without its newline. kInvalidArgument: there is no such option, or its value makes no sense.
// Targets of a destination come in their order, from 1.
absl::Status ParseOption(absl::string_view line, CallOptions* options);

// Silence of so many bytes as base64: stands for audio of which only the length is known.
std::string SilentBase64(int64_t bytes);

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_OPTIONS_TEXT_H_
