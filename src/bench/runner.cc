#include "src/bench/runner.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/base/ids.h"
#include "src/bench/bridge.h"
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
constexpr absl::Duration kReadyLimit = absl::Seconds(20);

std::string TextDuration(int ms) {
  return absl::StrCat(" { seconds: ", ms / 1000, " nanos: ", ms % 1000 * 1'000'000, " } ");
}

std::string Playout(const Case& load) {
  std::string playout;
  if (load.lead_ms > 0) absl::StrAppend(&playout, "lead", TextDuration(load.lead_ms));
  if (load.sent_ms > 0) absl::StrAppend(&playout, "longest_piece", TextDuration(load.sent_ms));
  return playout;
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

  absl::Status StartProgram() { return program_ == Program::kRelay ? StartRelay() : StartServer(); }

  absl::Status StartRelay() {
    const auto port = FreePort();
    if (!port.ok()) return port.status();
    port_ = *port;
    const std::string log = absl::StrCat(options_.folder, "/relay.log");
    auto child = Child::Start(
        {options_.self, "--relay", absl::StrCat("--relay_port=", port_),
         absl::StrCat("--relay_model_url=", load_->model_url()), absl::StrCat("--threads=", options_.threads)},
        {}, log);
    if (!child.ok()) return child.status();
    child_ = *std::move(child);
    const absl::Status ready = child_->WaitReady(port_, kReadyLimit);
    return ready.ok() ? ready : absl::Status(ready.code(), absl::StrCat(ready.message(), "; see ", log));
  }

  absl::Status StartServer() {
    BridgeOptions options;
    options.server = options_.server;
    options.folder = options_.folder;
    options.threads = options_.threads;
    options.playout = Playout(run_.load);
    options.model_url = load_->model_url();
    auto bridge = StartBridge(options);
    if (!bridge.ok()) return bridge.status();
    port_ = bridge->http_port;
    admin_port_ = bridge->admin_port;
    child_ = std::move(bridge->child);
    return absl::OkStatus();
  }

  // Until there are `calls`, all of which talk.
  absl::Status AddCalls(int calls) {
    for (; calls_ < calls; ++calls_) {
      const std::string call_id = base::NewUuid();
      const absl::StatusOr<std::string> url =
          program_ == Program::kRelay ? absl::StrCat("ws://127.0.0.1:", port_, "/stream") : AnswerCall(port_, call_id);
      if (!url.ok()) return url.status();
      load_->AddCall(*url, call_id);
      absl::SleepFor(kBetweenCalls);
    }
    return WaitUntilTalking(*load_, calls);
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

Trial Measure(const RunnerOptions& options, Program program, const Case& load) {
  return Measurement(options, program, load).Go();
}

}  // namespace callbridge::bench
