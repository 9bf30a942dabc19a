#include "src/bench/runner.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "src/base/ids.h"
#include "src/bench/child.h"
#include "src/bench/load.h"
#include "src/bench/statistics.h"

namespace callbridge::bench {
namespace {

// The first calls pay for what all share (the loop's buffers, the database's pages, the allocator's first blocks);
// memory per call is what each one after them adds.
constexpr int kFirstCalls = 5;
constexpr absl::Duration kBetweenCalls = absl::Milliseconds(10);
constexpr absl::Duration kSettle = absl::Seconds(1);
constexpr absl::Duration kInterrupting = absl::Seconds(4);
constexpr absl::Duration kTalkLimit = absl::Seconds(30);
constexpr absl::Duration kReadyLimit = absl::Seconds(20);

std::string TextDuration(int ms) {
  return absl::StrCat(" { seconds: ", ms / 1000, " nanos: ", ms % 1000 * 1'000'000, " } ");
}

std::string Config(const Case& load) {
  std::string playout;
  if (load.lead_ms > 0) absl::StrAppend(&playout, "lead", TextDuration(load.lead_ms));
  if (load.sent_ms > 0) absl::StrAppend(&playout, "longest_piece", TextDuration(load.sent_ms));
  return absl::StrCat(
      "agents {\n  key: \"bench\"\n  instructions: \"You are the assistant of a benchmark. Go on speaking.\"\n"
      "  greeting_prompt: \"Greet the caller.\"\n  playout { ",
      playout, "}\n}\n");
}

// One run, from the start of the program to its end.
class Measurement {
 public:
  Measurement(const RunnerOptions& options, Program program, const Case& load) : options_(options), program_(program) {
    run_.load = load;
    run_.program = program;
  }

  Trial Go() {
    if (absl::Status status = Try(); !status.ok()) run_.trouble = std::string(status.message());
    return run_;
  }

 private:
  absl::Status Try() {
    Load::Options load;
    load.piece_ms = run_.load.piece_ms;
    load.ahead_ms = run_.load.ahead_ms;
    auto started = Load::Start(load);
    if (!started.ok()) return started.status();
    load_ = *std::move(started);
    if (absl::Status status = StartProgram(); !status.ok()) return status;
    if (absl::Status status = AddCalls(std::min(kFirstCalls, run_.load.calls)); !status.ok()) return status;
    absl::SleepFor(kSettle);
    const auto memory_before = child_->PrivateKb();
    if (!memory_before.ok()) return memory_before.status();
    if (absl::Status status = AddCalls(run_.load.calls); !status.ok()) return status;
    absl::SleepFor(options_.warmup);
    if (absl::Status status = MeasureWindow(); !status.ok()) return status;
    const auto memory_after = child_->PrivateKb();
    if (!memory_after.ok()) return memory_after.status();
    run_.kb_per_call = (*memory_after - *memory_before) / std::max(run_.load.calls - kFirstCalls, 1);
    MeasureTalk();
    if (load_->lost() == 0) return absl::OkStatus();
    return absl::InternalError(absl::StrCat(load_->lost(), " sockets closed during the run"));
  }

  absl::Status StartProgram() {
    const auto port = FreePort();
    if (!port.ok()) return port.status();
    port_ = *port;
    auto child = program_ == Program::kRelay ? StartRelay() : StartServer();
    if (!child.ok()) return child.status();
    child_ = *std::move(child);
    const absl::Status ready = child_->WaitReady(port_, kReadyLimit);
    if (ready.ok()) return ready;
    return absl::Status(ready.code(), absl::StrCat(ready.message(), "; see ", Log()));
  }

  std::string Log() const {
    return absl::StrCat(options_.folder, program_ == Program::kRelay ? "/relay.log" : "/callbridge.log");
  }

  absl::StatusOr<std::unique_ptr<Child>> StartRelay() {
    return Child::Start(
        {options_.self, "--relay", absl::StrCat("--relay_port=", port_),
         absl::StrCat("--relay_model_url=", load_->model_url()), absl::StrCat("--threads=", options_.threads)},
        {}, Log());
  }

  absl::StatusOr<std::unique_ptr<Child>> StartServer() {
    const auto admin_port = FreePort();
    if (!admin_port.ok()) return admin_port.status();
    admin_port_ = *admin_port;
    const std::string config = absl::StrCat(options_.folder, "/bench.textproto");
    std::ofstream(config) << Config(run_.load);
    const std::string database = absl::StrCat(options_.folder, "/", base::NewUuid(), ".db");
    return Child::Start(
        {options_.server, absl::StrCat("--http_listen=127.0.0.1:", port_), "--grpc_listen=127.0.0.1:0",
         absl::StrCat("--admin_listen=127.0.0.1:", admin_port_), absl::StrCat("--public_url=http://127.0.0.1:", port_),
         absl::StrCat("--database_url=sqlite:", database), absl::StrCat("--openai_url=", load_->model_url()),
         "--plivo_api_url=http://127.0.0.1:9", "--webhook_auth=none", absl::StrCat("--config=", config),
         absl::StrCat("--media_threads=", options_.threads)},
        {"OPENAI_API_KEY=sk-bench", "PLIVO_AUTH_ID=MABENCHBENCHBENCH000", "PLIVO_AUTH_TOKEN=bench"}, Log());
  }

