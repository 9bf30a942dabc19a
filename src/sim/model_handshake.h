#ifndef CALLBRIDGE_SRC_SIM_MODEL_HANDSHAKE_H_
#define CALLBRIDGE_SRC_SIM_MODEL_HANDSHAKE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "src/base/http_message.h"

namespace callbridge::sim {

// What the service makes of an upgrade request: opened, refused over HTTP, or opened only to be told off and closed, as
// the Realtime service does with most mistakes.
struct HandshakeVerdict {
  int http_status = 0;     // Not 0: the upgrade is refused.
  std::string error_code;  // Not empty: an error event follows the 101, then a close with `close_code`.
  std::string error_message;
  int close_code = 0;
  std::string model;  // As asked for.
};

HandshakeVerdict JudgeHandshake(const base::HttpRequest& request, absl::string_view api_key);

// A refusal by script: "http:401", "error:insufficient_quota". Anything else is a refusal that says so.
HandshakeVerdict ScriptedRefusal(absl::string_view refuse);

// Whether the model reasons: phases, `reasoning`, `parallel_tool_calls`.
bool IsReasoningModel(absl::string_view model);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_HANDSHAKE_H_
