#ifndef CALLBRIDGE_SRC_APP_CONFIG_DESTINATIONS_H_
#define CALLBRIDGE_SRC_APP_CONFIG_DESTINATIONS_H_

#include "callbridge/config/v1/config.pb.h"
#include "src/app/config_fields.h"
#include "src/session/settings.h"

namespace callbridge::app {

// Reads whom callers can be transferred to, and what numbers may be dialled at all.
void ReadDestinations(const config::v1::Config& in, ConfigReading& reading, session::Settings& out);
void ReadPrefixes(const config::v1::Config& in, ConfigReading& reading, session::Settings& out);

}  // namespace callbridge::app

#endif  // CALLBRIDGE_SRC_APP_CONFIG_DESTINATIONS_H_
