#ifndef CALLBRIDGE_SRC_SIM_MODEL_SERVER_H_
#define CALLBRIDGE_SRC_SIM_MODEL_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "src/sim/scenario.h"
#include "src/sim/speech.h"

namespace callbridge::sim {

// What one model session saw and did; a copy, taken at any time.
struct ModelSessionReport {
  std::string scenario;
  bool open = false;
  int close_code = 0;
  std::string session_update;              // The accepted session, JSON.
  std::vector<std::string> received;       // Every client event but appends, as text, in order.
  std::vector<std::string> refused;        // "type: code: message" for each client event answered with an error.
  int64_t appended_bytes = 0;              // mu-law received.
  std::vector<std::string> heard_words;    // What the caller said, as recognised, one per committed turn.
  struct Item {
    std::string item_id;
    std::string words;
    std::string mulaw;                     // All audio sent for it.
    int64_t truncated_ms = -1;             // By the client; -1: not truncated.
    bool deleted = false;
    bool cancelled = false;
  };
  std::vector<Item> items;                 // Assistant audio items in the order made.
  std::vector<std::string> tool_outputs;   // "call_id output"
  int greetings = 0;                       // response.create before any caller speech
};

// A WebSocket server that speaks the Realtime protocol, as strict as the real one, driven by scenarios. Also answers nothing else.
class ModelServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";
    std::string api_key = "sk-sandbox";  // Any other key is refused as the real service does.
    int threads = 1;
  };
  static absl::StatusOr<std::unique_ptr<ModelServer>> Start(const Options& options, std::shared_ptr<const SpeechLibrary> speech);
  virtual ~ModelServer() = default;

  virtual int port() const = 0;

  // Sessions opened from now on take the scenarios queued here, first come first served; with none queued, `SetDefault`'s. The
  // protocol carries nothing that names the call, as in reality.
  virtual void QueueScenario(const Scenario& scenario) = 0;
  virtual void SetDefault(const Scenario& scenario) = 0;

  // All sessions since the start, in the order opened. Any thread.
  virtual std::vector<ModelSessionReport> Sessions() const = 0;

  virtual void Stop() = 0;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_SERVER_H_
