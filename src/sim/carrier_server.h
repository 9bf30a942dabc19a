#ifndef CALLBRIDGE_SRC_SIM_CARRIER_SERVER_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/sim/scenario.h"
#include "src/sim/speech.h"

namespace callbridge::sim {

// One HTTP exchange or step of a simulated call, for timelines and assertions.
struct CarrierStep {
  absl::Time time;
  std::string what;    // "answer", "ring", "hangup", "stream-start", "stream-end", "heard", "dial", "dial-done", "person", "violation", ...
  std::string detail;  // "200", "clip demo-congrats", "1480 ms of speech", ...
};

// What one simulated phone call did; a copy, taken at any time.
struct CarrierCallReport {
  std::string call_uuid;
  std::string scenario;
  std::string from;
  std::string to;
  bool outbound = false;
  bool over = false;
  int hangup_code = 0;            // 4000, 3010, ...
  std::string hangup_name;
  std::string hangup_source;
  std::vector<CarrierStep> steps;
  std::vector<std::string> failed_steps;   // Steps of the person whose wait ran out.
  std::vector<std::string> violations;     // Whatever Plivo would have refused or flagged. A correct server causes none.
  std::string heard;              // mu-law of everything from the server that really sounded, in order, without gaps.
  // Spells of sound: when each began and which bytes of `heard` it is.
  struct Spell {
    absl::Time start;
    int64_t first_byte = 0;
    int64_t bytes = 0;
  };
  std::vector<Spell> spells;
  int streams = 0;
  int clears = 0;                 // clearAudio received.
  int64_t cleared_bytes = 0;      // Thrown away by them.
  std::vector<std::string> dialled;  // Numbers that <Dial> rang, in order.
};

// A carrier as Plivo's documentation describes it: webhooks, XML, audio streams, REST API. Talks to a server only through its public
// URLs. Each call runs on one of the loops; reports may be asked for from any thread.
class CarrierServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";     // REST API, and the control API of the world.
    std::string auth_id = "MASANDBOXSANDBOX0000";
    std::string auth_token = "c2FuZGJveC1hdXRoLXRva2Vu";
    std::string answer_url;                 // Of the application that inbound calls reach: http://127.0.0.1:8080/answer
    std::string hangup_url;                 // Empty: falls back to answer_url, as Plivo does.
    std::string public_base;                // What the server calls itself (--public_url); URLs that begin with it are dialled at `dial_base`.
    std::string dial_base;                  // http://127.0.0.1:8080. Signatures cover the public form.
    int threads = 1;
    int dials_per_second = 2;               // Beyond it, calls are queued ("call queued").
  };
  static absl::StatusOr<std::unique_ptr<CarrierServer>> Start(const Options& options, std::shared_ptr<const SpeechLibrary> speech);
  virtual ~CarrierServer() = default;

  virtual int port() const = 0;

  // Rings the application with an inbound call that follows `scenario`. The call's uuid.
  virtual absl::StatusOr<std::string> CallIn(const Scenario& scenario) = 0;

  // Outbound calls (placed by REST) to `scenario.to` follow it; numbers nobody registered are invalid (3050 Unallocated Number).
  // Digits only are compared. "*": any number.
  virtual void RegisterPhone(const Scenario& scenario) = 0;

  // Called before a call's webhook can make the server open a model session; the world queues the model's script here.
  virtual void OnCallStarts(std::function<void(const Scenario&)> hook) = 0;

  virtual std::vector<CarrierCallReport> Calls() const = 0;
  virtual absl::StatusOr<CarrierCallReport> Call(const std::string& call_uuid) const = 0;

  // Faults of the account as a whole: REST requests without a uuid to hang up, unauthorised ones, ... A correct server causes none.
  virtual std::vector<std::string> Violations() const = 0;

  virtual void Stop() = 0;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_SERVER_H_
