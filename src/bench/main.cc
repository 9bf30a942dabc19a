// Measures callbridge beside a bare relay: `./dev bench`. docs/performance.md tells what the figures mean.

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "src/bench/figures.h"
#include "src/bench/relay.h"
#include "src/bench/runner.h"

ABSL_FLAG(std::string, server, "", "path of the callbridge binary");
ABSL_FLAG(std::string, calls, "50,100,200", "how many calls at once, one after the other");
ABSL_FLAG(std::string, pieces, "20,200", "lengths of the model's pieces in ms");
ABSL_FLAG(int, repetitions, 5,
          "pairs of runs, of either program, at the load of the aims (100 calls); one at the others");
ABSL_FLAG(int, seconds, 10, "measured time of a run");
ABSL_FLAG(int, warmup, 3, "seconds before that in which all calls are up");
ABSL_FLAG(int, threads, 1, "event loops of either program");
ABSL_FLAG(bool, quick, false, "50 calls only, one run each: about a minute, and figures that mean little");
ABSL_FLAG(std::string, json, "", "writes the figures as JSON to this file; -: to stdout, with the table on stderr");
ABSL_FLAG(bool, relay, false, "internal: be the relay");
ABSL_FLAG(int, relay_port, 0, "internal: where the relay listens");
ABSL_FLAG(std::string, relay_model_url, "", "internal: where the relay connects to");

namespace {

namespace bench = callbridge::bench;

constexpr int kMaxCalls = 2000;
constexpr int kQuickCalls = 50;  // Enough for the path to be hot.

int Fail(absl::string_view message) {
  std::fprintf(stderr, "callbridge_bench: %s\n", std::string(message).c_str());
  return 1;
}

// Whole numbers from 1 to `most`, separated by commas; empty if it is anything else.
std::vector<int> Numbers(const std::string& text, int most) {
  std::vector<int> numbers;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    int number = 0;
    if (!absl::SimpleAtoi(part, &number) || number < 1 || number > most) return {};
    numbers.push_back(number);
  }
  return numbers;
}

// Each call has two sockets here and two in the program.
void RaiseDescriptors() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string MachineName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (absl::StartsWith(line, "model name"))
      return std::string(absl::StripAsciiWhitespace(line.substr(line.find(':') + 1)));
  }
  return "unknown";
}

struct Planned {
  bench::Case load;
  int repetitions = 1;
};

std::vector<Planned> MakePlan(const std::vector<int>& calls, const std::vector<int>& pieces, int repetitions) {
  std::vector<Planned> plan;
  for (const int piece : pieces) {
    for (const int count : calls) plan.push_back({{count, piece}, count == bench::kAimCalls ? repetitions : 1});
  }
  return plan;
}

// Which program comes first changes from pair to pair, so that a drift of the machine favours neither.
std::vector<bench::Trial> Carry(const bench::RunnerOptions& options, const std::vector<Planned>& plan) {
  std::vector<bench::Trial> trials;
  int total = 0;
  for (const Planned& planned : plan) total += 2 * planned.repetitions;
  int pair = 0;
  for (const Planned& planned : plan) {
    for (int last = pair + planned.repetitions; pair < last; ++pair) {
      for (int second = 0; second < 2; ++second) {
        const auto program = (pair + second) % 2 == 0 ? bench::Program::kCallbridge : bench::Program::kRelay;
        std::fprintf(stderr, "[%d/%d] %s, %d calls, pieces of %d ms\n", static_cast<int>(trials.size()) + 1, total,
                     program == bench::Program::kRelay ? "relay" : "callbridge", planned.load.calls,
                     planned.load.piece_ms);
        trials.push_back(bench::Measure(options, program, planned.load));
        trials.back().pair = pair;
        if (!trials.back().trouble.empty())
          std::fprintf(stderr, "  did not come about: %s\n", trials.back().trouble.c_str());
      }
    }
  }
  return trials;
}

