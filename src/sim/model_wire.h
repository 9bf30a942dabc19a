#ifndef CALLBRIDGE_SRC_SIM_MODEL_WIRE_H_
#define CALLBRIDGE_SRC_SIM_MODEL_WIRE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace callbridge::sim {

// Keys stay in the order written, as on the wire: "type" first.
using Json = nlohmann::ordered_json;

// Where a simulated session's bytes go.
class ModelSink {
 public:
  virtual ~ModelSink() = default;
  virtual void Send(absl::string_view text) = 0;
  virtual void Close(int code, absl::string_view reason) = 0;
  virtual void Abort() = 0;
};

// An error as the service words it. Empty `param` and "null" codes are sent as null.
struct ModelError {
  std::string code;
  std::string message;
  std::string param;
  std::string type = "invalid_request_error";
  bool names_event = true;  // Whether the client's event_id is repeated; the service does not always.
};

// Writes server events: ids, the older names when asked, fields and events from the future.
class ModelWire {
 public:
  struct Manners {
    bool beta_names = false;
    bool unknown_extras = false;
  };
  // `sink` outlives the wire. The same seed makes the same ids and padding.
  ModelWire(ModelSink& sink, uint64_t seed, Manners manners);

  // One event: type and event_id, then the members of `fields`.
  void Send(absl::string_view type, const Json& fields);

  // The same with a made-up "obfuscation" at the end: text-like deltas.
  void SendDelta(absl::string_view type, Json fields);

  // The hot one: everything but the ids is in `middle`, made once by AudioDeltaMiddle().
  void SendAudioDelta(absl::string_view middle, absl::string_view audio);
  static std::string AudioDeltaMiddle(absl::string_view response_id, absl::string_view item_id, int output_index);

  void SendError(const ModelError& error, absl::string_view client_event_id);

  // An event that no client knows, if the manners say so.
  void SendFutureEvent();

  // As it is.
  void SendRaw(absl::string_view text);

  void Close(int code, absl::string_view reason);
  void Abort();

  // From now on nothing leaves, not even a close: a server that hangs.
  void Stall() { silent_ = true; }
  bool silent() const { return silent_; }

  // "item_" and 21 letters and digits.
  std::string NewId(absl::string_view prefix, int length = 21);

  // Even between the two, both included.
  int Between(int low, int high);

 private:
  uint64_t Random();

  ModelSink& sink_;
  uint64_t state_;
  const Manners manners_;
  bool silent_ = false;
  int sent_ = 0;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_WIRE_H_
