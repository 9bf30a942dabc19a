#ifndef CALLBRIDGE_SRC_OPENAI_SESSION_CONFIG_H_
#define CALLBRIDGE_SRC_OPENAI_SESSION_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "src/openai/values.h"

namespace callbridge::openai {

constexpr char kDefaultModel[] = "gpt-realtime-2.1";

// The default for the caller's transcript: it streams while the caller speaks, is made for realtime sessions, and has
// no announced shutdown, which the whisper-1 and gpt-4o families have (2027-02-26). gpt-transcribe costs about a
// quarter of it.
constexpr char kDefaultTranscriptionModel[] = "gpt-realtime-whisper";

// The server ends a turn after a stretch of silence.
struct ServerVad {
  double threshold = 0.7;                  // 0 to 1; higher asks for louder speech, as on a noisy line.
  int64_t prefix_padding_ms = 300;         // Audio kept from before the speech.
  int64_t silence_duration_ms = 800;       // Silence that ends the turn.
  std::optional<int64_t> idle_timeout_ms;  // 5000 to 30000: the model speaks up when the caller stays silent.
  bool create_response = true;             // The server answers by itself at the end of a turn.
  bool interrupt_response = true;          // The server cancels its response when the caller speaks.
};

// The server ends a turn when the words sound finished.
struct SemanticVad {
  std::string eagerness = "auto";  // "low" waits up to 8 s, "medium" and "auto" 4 s, "high" 2 s.
  bool create_response = true;
  bool interrupt_response = true;
};

// No detection: the client commits the audio and asks for responses.
struct ManualTurns {};

using TurnDetection = std::variant<ServerVad, SemanticVad, ManualTurns>;

// The same, but the server does not stop its response when the caller speaks.
TurnDetection WithoutInterruption(TurnDetection turn_detection);

// The same, but the server answers no turn by itself.
TurnDetection WithoutAnswers(TurnDetection turn_detection);

// How the caller's words become text, for the record; the voice model hears the audio itself.
struct Transcription {
  std::string model = kDefaultTranscriptionModel;
  std::string language;                // ISO 639: "en", "yue". Empty: the model finds out.
  std::vector<std::string> languages;  // gpt-transcribe and gpt-live-transcribe only.
  std::vector<std::string> keywords;   // The same two.
  std::string prompt;                  // Free text, whisper-1: words to expect. Not for gpt-realtime-whisper.
  std::string delay;  // "minimal", "low", "medium", "high", "xhigh": streaming models only. Empty: the model's default.
};

struct Tool {
  std::string name;             // 1 to 64 of [A-Za-z0-9_-], unique.
  std::string description;      // Tells the model when to call it.
  std::string parameters_json;  // JSON Schema of the arguments: an object of type "object". Empty: no arguments.
};

// What happens when the conversation outgrows the model's context.
struct Truncation {
  enum class Kind { kAuto, kDisabled, kRetentionRatio };
  Kind kind = Kind::kAuto;               // kDisabled: responses fail then.
  double retention_ratio = 0.8;          // Above 0, up to 1; kRetentionRatio only.
  int64_t post_instructions_tokens = 0;  // A lower limit than the model's; 0: the model's. kRetentionRatio only.
};

// One call's session with the model. Audio is always 8 kHz mu-law, both ways, as the carrier speaks it.
struct SessionConfig {
  std::string model = kDefaultModel;  // Goes into the URL; a session cannot change it.
  std::string voice = "shimmer";      // Or the id of a custom voice, "voice_...". Fixed once the assistant has spoken.
  std::string instructions;           // Empty brings back the server's own default text.
  TurnDetection turn_detection = ServerVad();
  std::optional<Transcription> transcription = Transcription();
  std::string noise_reduction;  // "near_field", "far_field"; empty: off.
  std::vector<Tool> tools;
  std::string tool_choice = "auto";  // "auto", "none", "required", or the name of a tool.
  int64_t max_output_tokens = 0;     // 1 to 4096 per response, tool calls included; 0: without limit.
  double speed = 1.0;                // 0.25 to 1.5.
  bool text_only = false;            // Text instead of speech; speech always brings its transcript.
  std::string reasoning_effort;      // "minimal", "low", "medium", "high", "xhigh"; reasoning models only. Empty: the
                                     // model's default.
  std::optional<bool> parallel_tool_calls;  // Reasoning models only.
  Truncation truncation;
};

// kInvalidArgument, naming the first bad field as it is called above ("turn_detection.threshold: ...") and what would
// be right. The server applies an update wholly or not at all: one bad field would cost the call its instructions and
// tools. Names of voices and of models that we do not know pass, because new ones appear and compatible servers have
// their own.
absl::Status ValidateSessionConfig(const SessionConfig& config);

// Whether `json` can be a tool's parameters, or describe what else is to be an object: a JSON Schema of type "object",
// or empty. kInvalidArgument says what would be right.
absl::Status CheckToolParameters(absl::string_view json);

// What an operator should know about a model's name before calls depend on it ("... shuts down on 2027-01-20, use
// ..."); empty: nothing.
absl::string_view ModelNotice(absl::string_view model);
absl::string_view TranscriptionModelNotice(absl::string_view model);

// The session.update for a valid `config`, complete: what is off is sent as null, so that the session is as `config`
// says whatever it was before. GA shape, no field of the beta. Answered by session.updated, or by an error and no
// change.
std::string FormatSessionUpdate(const SessionConfig& config, absl::string_view event_id);

// A session.update of the turn detection alone: for a greeting that cannot be interrupted, and after it.
std::string FormatTurnDetectionUpdate(const TurnDetection& turn_detection, absl::string_view event_id);

// A session.update of the instructions alone.
std::string FormatInstructionsUpdate(absl::string_view instructions, absl::string_view event_id);

// Whether the server took what the call depends on: both formats, the turn detection's kind and flags, the tools, and
// whether it transcribes. kFailedPrecondition names the first difference. Fields that a compatible server does not echo
// pass, except the formats; null is an echo, it means "off".
absl::Status ConfirmSession(const SessionConfig& config, const EffectiveSession& effective);

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_SESSION_CONFIG_H_
