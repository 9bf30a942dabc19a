#ifndef CALLBRIDGE_SRC_SIM_WORLD_API_H_
#define CALLBRIDGE_SRC_SIM_WORLD_API_H_

#include "src/base/http_message.h"
#include "src/sim/world.h"

namespace callbridge::sim {

// The control API described at World. Any thread.
base::HttpResponse HandleWorldRequest(World& world, const base::HttpRequest& request);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_WORLD_API_H_
