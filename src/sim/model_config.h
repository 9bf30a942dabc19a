#ifndef CALLBRIDGE_SRC_SIM_MODEL_CONFIG_H_
#define CALLBRIDGE_SRC_SIM_MODEL_CONFIG_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/sim/model_wire.h"
#include "src/sim/vad.h"

namespace callbridge::sim {

// How a session's turns are detected.
struct TurnDetection {
  bool on = false;
  Vad::Settings vad;
  bool create_response = true;
  bool interrupt_response = true;
  absl::Duration idle_timeout = absl::InfiniteDuration();
};

// The effective configuration of one session, in the shape that session.created and session.updated echo.
class ModelConfig {
 public:
  ModelConfig(const std::string& model, const std::string& session_id, absl::Time expires_at);

  // What is true while an update comes in and can forbid parts of it.
  struct Moment {
    bool assistant_audio_exists = false;
    bool response_running = false;
  };
  // Applies `session` of a session.update: all of it, or nothing and the reason.
  std::optional<ModelError> Update(const Json& session, const Moment& moment);

  // Looks over the `response` of a response.create; null: nothing overridden.
  std::optional<ModelError> CheckResponse(const Json& response, const Moment& moment) const;

  const Json& session() const { return session_; }
  const std::string& model() const { return model_; }
  TurnDetection turn_detection() const;
  std::string InputFormat() const;  // "audio/pcmu"
  bool HasTranscription() const;
  std::string TranscriptionModel() const;

 private:
  std::string model_;
  Json session_;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_CONFIG_H_
