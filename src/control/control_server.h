#ifndef CALLBRIDGE_SRC_CONTROL_CONTROL_SERVER_H_
#define CALLBRIDGE_SRC_CONTROL_CONTROL_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/base/executor.h"
#include "src/control/access.h"
#include "src/control/forwarder.h"
#include "src/control/operations.h"
#include "src/events/event_hub.h"
#include "src/events/speech_elsewhere.h"
#include "src/session/call_control.h"
#include "src/store/call_store.h"

namespace callbridge::control {

// What an operator says to have the port reachable from other machines without TLS: words that nobody types by mistake.
inline constexpr char kWithoutTls[] = "I trust this network";

struct ControlServerOptions {
  std::string listen = "127.0.0.1:50051";  // Port 0: any free one.

  // PEM files. Certificate and key turn TLS on; with the client CA, clients must show a certificate of it.
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_client_ca_file;

  // kWithoutTls: without TLS the server may be reachable from other machines, for clients with tokens. Empty: it may
  // not. Anything else is refused, and so is it beside TLS.
  std::string without_tls;

  std::vector<std::string> api_tokens;  // That may be used for everything.
  AccessList access;                    // With any of both, every request must be of one of these, on loopback too.

  // grpc.reflection, by which grpcurl finds the services. Process-wide: once a server had it on, later ones have it.
  bool reflection = true;

  // Limits; the defaults are what call_service.proto tells clients.
  absl::Duration longest_unary = absl::Seconds(30);
  int max_streams = 512;
  absl::Duration stream_write_timeout = absl::Seconds(60);
  absl::Duration summary_wait = absl::Minutes(2);
  absl::Duration dispersal = absl::Seconds(5);  // Of streams, when other nodes are to take them.
};

// What the server works with; all of it outlives the server. `store_executor` runs what blocks on the store.
struct ControlServerDeps {
  session::CallControl& control;
  store::CallStore& store;
  base::Executor& store_executor;
  events::EventHub& hub;
  Forwarder* forwarder = nullptr;     // Null: calls that are not here are nowhere.
  Operations* operations = nullptr;   // Null: there is no OperationsService.
  events::SpeechSources speech = {};  // Else what is said is shown when it is an item.
};

// The gRPC port: callbridge.v1.CallService, LeadService and OperationsService, grpc.health.v1.Health, reflection. All
// methods from one thread.
class ControlServer {
 public:
  // Listens. Health says NOT_SERVING until SetServing(true).
  //
  // kInvalidArgument: the address is malformed, or TLS settings are incomplete or unreadable. kFailedPrecondition: the
  // address is reachable from outside, and there is no TLS and no word that it may be so, or nobody who is known.
  // kUnavailable: it cannot be listened at. Each is one line that says what to do and names the flag.
  static absl::StatusOr<std::unique_ptr<ControlServer>> Start(const ControlServerOptions& options,
                                                              const ControlServerDeps& deps);

  // Shuts down at once, if that has not been done.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // The port that is listened at.
  int port() const;

  // "host:port", as clients on this machine may dial it.
  std::string address() const;

  // Whether health says SERVING, for the whole server ("") and for each service. To be turned off some seconds before
  // Shutdown(), so that load balancers look elsewhere.
  void SetServing(bool serving);

  // Reads the TLS files again: handshakes from now on use them, connections that stand go on. kInvalidArgument: they
  // cannot be used, which the message says in one line with the flag; those that were read before stay. Without TLS
  // nothing is done. Thread-safe; blocks on the disk.
  absl::Status LoadCertificates();

  // Ends the streams that are open now within some seconds, each at a moment of its own, so that their clients go on
  // elsewhere; with their cursor, and UNAVAILABLE. For a server that leaves others behind.
  void DisperseStreams();
  // Whether some of them have not left yet.
  bool IsDispersing() const;

  // In place of the `access` it was started with. Thread-safe.
  void SetAccess(AccessList access);

  // Health falls, event streams end with UNAVAILABLE and their cursor, requests under way get up to `grace` to finish
  // and are then cut off. Blocks until all of that is over. A repeat does nothing.
  void Shutdown(absl::Duration grace);

 private:
  class Impl;
  explicit ControlServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_CONTROL_SERVER_H_
