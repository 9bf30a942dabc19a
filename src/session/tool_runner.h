#ifndef CALLBRIDGE_SRC_SESSION_TOOL_RUNNER_H_
#define CALLBRIDGE_SRC_SESSION_TOOL_RUNNER_H_

#include <functional>
#include <string>

namespace callbridge::session {

// Runs the tools of agents that are not built in.
class ToolRunner {
 public:
  virtual ~ToolRunner() = default;

  // Runs a tool of `agent` by its `name`, at most once per `tool_call_id` of a call. `arguments` is the JSON that the
  // model wrote. Does not block; `done` runs once, on any thread, with what the model is told: what the tool answered,
  // or (not `ok`) words about what went wrong.
  virtual void Run(const std::string& agent, const std::string& call_id, const std::string& tool_call_id,
                   const std::string& name, const std::string& arguments,
                   std::function<void(bool ok, std::string output)> done) = 0;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_TOOL_RUNNER_H_
