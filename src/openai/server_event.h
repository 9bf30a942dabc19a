#ifndef CALLBRIDGE_SRC_OPENAI_SERVER_EVENT_H_
#define CALLBRIDGE_SRC_OPENAI_SERVER_EVENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/openai/values.h"

namespace callbridge::openai {

// The server events of the Realtime API as values, one struct each. The beta's names give the same values, because
// compatible servers still speak them. An id that the server may leave out is then empty, a number 0.

struct SessionCreated {
  EffectiveSession session;
};
struct SessionUpdated {
  EffectiveSession session;
};
struct ConversationCreated {
  std::string conversation_id;
};  // No longer sent by OpenAI; do not wait for it.

// Offsets count audio written to the session, not wall clock. `item_id` is that of the user item to come.
struct SpeechStarted {
  std::string item_id;
  int64_t audio_start_ms = 0;
};  // Already moved back by the prefix padding.
struct SpeechStopped {
  std::string item_id;
  int64_t audio_end_ms = 0;
};  // Includes the silence that ended the turn.
struct BufferCommitted {
  std::string item_id;
  std::string previous_item_id;
};
struct BufferCleared {};
struct TimeoutTriggered {
  std::string item_id;
  int64_t audio_start_ms = 0;
  int64_t audio_end_ms = 0;
};
struct DtmfReceived {
  std::string digit;
  int64_t received_at_s = 0;
};  // SIP sessions only.

struct ItemAdded {
  Item item;
  std::string previous_item_id;
};  // Order items by this one, not by ItemDone.
struct ItemDone {
  Item item;
  std::string previous_item_id;
};  // `previous_item_id` is often empty though there is one.
struct ItemRetrieved {
  Item item;
};
struct ItemDeleted {
  std::string item_id;
};
struct ItemTruncated {
  std::string item_id;
  int64_t content_index = 0;
  int64_t audio_end_ms = 0;
};

// What the caller said. Asynchronous: may come after the response that answers it, and before the speech ended.
struct UserTranscriptDelta {
  std::string item_id;
  int64_t content_index = 0;
  std::string delta;
};
struct UserTranscriptCompleted {
  std::string item_id;
  int64_t content_index = 0;
  std::string transcript;  // May be empty: nothing was understood.
  TranscriptionUsage usage;
};
struct UserTranscriptFailed {
  std::string item_id;
  int64_t content_index = 0;
  std::string type;
  std::string code;
  std::string message;
};
struct UserTranscriptSegment {
  std::string item_id;
  std::string text;
  std::string speaker;
  double start_s = 0;
  double end_s = 0;
};

struct ResponseCreated {
  std::string response_id;
  std::optional<std::string>
      conversation_id;  // Absent: outside the conversation, such as the summary at the end of a call.
  Metadata metadata;
};
struct OutputItemAdded {
  std::string response_id;
  int64_t output_index = 0;
  Item item;
};
struct OutputItemDone {
  std::string response_id;
  int64_t output_index = 0;
  Item item;
};
struct ContentPartAdded {
  std::string response_id;
  std::string item_id;
  int64_t content_index = 0;
  std::string type;
  std::string text;
};
struct ContentPartDone {
  std::string response_id;
  std::string item_id;
  int64_t content_index = 0;
  std::string type;
  std::string text;
};

// A piece of the assistant's speech, in the session's output format. Of any length, not a multiple of 20 ms. The views
// point into the parser and live until its next Parse(). Count audio per `item_id`, never per response: one response
// may speak several items.
struct AudioDelta {
  absl::string_view response_id;
  absl::string_view item_id;
  int64_t content_index = 0;
  absl::string_view base64;  // Strict base64, checked: safe to place between the quotes of a JSON string.
  int64_t bytes = 0;         // That `base64` decodes to.
};
struct AudioDone {
  std::string response_id;
  std::string item_id;
  int64_t content_index = 0;
};

// The assistant's words. The transcript runs ahead of the audio; the text events are those of responses without audio.
struct TranscriptDelta {
  std::string response_id;
  std::string item_id;
  int64_t content_index = 0;
  std::string delta;
};
struct TranscriptDone {
  std::string response_id;
  std::string item_id;
  int64_t content_index = 0;
  std::string transcript;
};
struct TextDelta {
  std::string response_id;
  std::string item_id;
  int64_t content_index = 0;
  std::string delta;
};
struct TextDone {
  std::string response_id;
  std::string item_id;
  int64_t content_index = 0;
  std::string text;
};

// Act on a tool call when OutputItemDone brings it as completed; these repeat the same facts earlier.
struct FunctionArgumentsDelta {
  std::string response_id;
  std::string item_id;
  std::string call_id;
  std::string delta;
};
struct FunctionArgumentsDone {
  std::string response_id;
  std::string item_id;
  std::string call_id;
  std::string name;
  std::string arguments;  // JSON text as the model wrote it, unchecked.
};

enum class ResponseStatus { kUnknown, kCompleted, kCancelled, kIncomplete, kFailed, kInProgress };

// A response has been generated (not: heard) or has ended otherwise. There is exactly one per ResponseCreated.
struct ResponseDone {
  std::string response_id;
  std::optional<std::string> conversation_id;  // As in ResponseCreated.
  ResponseStatus status = ResponseStatus::kUnknown;
  std::string reason;      // "turn_detected", "client_cancelled", "max_output_tokens", "content_filter"; empty if none.
  std::string error_type;  // These three of a failed response: quota and rate trouble show up here, not as Error.
  std::string error_code;
  std::string error_message;
  std::vector<Item> output;
  Usage usage;
  Metadata metadata;
};

struct RateLimit {
  std::string name;
  int64_t limit = 0;
  int64_t remaining = 0;
  double reset_seconds = 0;
};
struct RateLimits {
  std::vector<RateLimit> limits;
};

// Something we sent was refused, or the session is in trouble; see error_class.h. Any field may be empty.
struct Error {
  std::string type;
  std::string code;
  std::string message;
  std::string param;
  std::string event_id;  // Of our event that caused it; often missing even then.
};

// Any of the MCP events (`type` tells which), and those of the audio buffer that only WebRTC and SIP sessions have.
struct McpProgress {
  std::string type;
  std::string item_id;
};
struct OutputAudioBuffer {
  std::string type;
  std::string response_id;
};

// An event that this code does not know. Ignore it: new ones appear without notice.
struct Unknown {
  std::string type;
};

using ServerEvent =
    std::variant<Unknown, AudioDelta, SessionCreated, SessionUpdated, ConversationCreated, SpeechStarted, SpeechStopped,
                 BufferCommitted, BufferCleared, TimeoutTriggered, DtmfReceived, ItemAdded, ItemDone, ItemRetrieved,
                 ItemDeleted, ItemTruncated, UserTranscriptDelta, UserTranscriptCompleted, UserTranscriptFailed,
                 UserTranscriptSegment, ResponseCreated, OutputItemAdded, OutputItemDone, ContentPartAdded,
                 ContentPartDone, AudioDone, TranscriptDelta, TranscriptDone, TextDelta, TextDone,
                 FunctionArgumentsDelta, FunctionArgumentsDone, ResponseDone, RateLimits, Error, McpProgress,
                 OutputAudioBuffer>;

// Reads server events. Keeps buffers that grow to the largest message seen (and shrink again after one over 1 MiB),
// about twenty times its size: have one per thread, not one per call. Not thread-safe. Keeps nothing from one message
// to the next.
class ServerEventParser {
 public:
  // The longest message accepted.
  static constexpr size_t kMaxMessageBytes = 64 << 20;

  ServerEventParser();
  ~ServerEventParser();
  ServerEventParser(const ServerEventParser&) = delete;
  ServerEventParser& operator=(const ServerEventParser&) = delete;

  // Reads one message: a JSON object with a string `type`; its keys may come in any order, unknown keys are ignored. An
  // audio delta builds no tree and, once the buffers have grown, allocates nothing. kInvalidArgument: not JSON, or a
  // key is missing or mistyped that the event makes no sense without (an id, a delta, the base64 of an audio delta,
  // which must be padded and written without escapes). The message names event and key and quotes no content. Other
  // keys that are missing, null or mistyped read as empty or 0. A later repeat of a key is ignored. kResourceExhausted:
  // longer than kMaxMessageBytes.
  absl::StatusOr<ServerEvent> Parse(absl::string_view message);

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_SERVER_EVENT_H_
