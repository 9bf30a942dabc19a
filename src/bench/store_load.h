#ifndef CALLBRIDGE_SRC_BENCH_STORE_LOAD_H_
#define CALLBRIDGE_SRC_BENCH_STORE_LOAD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/store/call_store.h"

namespace callbridge::bench {

// What a store costs the bridge: calls that write as live ones do, through the recorder, one executor, one store.
struct StoreFigures {
  std::string store;
  // kTalkingCalls calls with kEventsPerSecond events a second each, and an item of the transcript for each fifth.
  double commit_p50_us = 0;  // From the handing over of an event to its commit.
  double commit_p99_us = 0;
  double cpu_us_per_call_second = 0;  // CPU of this process (not of a database server) per second of a call.
  double events_per_second = 0;       // The same calls as fast as they can.
};

inline constexpr int kTalkingCalls = 100;
inline constexpr int kEventsPerSecond = 5;

// `store`: empty but for what earlier measurements left. Null: what comes is dropped, which is the floor of the CPU.
// Blocks for twice `window` and a little. Errors: the store's, or events that were not committed.
absl::StatusOr<StoreFigures> MeasureStore(const std::string& name, store::CallStore* store, absl::Duration window);

// One line each, and below them what each store costs beyond the null store.
std::string FormatStores(const std::vector<StoreFigures>& figures);

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_STORE_LOAD_H_