  // Until there are `calls`, all of which talk.
  absl::Status AddCalls(int calls) {
    for (; calls_ < calls; ++calls_) {
      const std::string call_id = base::NewUuid();
      const auto url = AnswerCall(call_id);
      if (!url.ok()) return url.status();
      load_->AddCall(*url, call_id);
      absl::SleepFor(kBetweenCalls);
    }
    const absl::Time deadline = absl::Now() + kTalkLimit;
    while (load_->talking() < calls) {
      if (load_->lost() > 0 || absl::Now() > deadline) {
        return absl::UnavailableError(absl::StrCat("of ", calls, " calls ", load_->talking(), " talk, ", load_->lost(),
                                                   " sockets have closed; see ", Log()));
      }
      absl::SleepFor(absl::Milliseconds(20));
    }
    return absl::OkStatus();
  }

  // The carrier's question what to do with a call.
  absl::StatusOr<std::string> AnswerCall(const std::string& call_id) const {
    if (program_ == Program::kRelay) return absl::StrCat("ws://127.0.0.1:", port_, "/stream");
    const auto answer = Fetch(
        port_, absl::StrCat("/answer?CallUUID=", call_id,
                            "&From=14155550123&To=14155550100&Direction=inbound&Event=StartApp&CallStatus=ringing"));
    if (!answer.ok()) return answer.status();
    std::string url = StreamUrl(*answer);
    if (url.empty()) return absl::InternalError("the answer holds no Stream");
    return url;
  }

  absl::Status MeasureWindow() {
    const auto cpu_before = child_->CpuTime();
    if (!cpu_before.ok()) return cpu_before.status();
    load_->StartWindow();
    absl::SleepFor(options_.window);
    Load::Window window = load_->EndWindow();
    const auto cpu_after = child_->CpuTime();
    if (!cpu_after.ok()) return cpu_after.status();
    const double frames = static_cast<double>(window.to_model_us.size());
    if (frames == 0 || window.to_caller_us.empty()) return absl::UnavailableError("no audio came through");
    const double seconds = absl::ToDoubleSeconds(window.length);
    const double cpu = absl::ToDoubleSeconds(*cpu_after - *cpu_before);
    run_.cpu_us_per_pair = cpu * 1e6 / frames;
    run_.core_percent_per_call = cpu * 100 / (seconds * run_.load.calls);
    run_.load_core_percent = absl::ToDoubleSeconds(window.cpu) * 100 / seconds;
    run_.delivered_percent =
        100 * std::min(frames / static_cast<double>(window.frames_due),
                       static_cast<double>(window.to_caller_us.size()) / static_cast<double>(window.pieces_due));
    run_.gaps_per_minute = static_cast<double>(window.gaps) * 60 / (seconds * run_.load.calls);
    run_.to_model_p50_us = Percentile(window.to_model_us, 50);
    run_.to_model_p99_us = Percentile(window.to_model_us, 99);
    run_.to_caller_p50_us = Percentile(window.to_caller_us, 50);
    run_.to_caller_p99_us = Percentile(window.to_caller_us, 99);
    return absl::OkStatus();
  }

  void MeasureTalk() {
    Interrupt();
    if (admin_port_ == 0) return;
    const auto metrics = Fetch(admin_port_, "/metrics");
    if (metrics.ok()) run_.stop_inside_p99_us = 1e6 * HistogramBound(*metrics, "callbridge_stop_seconds", 99);
  }

  void Interrupt() {
    Load::Talk talk = load_->Interrupt(kInterrupting);
    run_.first_p50_us = Percentile(talk.first_us, 50);
    run_.first_p99_us = Percentile(talk.first_us, 99);
    run_.stop_p50_us = Percentile(talk.stop_us, 50);
    run_.stop_p99_us = Percentile(talk.stop_us, 99);
    run_.thrown_p50_ms = Percentile(talk.thrown_ms, 50);
    run_.thrown_p99_ms = Percentile(talk.thrown_ms, 99);
    run_.stopped_percent = 100.0 * static_cast<double>(talk.stop_us.size()) / std::max(talk.interruptions, 1);
  }

  const RunnerOptions& options_;
  const Program program_;
  Trial run_;
  int port_ = 0;
  int admin_port_ = 0;  // 0: the program has none.
  int calls_ = 0;
  std::unique_ptr<Load> load_;
  std::unique_ptr<Child> child_;  // Goes before the load that it talks to.
};

}  // namespace

std::string StreamUrl(const std::string& answer_xml) {
  absl::string_view rest = answer_xml;
  const size_t element = rest.find("<Stream");
  if (element == absl::string_view::npos) return "";
  rest.remove_prefix(element);
  const size_t text = rest.find('>');
  if (text == absl::string_view::npos) return "";
  rest.remove_prefix(text + 1);
  return absl::StrReplaceAll(rest.substr(0, rest.find('<')), {{"&amp;", "&"}});
}

Trial Measure(const RunnerOptions& options, Program program, const Case& load) {
  return Measurement(options, program, load).Go();
}

}  // namespace callbridge::bench
