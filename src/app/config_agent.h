#ifndef CALLBRIDGE_SRC_APP_CONFIG_AGENT_H_
#define CALLBRIDGE_SRC_APP_CONFIG_AGENT_H_

#include <string>

#include "callbridge/config/v1/config.pb.h"
#include "src/app/config_fields.h"
#include "src/session/settings.h"

namespace callbridge::app {

// Reads one agent; `at` is its path, "agents[0]". What the message does not say is as the product has it by default.
void ReadAgent(const std::string& at, const config::v1::Agent& in, ConfigReading& reading, session::Agent& out);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_CONFIG_AGENT_H_
