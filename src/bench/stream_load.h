#ifndef CALLBRIDGE_SRC_BENCH_STREAM_LOAD_H_
#define CALLBRIDGE_SRC_BENCH_STREAM_LOAD_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/bench/stream_figures.h"

namespace callbridge::bench {

struct StreamOptions {
  std::string server;  // Path of the callbridge binary.
  std::string folder;  // For configuration, database and log.
  int threads = 1;
  absl::Duration window = absl::Seconds(10);
};

// Blocks for the window and about 15 s. kDataLoss: a stream missed an event, or two got different numbers of them.
absl::StatusOr<StreamFigures> MeasureStreams(const StreamOptions& options, const StreamCase& load);

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_STREAM_LOAD_H_
