#ifndef CALLBRIDGE_SRC_SESSION_UNDIALLED_CALLS_H_
#define CALLBRIDGE_SRC_SESSION_UNDIALLED_CALLS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/net/loop.h"
#include "src/session/call_recorder.h"
#include "src/store/records.h"

namespace callbridge::session {

// Ends outbound calls whose client was told that they could not be recorded, if they turn out to be recorded all the
// same: a database that stood still may carry out in the end what nobody waits for any more. Nobody will ever dial
// them, and what is not over stays in the lists of those who look.
//
// Thread-safe. Looks after 10 s, again while the store cannot be asked (for an hour), and once more when it says that
// there is no such call; at most a thousand are looked for.
class UndialledCalls {
 public:
  // Looks a call up in the store; answers on any thread, once, also when this is gone.
  using Find = std::function<void(const std::string& call_id, std::function<void(absl::StatusOr<store::CallRecord>)>)>;

  // `recorder` and `loop` outlive this; the loop must have stopped before this is destroyed.
  UndialledCalls(CallRecorder& recorder, net::Loop& loop, Find find);
  ~UndialledCalls();
  UndialledCalls(const UndialledCalls&) = delete;
  UndialledCalls& operator=(const UndialledCalls&) = delete;

  void Watch(const std::string& call_id);

 private:
  class Core;

  const std::shared_ptr<Core> core_;  // Shared with what was asked.
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_UNDIALLED_CALLS_H_
