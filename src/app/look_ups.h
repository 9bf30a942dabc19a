#ifndef CALLBRIDGE_SRC_APP_LOOK_UPS_H_
#define CALLBRIDGE_SRC_APP_LOOK_UPS_H_

#include "src/base/executor.h"
#include "src/session/switchboard.h"
#include "src/store/call_store.h"

namespace callbridge::app {

// Fills in what the switchboard asks of the database: each look-up is done on `executor`. Both outlive the switchboard.
void LookUpIn(store::CallStore& store, base::Executor& executor, session::Switchboard::Deps& deps);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_LOOK_UPS_H_
