#ifndef CALLBRIDGE_SRC_SIM_MODEL_SERVER_H_
#define CALLBRIDGE_SRC_SIM_MODEL_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/sim/model_report.h"
#include "src/sim/scenario.h"
#include "src/sim/speech.h"
#include "src/sim/text_model.h"

namespace callbridge::sim {

// A WebSocket server that speaks the Realtime protocol, as strict as the real one, driven by scenarios. On the same
// port is the service's text model.
class ModelServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";
    std::string api_key = "sk-sandbox";  // Any other key is refused as the real service does.
    int threads = 1;
    uint64_t seed = 1;                // Of ids, sizes of pieces and late deltas: the same seed, the same session.
    int sessions_recorded = 1000000;  // Later ones report no texts and no audio: memory under load stays bounded.
  };
  static absl::StatusOr<std::unique_ptr<ModelServer>> Start(const Options& options,
                                                            std::shared_ptr<const SpeechLibrary> speech);
  virtual ~ModelServer() = default;

  virtual int port() const = 0;

  // Sessions opened from now on take the scenarios queued here, first come first served; with none queued,
  // the one whose session broke by its script goes on where it was, else `SetDefault`'s. The protocol carries nothing
  // that names the call, as in reality.
  virtual void QueueScenario(const Scenario& scenario) = 0;
  virtual void SetDefault(const Scenario& scenario) = 0;

  // All sessions since the start, in the order opened. Any thread.
  virtual std::vector<ModelSessionReport> Sessions() const = 0;

  // Sums up with the words of the scenario that the latest session took. Lives as long as the server.
  virtual TextModel& text_model() = 0;

  virtual void Stop() = 0;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_SERVER_H_
