#ifndef CALLBRIDGE_SRC_BENCH_RUNNER_H_
#define CALLBRIDGE_SRC_BENCH_RUNNER_H_

#include <string>

#include "absl/time/time.h"
#include "src/bench/figures.h"

namespace callbridge::bench {

struct RunnerOptions {
  std::string server;  // Path of the callbridge binary.
  std::string self;    // Path of this binary, which is the relay too.
  std::string folder;  // For configuration, database and logs.
  int threads = 1;     // Event loops of either program.
  absl::Duration warmup = absl::Seconds(3);
  absl::Duration window = absl::Seconds(10);
};

// Starts the program and a load, lets them run, and measures. Never fails: a run that does not come about says why.
Trial Measure(const RunnerOptions& options, Program program, const Case& load);

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_RUNNER_H_
