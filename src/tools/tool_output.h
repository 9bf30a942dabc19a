#ifndef CALLBRIDGE_SRC_TOOLS_TOOL_OUTPUT_H_
#define CALLBRIDGE_SRC_TOOLS_TOOL_OUTPUT_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "src/session/settings.h"
#include "src/web/web_client.h"

namespace callbridge::tools {

// What the model is told about a tool call.
struct ToolOutput {
  bool ok = false;
  std::string text;  // UTF-8.
};

// From the answer, or the failure, of the tool's request. An answer of 2xx is given as it is; of a 4xx that is about
// the request, the first 500 bytes, for a model that can correct itself; of other statuses nothing but the number. The
// tool's secret never appears. Pure.
ToolOutput OutputOf(const session::HttpTool& tool, const absl::StatusOr<web::WebResponse>& answer, size_t max_bytes);

// `bytes` with each byte that belongs to no UTF-8 sequence replaced by U+FFFD.
std::string CleanUtf8(const std::string& bytes);

}  // namespace callbridge::tools

#endif  // CALLBRIDGE_SRC_TOOLS_TOOL_OUTPUT_H_
