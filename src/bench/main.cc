// Measures callbridge beside a bare relay: `./dev bench`. docs/performance.md tells what the figures mean.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
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
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "src/bench/figures.h"
#include "src/bench/relay.h"
#include "src/bench/runner.h"
#include "src/bench/store_load.h"
#include "src/bench/stream_figures.h"
#include "src/bench/stream_load.h"
#include "src/store/postgres/postgres_store.h"
#include "src/store/sqlite/sqlite_store.h"

ABSL_FLAG(std::string, server, "", "path of the callbridge binary");
ABSL_FLAG(std::string, calls, "50,100,200", "how many calls at once, one after the other");
ABSL_FLAG(std::string, pieces, "20,200", "lengths of the model's pieces in ms");
ABSL_FLAG(int, repetitions, 5,
          "pairs of runs, of either program, at the load of the aims (100 calls); one at the others");
ABSL_FLAG(int, seconds, 10, "measured time of a run");
ABSL_FLAG(int, warmup, 3, "seconds before that in which all calls are up");
ABSL_FLAG(int, threads, 1, "event loops of either program");
ABSL_FLAG(bool, quick, false, "50 calls only, one run each: about a minute, and figures that mean little");
ABSL_FLAG(bool, playout, false,
          "callbridge alone, with each lead and length of pieces to the carrier: CPU, stop latency, audio thrown away");
ABSL_FLAG(std::string, leads, "100,200,400,600", "--playout: leads in ms");
ABSL_FLAG(std::string, sent, "20,40,60,100,200", "--playout: lengths of the pieces that go to the carrier, in ms");
ABSL_FLAG(bool, stores, false, "the stores alone: how soon an event is committed, and what a call's records cost");
ABSL_FLAG(bool, streams, false, "event streams: how soon an event is at a client, and what streams cost that stall");
ABSL_FLAG(std::string, postgres_url, "", "--stores: a PostgreSQL database that may be written to; empty: SQLite only");
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
    for (const int count : calls) {
      bench::Case load;
      load.calls = count;
      load.piece_ms = piece;
      plan.push_back({load, count == bench::kAimCalls ? repetitions : 1});
    }
  }
  return plan;
}

// The model of these is as far ahead as real ones are: what the carrier gets when is the playout's decision alone.
std::vector<bench::Case> MakePlayoutPlan(const std::vector<int>& leads, const std::vector<int>& sent) {
  std::vector<bench::Case> plan;
  for (const int lead : leads) {
    for (const int length : sent) {
      bench::Case load;
      load.calls = bench::kAimCalls;
      load.piece_ms = 200;
      load.ahead_ms = 3000;
      load.lead_ms = lead;
      load.sent_ms = length;
      plan.push_back(load);
    }
  }
  return plan;
}

