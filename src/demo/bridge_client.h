#ifndef CALLBRIDGE_SRC_DEMO_BRIDGE_CLIENT_H_
#define CALLBRIDGE_SRC_DEMO_BRIDGE_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "callbridge/v1/event.pb.h"
#include "callbridge/v1/transcript.pb.h"

namespace callbridge::demo {

// What the demo wants of src/client: the events of all calls, for as long as the server lives. Events: one thread;
// requests: any.
class BridgeClient {
 public:
  // Follows from the first event on. `address`: host:port, plain text. kUnavailable: nobody answers there within
  // `limit`.
  static absl::StatusOr<std::unique_ptr<BridgeClient>> Connect(const std::string& address, absl::Duration limit);
  virtual ~BridgeClient() = default;

  // The next event, waited for at most so long; nullopt if none came. The error with which the stream ended, once it
  // has.
  virtual absl::StatusOr<absl::optional<v1::CallEvent>> NextEvent(absl::Duration at_most) = 0;

  // The name of the new call.
  virtual absl::StatusOr<std::string> StartCall(const std::string& to, const std::string& agent) = 0;

  // What was said, with both texts.
  virtual absl::StatusOr<std::vector<v1::TranscriptItem>> GetTranscript(const std::string& call) = 0;
};

}  // namespace callbridge::demo

#endif  // CALLBRIDGE_SRC_DEMO_BRIDGE_CLIENT_H_
