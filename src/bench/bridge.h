#ifndef CALLBRIDGE_SRC_BENCH_BRIDGE_H_
#define CALLBRIDGE_SRC_BENCH_BRIDGE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/bench/child.h"
#include "src/bench/load.h"

namespace callbridge::bench {

// How callbridge is started to be measured.
struct BridgeOptions {
  std::string server;   // Path of the callbridge binary.
  std::string folder;   // For configuration, database and log, which is callbridge.log.
  int threads = 1;      // Event loops.
  std::string playout;  // Of the agent, in the configuration's words.
  std::string model_url;
  bool grpc = false;  // Whether anybody will use the gRPC port, which is then a certain one.
};

// A callbridge of its own, with a new SQLite database. Ends with this object, by force.
struct Bridge {
  int http_port = 0;
  int admin_port = 0;
  int grpc_port = 0;  // 0: nobody knows.
  std::unique_ptr<Child> child;
};
// Blocks until it listens, or fails.
absl::StatusOr<Bridge> StartBridge(const BridgeOptions& options);

// Answers a new call as callbridge's carrier would, and gives its stream's URL.
absl::StatusOr<std::string> AnswerCall(int http_port, const std::string& carrier_call_id);

// Blocks until `calls` calls talk. kUnavailable: sockets close, or it takes too long.
absl::Status WaitUntilTalking(const Load& load, int calls);

// The stream's URL in the answer that the carrier would get: what stands in its Stream element. Empty: there is none.
std::string StreamUrl(const std::string& answer_xml);

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_BRIDGE_H_