bool Write(const std::string& path, const std::string& text) {
  if (path == "-") return std::fputs(text.c_str(), stdout) >= 0;
  std::ofstream file(path);
  return static_cast<bool>(file << text << std::flush);
}

// A folder that goes with the process, unless a run failed whose logs somebody will want to read.
std::string MakeFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "callbridge-bench-XXXXXX").string();
  return mkdtemp(&pattern[0]) == nullptr ? "" : pattern;
}

int RunBench() {
  const bool quick = absl::GetFlag(FLAGS_quick);
  const std::vector<int> calls = quick ? std::vector<int>{kQuickCalls} : Numbers(absl::GetFlag(FLAGS_calls), kMaxCalls);
  const std::vector<int> pieces = Numbers(absl::GetFlag(FLAGS_pieces), 1000);
  const int repetitions = absl::GetFlag(FLAGS_repetitions);
  const int seconds = absl::GetFlag(FLAGS_seconds);
  const int warmup = absl::GetFlag(FLAGS_warmup);
  if (calls.empty()) return Fail(absl::StrCat("--calls: numbers from 1 to ", kMaxCalls, " separated by commas"));
  if (pieces.empty()) return Fail("--pieces: milliseconds from 1 to 1000 separated by commas");
  if (repetitions < 1 || repetitions > 100) return Fail("--repetitions: 1 to 100");
  if (seconds < 1 || seconds > 600 || warmup < 0 || warmup > 60) return Fail("--seconds: 1 to 600; --warmup: 0 to 60");
  if (access(absl::GetFlag(FLAGS_server).c_str(), X_OK) != 0) return Fail("--server: no program at that path");

  bench::RunnerOptions options;
  options.server = std::filesystem::absolute(absl::GetFlag(FLAGS_server)).string();
  options.self = std::filesystem::read_symlink("/proc/self/exe").string();
  options.folder = MakeFolder();
  options.threads = absl::GetFlag(FLAGS_threads);
  options.warmup = absl::Seconds(warmup);
  options.window = absl::Seconds(seconds);
  if (options.folder.empty()) return Fail("no temporary folder can be made");

  const std::vector<bench::Trial> runs = Carry(options, MakePlan(calls, pieces, repetitions));
  const std::vector<bench::Row> rows = bench::MakeRows(runs);
  const std::vector<bench::Comparison> comparisons = bench::Compare(runs);
  bench::Setting setting;
  setting.date = absl::FormatTime("%Y-%m-%d", absl::Now(), absl::UTCTimeZone());
  setting.machine = MachineName();
  setting.cores = static_cast<int>(std::thread::hardware_concurrency());
  setting.threads = options.threads;
  setting.window_seconds = seconds;
  setting.warmup_seconds = warmup;

  const std::string json = absl::GetFlag(FLAGS_json);
  std::fputs(bench::FormatTable(rows, comparisons).c_str(), json == "-" ? stderr : stdout);
  if (!json.empty() && !Write(json, bench::FormatJson(setting, runs, rows, comparisons)))
    return Fail("--json: cannot be written");
  bool trouble = false;
  for (const bench::Trial& run : runs) trouble = trouble || !run.trouble.empty();
  if (!trouble) std::filesystem::remove_all(options.folder);
  return comparisons.empty() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Measures callbridge and a bare relay in turn: latency, CPU time and memory per call. It is the load itself: a "
      "carrier and a\n"
      "model on one thread. Example: callbridge_bench --server=bazel-bin/src/app/callbridge --json=figures.json");
  const auto rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1) return Fail(absl::StrCat("'", rest[1], "' is no flag; see --help"));
  if (absl::GetFlag(FLAGS_threads) < 1 || absl::GetFlag(FLAGS_threads) > 64) return Fail("--threads: 1 to 64");
  std::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptors();
  if (!absl::GetFlag(FLAGS_relay)) return RunBench();
  const absl::Status status = bench::RunRelay(absl::GetFlag(FLAGS_relay_port), absl::GetFlag(FLAGS_relay_model_url),
                                              absl::GetFlag(FLAGS_threads));
  return Fail(status.message());
}
