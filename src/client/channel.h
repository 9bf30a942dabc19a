#ifndef CALLBRIDGE_SRC_CLIENT_CHANNEL_H_
#define CALLBRIDGE_SRC_CLIENT_CHANNEL_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/time/time.h"

namespace callbridge::client {

// How to reach callbridge.
struct ClientOptions {
  std::string address;            // host:port, or any gRPC target: "dns:///callbridge.internal:50051".
  std::string token;              // Sent as `authorization: Bearer ...`; empty: none.
  bool plaintext = false;         // Without TLS: for loopback, and behind a proxy of the same machine.
  std::string root_certificates;  // PEM, of those who sign servers. Empty: the system's.
  std::string certificate;        // PEM, with `private_key`: shown to servers that ask who calls (mTLS).
  std::string private_key;
  absl::Duration deadline = absl::Seconds(30);  // For a request with all its attempts.
  int attempts = 4;                             // Of a request that gets UNAVAILABLE; 1: no retries.
  absl::Duration first_pause =
      absl::Milliseconds(200);  // Before the second attempt, also of streams; twice as long each time,
  absl::Duration longest_pause = absl::Seconds(5);  // up to this.
};

// Connects when it is first used, and again whenever needed. Pings every 30 s while a request or stream is open, so
// that a dead connection is found out within 50 s. No proxy of the environment is used.
std::shared_ptr<grpc::Channel> MakeChannel(const ClientOptions& options);

// How long to wait before the attempt after `failures` of them in a row (1 and more): as ClientOptions says, give or
// take a fifth, so that the clients of a server that comes back do not all ask at once.
absl::Duration PauseAfter(int failures, const ClientOptions& options);

}  // namespace callbridge::client

#endif  // CALLBRIDGE_SRC_CLIENT_CHANNEL_H_
