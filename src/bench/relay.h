#ifndef CALLBRIDGE_SRC_BENCH_RELAY_H_
#define CALLBRIDGE_SRC_BENCH_RELAY_H_

#include <string>

#include "absl/status/status.h"

namespace callbridge::bench {

// The least that a bridge can do, on callbridge's own sockets: the floor that it is measured against. Each WebSocket
// accepted on the port of the loopback gets one to `model_url`; audio is found by searching for the key before it and
// wrapped for the other side. No session, no JSON library, no pacing, no records, no checks.
//
// Serves on `threads` loops until the process is ended; returns only if it cannot listen.
absl::Status RunRelay(int port, const std::string& model_url, int threads);

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_RELAY_H_
