#ifndef CALLBRIDGE_SRC_DEMO_WORLD_CLIENT_H_
#define CALLBRIDGE_SRC_DEMO_WORLD_CLIENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/demo/checklist.h"

namespace callbridge::demo {

// Asks the simulated world through its control API (docs/simulator.md). Blocks, each request for 5 s at most; errors
// say what was asked for and what the answer was.
class WorldClient {
 public:
  // `base_url`: http://127.0.0.1:8081
  explicit WorldClient(std::string base_url) : base_url_(std::move(base_url)) {}

  // The number that an outbound scenario answers, E.164. OK says that the world is ready as well.
  absl::StatusOr<std::string> NumberOf(const std::string& scenario) const;

  // Lets the person of an inbound scenario call the server; the carrier's id of the call.
  absl::StatusOr<std::string> Ring(const std::string& scenario) const;

  // What the world saw of a call. Not found is no error.
  absl::StatusOr<WorldReport> Report(const std::string& carrier_call_id) const;

  // What was done wrong outside of calls, and messages that the model refused in any session.
  absl::StatusOr<std::vector<std::string>> Violations() const;

 private:
  const std::string base_url_;
};

// OK if a GET of `url` is answered with 200.
absl::Status CheckReady(const std::string& url);

}  // namespace callbridge::demo

#endif  // CALLBRIDGE_SRC_DEMO_WORLD_CLIENT_H_
