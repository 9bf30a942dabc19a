#ifndef CALLBRIDGE_SRC_APP_CONFIG_TOOLS_H_
#define CALLBRIDGE_SRC_APP_CONFIG_TOOLS_H_

#include <string>

#include "callbridge/config/v1/config.pb.h"
#include "src/app/config_fields.h"
#include "src/session/settings.h"

namespace callbridge::app {

// Reads what an agent may do besides talking; `at` is the agent's path, "agents[0]". Files with secrets are read here.
void ReadTools(const std::string& at, const config::v1::Agent& in, ConfigReading& reading, session::Agent& out);

// Reads what is made of its conversations; `at` is the message's path.
void ReadAfterCall(const std::string& at, const config::v1::AfterCall& in, ConfigReading& reading, session::Agent& out);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_CONFIG_TOOLS_H_
