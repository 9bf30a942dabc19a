#ifndef CALLBRIDGE_SRC_SIM_CARRIER_SERVER_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/base/http_message.h"
#include "src/sim/carrier_log.h"
#include "src/sim/scenario.h"
#include "src/sim/speech.h"

namespace callbridge::sim {

// A carrier as Plivo's documentation describes it: webhooks, XML, audio streams, REST API. Talks to a server only
// through its public URLs. Each call runs on one of the loops; reports may be asked for from any thread.
class CarrierServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";  // REST API, and the control API of the world.
    std::string auth_id = "MASANDBOXSANDBOX0000";
    std::string auth_token = "c2FuZGJveC1hdXRoLXRva2Vu";
    std::string answer_method = "POST";
    std::string fallback_url;  // Asked when answer_url fails; empty: none.
    std::string answer_url;    // Of the application that inbound calls reach: http://127.0.0.1:8080/answer
    std::string hangup_url;    // Empty: falls back to answer_url, as Plivo does.
    std::string public_base;   // What the server calls itself (--public_url); URLs that begin with it are dialled at
                               // `dial_base`.
    std::string dial_base;     // http://127.0.0.1:8080. Signatures cover the public form.
    int threads = 1;
    int dials_per_second = 2;  // Beyond it, calls are queued ("call queued").
  };
  static absl::StatusOr<std::unique_ptr<CarrierServer>> Start(const Options& options,
                                                              std::shared_ptr<const SpeechLibrary> speech);
  virtual ~CarrierServer() = default;

  virtual int port() const = 0;

  // Rings the application with an inbound call that follows `scenario`. The call's uuid. kFailedPrecondition: no
  // answer_url.
  virtual absl::StatusOr<std::string> CallIn(const Scenario& scenario) = 0;

  // Outbound calls (placed by REST) to `scenario.to` follow it; numbers nobody registered are invalid (3050 Unallocated
  // Number). Digits only are compared. "*": any number.
  virtual void RegisterPhone(const Scenario& scenario) = 0;

  // Called before a call's webhook can make the server open a model session; the world queues the model's script here.
  virtual void OnCallStarts(std::function<void(const Scenario&)> hook) = 0;

  // Requests outside Plivo's API: the control API of whoever made this server. Runs on a loop and must not block. 404
  // without one.
  virtual void OnOtherRequest(std::function<base::HttpResponse(const base::HttpRequest&)> handler) = 0;

  // All calls since the start, in the order begun.
  virtual std::vector<CarrierCallReport> Calls() const = 0;
  virtual absl::StatusOr<CarrierCallReport> Call(const std::string& call_uuid) const = 0;

  // Faults of the account as a whole: REST requests without a uuid to hang up, unauthorised ones, ... A correct server
  // causes none.
  virtual std::vector<std::string> Violations() const = 0;

  virtual void Stop() = 0;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_SERVER_H_