std::vector<bench::Trial> CarryPlayout(const bench::RunnerOptions& options, const std::vector<bench::Case>& plan,
                                       int repetitions) {
  std::vector<bench::Trial> trials;
  const size_t total = plan.size() * static_cast<size_t>(repetitions);
  for (int i = 0; i < repetitions; ++i) {
    for (const bench::Case& load : plan) {
      std::fprintf(stderr, "[%zu/%zu] a lead of %d ms, pieces of %d ms\n", trials.size() + 1, total, load.lead_ms,
                   load.sent_ms);
      trials.push_back(bench::Measure(options, bench::Program::kCallbridge, load));
      trials.back().pair = i;
    }
  }
  return trials;
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

bench::Setting MakeSetting(const bench::RunnerOptions& options) {
  bench::Setting setting;
  setting.date = absl::FormatTime("%Y-%m-%d", absl::Now(), absl::UTCTimeZone());
  setting.machine = MachineName();
  setting.cores = static_cast<int>(std::thread::hardware_concurrency());
  setting.threads = options.threads;
  setting.window_seconds = absl::ToDoubleSeconds(options.window);
  setting.warmup_seconds = absl::ToDoubleSeconds(options.warmup);
  return setting;
}

// 0 if there is something to read.
int Report(const bench::RunnerOptions& options, const std::vector<bench::Trial>& runs, bool playout,
           const std::vector<bench::StreamFigures>& streams = {}) {
  const std::vector<bench::Row> rows = bench::MakeRows(runs);
  const std::vector<bench::Comparison> comparisons = bench::Compare(runs);
  const std::string table = playout ? bench::FormatPlayoutTable(rows) : bench::FormatTable(rows, comparisons);
  const std::string json = absl::GetFlag(FLAGS_json);
  std::FILE* const shown = json == "-" ? stderr : stdout;
  if (!runs.empty()) std::fputs(table.c_str(), shown);
  if (!streams.empty()) std::fputs(absl::StrCat("\n", bench::FormatStreams(streams)).c_str(), shown);
  if (!json.empty() && !Write(json, bench::FormatJson(MakeSetting(options), runs, rows, comparisons, streams)))
    return Fail("--json: cannot be written");
  bool trouble = !playout && streams.empty();
  for (const bench::Trial& run : runs) trouble = trouble || !run.trouble.empty();
  if (!trouble) std::filesystem::remove_all(options.folder);
  if (playout) return trouble ? 1 : 0;
  return comparisons.empty() && !runs.empty() ? 1 : 0;
}

// What is asked for, from the flags.
struct Request {
  bool playout = false;
  std::vector<int> calls;
  std::vector<int> pieces;
  std::vector<int> leads;
  std::vector<int> sent;
  int repetitions = 1;
  int seconds = 0;
  int warmup = 0;
};

Request ReadRequest() {
  const bool quick = absl::GetFlag(FLAGS_quick);
  Request request;
  request.playout = absl::GetFlag(FLAGS_playout);
  request.calls = quick ? std::vector<int>{kQuickCalls} : Numbers(absl::GetFlag(FLAGS_calls), kMaxCalls);
  request.pieces = Numbers(absl::GetFlag(FLAGS_pieces), 1000);
  request.leads = Numbers(absl::GetFlag(FLAGS_leads), 2000);
  request.sent = Numbers(absl::GetFlag(FLAGS_sent), 500);
  request.repetitions = absl::GetFlag(FLAGS_repetitions);
  request.seconds = absl::GetFlag(FLAGS_seconds);
  request.warmup = absl::GetFlag(FLAGS_warmup);
  return request;
}

// What is wrong with it; empty: nothing.
std::string FindMistake(const Request& request) {
  if (request.calls.empty()) return absl::StrCat("--calls: numbers from 1 to ", kMaxCalls, " separated by commas");
  if (request.pieces.empty()) return "--pieces: milliseconds from 1 to 1000 separated by commas";
  const auto below = [](const std::vector<int>& numbers, int least) {
    return std::any_of(numbers.begin(), numbers.end(), [&](int number) { return number < least; });
  };
  if (request.leads.empty() || below(request.leads, 100))
    return "--leads: milliseconds from 100 to 2000 separated by commas";
  if (request.sent.empty() || below(request.sent, 20)) return "--sent: milliseconds from 20 to 500 separated by commas";
  if (request.repetitions < 1 || request.repetitions > 100) return "--repetitions: 1 to 100";
  if (request.seconds < 1 || request.seconds > 600) return "--seconds: 1 to 600";
  if (request.warmup < 0 || request.warmup > 60) return "--warmup: 0 to 60";
  if (access(absl::GetFlag(FLAGS_server).c_str(), X_OK) != 0) return "--server: no program at that path";
  return "";
}

absl::StatusOr<std::vector<bench::StoreFigures>> MeasureStores(absl::Duration window, const std::string& folder) {
  std::vector<bench::StoreFigures> all;
  const auto measure = [&](const std::string& name, callbridge::store::CallStore* store) {
    std::fprintf(stderr, "%s\n", name.c_str());
    auto figures = bench::MeasureStore(name, store, window);
    if (figures.ok()) all.push_back(*figures);
    return figures.status();
  };
  if (absl::Status status = measure("null", nullptr); !status.ok()) return status;
  auto sqlite = callbridge::store::SqliteStore::Open(folder + "/bench.db");
  if (!sqlite.ok()) return sqlite.status();
  if (absl::Status status = measure("sqlite", sqlite->get()); !status.ok()) return status;
  const std::string url = absl::GetFlag(FLAGS_postgres_url);
  if (url.empty()) return all;
  auto postgres = callbridge::store::PostgresStore::Open(url);
  if (!postgres.ok()) return postgres.status();
  if (absl::Status status = measure("postgresql", postgres->get()); !status.ok()) return status;
  return all;
}

int RunStores() {
  const int seconds = absl::GetFlag(FLAGS_seconds);
  if (seconds < 1 || seconds > 600) return Fail("--seconds: 1 to 600");
  const std::string folder = MakeFolder();
  if (folder.empty()) return Fail("no temporary folder can be made");
  const auto figures = MeasureStores(absl::Seconds(seconds), folder);
  std::filesystem::remove_all(folder);
  if (!figures.ok()) return Fail(figures.status().message());
  std::fputs(bench::FormatStores(*figures).c_str(), stdout);
  return 0;
}

// One stream, as many as a room full of dashboards has, and the same with a tenth of them asleep.
constexpr bench::StreamCase kStreamCases[] = {{1, 0}, {200, 0}, {200, 20}};

absl::StatusOr<std::vector<bench::StreamFigures>> CarryStreams(const bench::RunnerOptions& runner, bool quick) {
  const bench::StreamOptions options{runner.server, runner.folder, runner.threads, runner.window};
  std::vector<bench::StreamFigures> all;
  for (const bench::StreamCase& load : kStreamCases) {
    std::fprintf(stderr, "%d streams, of which %d stall\n", load.streams, load.stalled);
    const auto figures = bench::MeasureStreams(options, load);
    if (!figures.ok()) return figures.status();
    all.push_back(*figures);
    if (quick) break;
  }
  return all;
}

int RunBench() {
  if (absl::GetFlag(FLAGS_stores)) return RunStores();
  const Request request = ReadRequest();
  if (const std::string mistake = FindMistake(request); !mistake.empty()) return Fail(mistake);
  bench::RunnerOptions options;
  options.server = std::filesystem::absolute(absl::GetFlag(FLAGS_server)).string();
  options.self = std::filesystem::read_symlink("/proc/self/exe").string();
  options.folder = MakeFolder();
  options.threads = absl::GetFlag(FLAGS_threads);
  options.warmup = absl::Seconds(request.warmup);
  options.window = absl::Seconds(request.seconds);
  if (options.folder.empty()) return Fail("no temporary folder can be made");
  if (request.playout)
    return Report(options, CarryPlayout(options, MakePlayoutPlan(request.leads, request.sent), request.repetitions),
                  true);
  std::vector<bench::Trial> trials;
  if (!absl::GetFlag(FLAGS_streams))
    trials = Carry(options, MakePlan(request.calls, request.pieces, request.repetitions));
  const auto streams = CarryStreams(options, absl::GetFlag(FLAGS_quick));
  if (!streams.ok())
    std::fprintf(stderr, "  did not come about: %s\n", std::string(streams.status().message()).c_str());
  const int result = Report(options, trials, false, streams.value_or(std::vector<bench::StreamFigures>{}));
  return streams.ok() ? result : 1;
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
  // As the server does: the streams' clients are in here.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  RaiseDescriptors();
  if (!absl::GetFlag(FLAGS_relay)) return RunBench();
  const absl::Status status = bench::RunRelay(absl::GetFlag(FLAGS_relay_port), absl::GetFlag(FLAGS_relay_model_url),
                                              absl::GetFlag(FLAGS_threads));
  return Fail(status.message());
}
