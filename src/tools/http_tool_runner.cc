#include "src/tools/http_tool_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/tools/json_schema.h"
#include "src/tools/tool_output.h"
#include "src/web/url.h"

namespace callbridge::tools {
namespace {

using base::Log;
using base::LogKind;

constexpr char kBusy[] = "Too many tools are running; nothing was done. Try again in a moment.";

template <typename Tool>
absl::Status Wrong(const std::string& agent, const Tool& tool, absl::string_view field, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("agent '", agent, "', tool '", tool.name, "', ", field, ": ", why));
}

bool IsHeaderText(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

absl::Status CheckTool(const std::string& agent, const session::HttpTool& tool) {
  if (absl::Status status = CheckSchema(tool.parameters_json); !status.ok()) {
    return Wrong(agent, tool, "parameters_json", status.message());
  }
  if (absl::Status status = web::CheckUrl(tool.url); !status.ok()) return Wrong(agent, tool, "url", status.message());
  if (!IsHeaderText(tool.secret) || !IsHeaderText(tool.secret_header)) {
    return Wrong(agent, tool, "secret_header", "a line break or another control character in it or its value");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTools(const session::Settings& settings) {
  for (const auto& [key, agent] : settings.agents) {
    for (const session::HttpTool& tool : agent.tools) {
      if (absl::Status status = CheckTool(key, tool); !status.ok()) return status;
    }
    for (const session::ClientTool& tool : agent.client_tools) {
      const absl::Status status = CheckSchema(tool.parameters_json);
      if (!status.ok()) return Wrong(key, tool, "parameters_json", status.message());
    }
  }
  return absl::OkStatus();
}

HttpToolRunner::HttpToolRunner(const session::Settings& settings, web::WebClient& web, Options options)
    : settings_(settings), web_(web), options_(std::move(options)) {}

HttpToolRunner::~HttpToolRunner() {
  std::vector<std::thread> threads;
  std::deque<Job> left;
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    left.swap(queue_);
    wake_.NotifyAll();
  }
  for (const Job& job : left) job.done(false, "The call is being ended; nothing was done.");
  for (std::thread& thread : threads) thread.join();
}

const session::HttpTool* HttpToolRunner::Find(const std::string& agent, const std::string& name) const {
  const auto found = settings_.agents.find(agent);
  if (found == settings_.agents.end()) return nullptr;
  for (const session::HttpTool& tool : found->second.tools) {
    if (tool.name == name) return &tool;
  }
  return nullptr;
}

bool HttpToolRunner::Remember(const std::string& key) {
  if (!seen_.insert(key).second) return false;
  seen_order_.push_back(key);
  if (seen_order_.size() > options_.remembered) {
    seen_.erase(seen_order_.front());
    seen_order_.pop_front();
  }
  return true;
}

absl::Status HttpToolRunner::Check(const std::string& agent, const std::string& name,
                                   absl::string_view arguments) const {
  if (const session::HttpTool* const tool = Find(agent, name)) return CheckArguments(tool->parameters_json, arguments);
  // Those that clients answer are not run here, but looked at all the same.
  const auto found = settings_.agents.find(agent);
  if (found != settings_.agents.end()) {
    for (const session::ClientTool& tool : found->second.client_tools) {
      if (tool.name == name) return CheckArguments(tool.parameters_json, arguments);
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("there is no tool '", name, "'"));
}

void HttpToolRunner::Run(const std::string& agent, const std::string& call_id, const std::string& tool_call_id,
                         const std::string& name, const std::string& arguments, Done done) {
  const session::HttpTool* const tool = Find(agent, name);
  if (tool == nullptr) {
    done(false, absl::StrCat("There is no tool '", name, "'."));
    return;
  }
  if (absl::Status status = CheckArguments(tool->parameters_json, arguments); !status.ok()) {
    done(false, absl::StrCat("Nothing was done, because the arguments do not fit: ", status.message()));
    return;
  }
  std::string refusal;
  {
    base::MutexLock lock(mutex_);
    if (stopping_ || queue_.size() >= options_.max_queued) {
      refusal = kBusy;
    } else if (!Remember(absl::StrCat(call_id, "/", tool_call_id))) {
      refusal = "This tool call was made before; it is not made twice.";
    } else {
      queue_.push_back({tool, call_id, tool_call_id, arguments, base::SystemClock().Now(), std::move(done)});
      if (queue_.size() > static_cast<size_t>(idle_) && static_cast<int>(threads_.size()) < options_.threads) {
        threads_.emplace_back([this] { Work(); });
      }
      wake_.NotifyOne();
      return;
    }
  }
  done(false, refusal);
}

bool HttpToolRunner::Take(Job* job) {
  for (auto next = queue_.begin(); next != queue_.end(); ++next) {
    int& running = running_[next->call_id];
    if (running >= options_.threads_per_call) continue;
    ++running;
    *job = std::move(*next);
    queue_.erase(next);
    return true;
  }
  return false;
}

void HttpToolRunner::Work() {
  for (;;) {
    Job job;
    {
      base::MutexLock lock(mutex_);
      ++idle_;
      while (!stopping_ && !Take(&job)) wake_.Wait(mutex_);
      --idle_;
      if (job.tool == nullptr) return;
    }
    RunJob(job);
    base::MutexLock lock(mutex_);
    const auto running = running_.find(job.call_id);
    if (--running->second == 0) running_.erase(running);
    // Another thread may have passed over this call's next job.
    wake_.NotifyOne();
  }
}

web::WebRequest HttpToolRunner::RequestOf(const Job& job) const {
  web::WebRequest request;
  request.url = job.tool->url;
  request.timeout = job.tool->timeout;
  request.ca_file = options_.ca_file;
  // One byte more than is given to the model tells that it was too much.
  request.max_response_bytes = options_.max_output_bytes + 1;
  request.headers = {{"Content-Type", "application/json"},
                     {"Idempotency-Key", absl::StrCat(job.call_id, "/", job.tool_call_id)},
                     {"X-Callbridge-Call-Id", job.call_id},
                     {"X-Callbridge-Tool-Call-Id", job.tool_call_id}};
  if (!job.tool->secret_header.empty()) request.headers.emplace_back(job.tool->secret_header, job.tool->secret);
  request.body = job.arguments.empty() ? "{}" : job.arguments;
  return request;
}

void HttpToolRunner::RunJob(const Job& job) {
  const absl::Time begin = base::SystemClock().Now();
  if (begin - job.queued > job.tool->timeout) {
    job.done(false, kBusy);
    return;
  }
  const absl::StatusOr<web::WebResponse> answer = web_.Post(RequestOf(job));
  const absl::Duration took = base::SystemClock().Now() - begin;
  Log(LogKind::kAssistant, job.call_id, "tool ran",
      {{"tool", job.tool->name},
       {"outcome", answer.ok() ? absl::StrCat("HTTP ", answer->status) : std::string(answer.status().message())},
       {"ms", absl::StrCat(absl::ToInt64Milliseconds(took))}});
  ToolOutput output = OutputOf(*job.tool, answer, options_.max_output_bytes);
  job.done(output.ok, std::move(output.text));
}

}  // namespace callbridge::tools
