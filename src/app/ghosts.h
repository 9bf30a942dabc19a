#ifndef CALLBRIDGE_SRC_APP_GHOSTS_H_
#define CALLBRIDGE_SRC_APP_GHOSTS_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "src/store/call_store.h"

namespace callbridge::app {

// Closes the calls that a previous run left open, with the reason, and has `hang_up` ask the carrier to hang up what
// may still be up: those, and the ones that a start of a few minutes ago closed, which may not have lived to do it. A
// call that is over at the carrier is no error. For a process that has the database alone, before it serves. The
// store's errors. Blocks on the store.
absl::Status CloseGhosts(
    store::CallStore& store, bool summaries_due,
    const std::function<void(const std::string& call_id, const std::string& carrier_call_id)>& hang_up);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_GHOSTS_H_
