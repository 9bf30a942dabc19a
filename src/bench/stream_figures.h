#ifndef CALLBRIDGE_SRC_BENCH_STREAM_FIGURES_H_
#define CALLBRIDGE_SRC_BENCH_STREAM_FIGURES_H_

#include <string>
#include <vector>

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
inline constexpr double kAimStreamMicros = 100'000;  // p99, of those that read while others stall.

// One line each.
std::string FormatStreams(const std::vector<StreamFigures>& figures);

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_STREAM_FIGURES_H_
