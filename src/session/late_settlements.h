#ifndef CALLBRIDGE_SRC_SESSION_LATE_SETTLEMENTS_H_
#define CALLBRIDGE_SRC_SESSION_LATE_SETTLEMENTS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/net/loop.h"
#include "src/session/call_recorder.h"
#include "src/store/records.h"

namespace callbridge::session {

// Settles calls that only the store knows: of an earlier run of the server, of another node, or forgotten since.
//
// Thread-safe. A call that nobody knows is logged and let be. While the store cannot be asked the settlement waits and
// is tried again, for a quarter of an hour; at most a thousand wait.
class LateSettlements {
 public:
  // Looks a call up by the carrier's ids; answers on any thread, once, also when this is gone.
  using Find = std::function<void(const std::string& carrier_call_id, const std::string& carrier_request_id,
                                  std::function<void(absl::StatusOr<store::CallRecord>)> done)>;

  // `recorder` and `loop` outlive this; the loop must have stopped before this is destroyed. `find` may be empty: then
  // no call is known.
  LateSettlements(CallRecorder& recorder, net::Loop& loop, Find find);
  ~LateSettlements();
  LateSettlements(const LateSettlements&) = delete;
  LateSettlements& operator=(const LateSettlements&) = delete;

  void Settle(const std::string& carrier_call_id, const std::string& carrier_request_id,
              const store::Settlement& settlement);

 private:
  class Core;

  const std::shared_ptr<Core> core_;  // Shared with what was asked.
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_LATE_SETTLEMENTS_H_
