#ifndef CALLBRIDGE_SRC_BENCH_STREAM_LOAD_H_
#define CALLBRIDGE_SRC_BENCH_STREAM_LOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace callbridge::bench {

// Streams of the events of all calls, each on a connection of its own. Of them some stall: they begin with the first
// event, read one message and no more.
struct StreamCase {
  int streams = 1;
  int stalled = 0;
};

// What the streams that read got of the events that kStreamCalls live calls made, whose callers interrupt once a
// second.
struct StreamFigures {
  StreamCase load;
  double events_per_second = 0;
  double p50_us = 0;  // From an event's time, which its call's session gave it, to its arrival at a client.
  double p99_us = 0;
  double core_percent = 0;    // What the server took of one core in the window, audio included.
  double kb_per_stream = 0;   // Growth of the server's private memory per stream that reads, before the window ...
  double kb_per_stalled = 0;  // ... and per stream that stalls. 0: there is none.
};

inline constexpr int kStreamCalls = 10;

struct StreamOptions {
  std::string server;  // Path of the callbridge binary.
  std::string folder;  // For configuration, database and log.
  int threads = 1;
  absl::Duration window = absl::Seconds(10);
};

// Blocks for the window and about 15 s. kDataLoss: a stream missed an event, or two got different numbers of them.
absl::StatusOr<StreamFigures> MeasureStreams(const StreamOptions& options, const StreamCase& load);

// One line each.
std::string FormatStreams(const std::vector<StreamFigures>& figures);

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_STREAM_LOAD_H_
