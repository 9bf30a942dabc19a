#include "src/bench/stream_figures.h"

#include "absl/strings/str_format.h"

namespace callbridge::bench {

std::string FormatStreams(const std::vector<StreamFigures>& figures) {
  std::string out = absl::StrFormat("%8s %8s %10s %16s %16s %8s %14s %15s\n", "streams", "stalled", "events/s",
                                    "to stream p50us", "to stream p99us", "core%", "KB per stream", "KB per stalled");
  for (const StreamFigures& row : figures) {
    absl::StrAppendFormat(&out, "%8d %8d %10.1f %16.0f %16.0f %8.1f %14.1f %15.1f\n", row.load.streams,
                          row.load.stalled, row.events_per_second, row.p50_us, row.p99_us, row.core_percent,
                          row.kb_per_stream, row.kb_per_stalled);
  }
  absl::StrAppendFormat(
      &out, "%d live calls, each interrupted once a second; every stream shows all of them; aim: p99 <= %.0f us\n",
      kStreamCalls, kAimStreamMicros);
  return out;
}

}  // namespace callbridge::bench
