#ifndef CALLBRIDGE_SRC_SIM_WORLD_H_
#define CALLBRIDGE_SRC_SIM_WORLD_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/sim/carrier_server.h"
#include "src/sim/model_server.h"
#include "src/sim/scenario.h"
#include "src/sim/speech.h"

namespace callbridge::sim {

// A carrier and a model to talk to, and the people who call and are called, in one process. On the carrier's port there
// is a small control API besides Plivo's:
//   GET  /sim/scenarios                        {"scenarios":[{"name","call","from","to"}]}
//   POST /sim/calls {"scenario":"NAME"}        rings the server; also "text" (a whole scenario instead of a name),
//   "from", "to".
//                                              201 {"call_uuid"}
//   POST /sim/phones {"scenario":"NAME"}       the scenario's number is answered like this from now on; also "text",
//   "to". 201 GET  /sim/calls                            {"calls":[{"call_uuid","scenario","status","over",...}]} GET
//   /sim/calls/UUID[?audio=1]             the whole report; audio as base64 GET  /sim/model/sessions[?audio=1]
//   {"sessions":[...]} GET  /sim/violations                       {"violations":[...]}: what is nobody's call
// Errors are {"error":"..."} with 400, 404 or 405.
class World {
 public:
  struct Options {
    CarrierServer::Options carrier;
    ModelServer::Options model;
    std::string scenarios_folder;  // *.scenario; empty: the copies built in.
    std::string speech_folder;     // Empty: where Debian's package puts it.
  };

  // Everything listens when it returns; the phones of all outbound scenarios are registered. Errors name what is wrong:
  // a port in use, speech missing, a scenario's file and line, a clip that does not exist.
  static absl::StatusOr<std::unique_ptr<World>> Start(const Options& options);
  virtual ~World() = default;

  virtual CarrierServer& carrier() = 0;
  virtual ModelServer& model() = 0;
  virtual const SpeechLibrary& speech() const = 0;

  // The scenarios loaded, by name.
  virtual const std::map<std::string, Scenario>& scenarios() const = 0;

  // Reads `text` and checks that its clips exist.
  virtual absl::StatusOr<Scenario> Read(absl::string_view text, absl::string_view name) const = 0;

  virtual void Stop() = 0;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_WORLD_H_
