#ifndef CALLBRIDGE_SRC_TOOLS_HTTP_TOOL_RUNNER_H_
#define CALLBRIDGE_SRC_TOOLS_HTTP_TOOL_RUNNER_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/session/settings.h"
#include "src/session/tool_runner.h"
#include "src/web/web_client.h"

namespace callbridge::tools {

// Whether the tools of all agents can be run: schemas that are enforced, URLs that may be called, a secret that fits a
// header. kInvalidArgument names the agent and the tool.
absl::Status CheckTools(const session::Settings& settings);

// Runs an agent's tools by an HTTPS POST of their arguments:
//   Content-Type: application/json
//   Idempotency-Key: <call id>/<tool call id>
//   X-Callbridge-Call-Id, X-Callbridge-Tool-Call-Id
//   and the tool's secret header, if it has one.
//
// A tool call is sent at most once: a second Run() of its id is refused (the last `remembered` ids are known), and what
// may have been carried out is not repeated. Arguments that do not fit the schema are not sent. An answer of 2xx with
// at most `max_output_bytes` is the output as it is, bytes that are no UTF-8 replaced; everything else is words for the
// model about what went wrong, without secrets.
//
// Requests run on threads of the runner's own, made as they are needed. A call has at most `threads_per_call` of them,
// so a slow tool holds up nobody else; what waits longer than the tool's timeout for its turn, or finds the queue
// full, ends as busy, unsent. Thread-safe.
class HttpToolRunner final : public session::ToolRunner {
 public:
  struct Options {
    int threads = 32;
    int threads_per_call = 2;
    size_t max_queued = 256;
    size_t max_output_bytes = 16 << 10;
    size_t remembered = 20'000;
    std::string ca_file;  // PEM; empty: the system's certificates.
  };

  // Both outlive the runner. `settings` have passed CheckTools.
  HttpToolRunner(const session::Settings& settings, web::WebClient& web, Options options);
  HttpToolRunner(const session::Settings& settings, web::WebClient& web) : HttpToolRunner(settings, web, Options()) {}

  // What waits ends without being sent; waits for requests under way: stop the web client before.
  ~HttpToolRunner() override;

  // Whether the agent has the tool and the arguments fit its schema.
  absl::Status Check(const std::string& agent, const std::string& name, absl::string_view arguments) const override;

  void Run(const std::string& agent, const std::string& call_id, const std::string& tool_call_id,
           const std::string& name, const std::string& arguments,
           std::function<void(bool ok, std::string output)> done) override;

 private:
  using Done = std::function<void(bool ok, std::string output)>;
  struct Job {
    const session::HttpTool* tool = nullptr;
    std::string call_id;
    std::string tool_call_id;
    std::string arguments;
    absl::Time queued;
    Done done;
  };

  const session::HttpTool* Find(const std::string& agent, const std::string& name) const;
  // False: the id is known already.
  bool Remember(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Work();
  // Takes the first job whose call may have one more thread.
  bool Take(Job* job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunJob(const Job& job);
  web::WebRequest RequestOf(const Job& job) const;

  const session::Settings& settings_;
  web::WebClient& web_;
  const Options options_;

  base::Mutex mutex_;
  base::CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Job> queue_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> running_ ABSL_GUARDED_BY(mutex_);  // By call: its requests under way.
  int idle_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::unordered_set<std::string> seen_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> seen_order_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace callbridge::tools

#endif  // CALLBRIDGE_SRC_TOOLS_HTTP_TOOL_RUNNER_H_
