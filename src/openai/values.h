#ifndef CALLBRIDGE_SRC_OPENAI_VALUES_H_
#define CALLBRIDGE_SRC_OPENAI_VALUES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace callbridge::openai {

// What several of the Realtime API's server events share, as values. Ids are opaque. Text is UTF-8, unescaped.
// Source of all shapes: the Realtime API reference (GA), and what public recordings of the service show.

enum class ItemType { kMessage, kFunctionCall, kFunctionCallOutput, kOther };
enum class Role { kNone, kSystem, kUser, kAssistant };
enum class ItemStatus { kNone, kInProgress, kCompleted, kIncomplete };  // kNone: not sent, as with tool outputs.

// One item of the conversation.
struct Item {
  std::string id;
  ItemType type = ItemType::kOther;
  Role role = Role::kNone;  // Messages only.
  ItemStatus status = ItemStatus::kNone;
  std::string phase;       // "commentary" or "final_answer" on some models' assistant messages, else empty.
  std::string text;        // All texts and transcripts of the content, one line each; a null transcript adds nothing.
  bool has_audio = false;  // Some content part is audio.
  std::string call_id;     // Tool calls and their outputs.
  std::string name;        // Tool calls.
  std::string arguments;   // Tool calls: JSON text as the model wrote it, unchecked; may end in blanks.
  std::string output;      // Outputs of tool calls.
};

// Tokens of one response. What the server left out is 0. `cached` is a part of `input`, `reasoning` a part of
// `output_text`.
struct Usage {
  int64_t total = 0;
  int64_t input = 0;
  int64_t output = 0;
  int64_t input_text = 0;
  int64_t input_audio = 0;
  int64_t input_image = 0;
  int64_t cached = 0;
  int64_t cached_text = 0;
  int64_t cached_audio = 0;
  int64_t cached_image = 0;
  int64_t output_text = 0;
  int64_t output_audio = 0;
  int64_t reasoning = 0;
};

// What transcribing one utterance cost: billed by token or by second, depending on the transcription model.
struct TranscriptionUsage {
  enum class Kind { kNone, kTokens, kDuration };
  Kind kind = Kind::kNone;
  int64_t total_tokens = 0;
  int64_t input_tokens = 0;
  int64_t input_text_tokens = 0;
  int64_t input_audio_tokens = 0;
  int64_t output_tokens = 0;
  double seconds = 0;
};

struct AudioFormat {
  std::string type;  // "audio/pcmu", "audio/pcma", "audio/pcm"; the beta's names are translated. Empty: not sent.
  int64_t rate = 0;  // "audio/pcm" only, else 0.
};

// How the server says it detects turns. `type` empty: it does not, the client commits (or it does not say).
struct EffectiveTurnDetection {
  std::string type;
  double threshold = 0;
  int64_t prefix_padding_ms = 0;
  int64_t silence_duration_ms = 0;
  int64_t idle_timeout_ms = 0;          // 0: off.
  std::optional<bool> create_response;  // Not there: not sent.
  std::optional<bool> interrupt_response;
  std::string eagerness;
};

// The session as the server says it is, in session.created and session.updated.
struct EffectiveSession {
  std::string id;
  std::string model;
  int64_t expires_at_s = 0;  // Unix seconds; 0: not sent.
  std::string voice;         // A custom voice's id, if it is one.
  AudioFormat input_format;
  AudioFormat output_format;
  std::vector<std::string> output_modalities;
  std::string instructions;
  std::string transcription_model;  // Empty: off.
  std::string transcription_language;
  std::string noise_reduction;  // Empty: off.
  EffectiveTurnDetection turn_detection;
  std::vector<std::string> tool_names;
  double speed = 0;               // 0: not sent.
  int64_t max_output_tokens = 0;  // 0: without limit, or not sent.
  // Whether the server spoke of these at all; null counts, it means "off".
  bool tells_turn_detection = false;
  bool tells_transcription = false;
  bool tells_tools = false;
};

using Metadata = std::map<std::string, std::string>;

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_VALUES_H_
