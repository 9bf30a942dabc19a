#ifndef CALLBRIDGE_SRC_CARRIER_PLIVO_CLIENT_H_
#define CALLBRIDGE_SRC_CARRIER_PLIVO_CLIENT_H_

#include <memory>
#include <string>

#include "src/carrier/carrier_api.h"

namespace callbridge::carrier {

// Plivo's REST API over libcurl: HTTP Basic authentication, TLS verified, no redirects followed.
struct PlivoOptions {
  std::string api_url = "https://api.plivo.com";
  std::string auth_id;
  std::string auth_token;
  std::string ca_file;  // PEM; empty: the system's certificates.
  absl::Duration connect_timeout = absl::Seconds(3);
  absl::Duration request_timeout = absl::Seconds(10);
  absl::Duration retry_pause = absl::Milliseconds(500);  // Of DELETE; doubled once.
};

std::unique_ptr<CarrierApi> MakePlivoClient(PlivoOptions options);

}  // namespace callbridge::carrier

#endif  // CALLBRIDGE_SRC_CARRIER_PLIVO_CLIENT_H_
