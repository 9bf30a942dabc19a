#ifndef CALLBRIDGE_SRC_CONTROL_LISTEN_ADDRESS_H_
#define CALLBRIDGE_SRC_CONTROL_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace callbridge::control {

// Where a server listens.
struct ListenAddress {
  std::string host;       // "127.0.0.1", "::1", "localhost"; without brackets.
  int port = 0;           // 0: any free one.
  bool loopback = false;  // Whether only this machine reaches it. A name other than "localhost" counts as reachable.
};

// "127.0.0.1:50051", "[::1]:0", "localhost:50051". kInvalidArgument with words saying what would be right.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

// "host:port", with brackets where they are needed.
std::string FormatListenAddress(absl::string_view host, int port);

// Why this process cannot listen at `address`, for people: tries to. "the port is in use by another program".
std::string WhyNotListening(const ListenAddress& address);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_LISTEN_ADDRESS_H_
