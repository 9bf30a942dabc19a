#ifndef CALLBRIDGE_SRC_SESSION_TOOL_RUNNER_H_
#define CALLBRIDGE_SRC_SESSION_TOOL_RUNNER_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace callbridge::session {

// Runs the tools that an agent's configuration names. Thread-safe; must not block.
class ToolRunner {
 public:
  virtual ~ToolRunner() = default;

  // Whether Run() would be given arguments that fit the tool. The message of an error is for the model. Pure, quick.
  virtual absl::Status Check(const std::string& /*agent*/, const std::string& /*name*/,
                             absl::string_view /*arguments*/) const {
    return absl::OkStatus();
  }

  // Runs one tool once. `arguments` is a JSON object that passed Check(). `done` is called exactly once, on any thread,
  // possibly inside this call, also when the tool takes too long; `output` is for the model: JSON, or words about what
  // went wrong. `tool_call_id` is the same if the same call were ever asked for again.
  virtual void Run(const std::string& agent, const std::string& call_id, const std::string& tool_call_id,
                   const std::string& name, const std::string& arguments,
                   std::function<void(bool ok, std::string output)> done) = 0;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_TOOL_RUNNER_H_
