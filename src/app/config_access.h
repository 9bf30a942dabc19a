#ifndef CALLBRIDGE_SRC_APP_CONFIG_ACCESS_H_
#define CALLBRIDGE_SRC_APP_CONFIG_ACCESS_H_

#include "callbridge/config/v1/config.pb.h"
#include "src/app/config_fields.h"
#include "src/control/access.h"

namespace callbridge::app {

// Who may use the gRPC port, as the configuration says.
void ReadAccess(const callbridge::config::v1::Config& in, ConfigReading& reading, control::AccessList& out);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_CONFIG_ACCESS_H_
