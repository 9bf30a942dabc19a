#ifndef CALLBRIDGE_SRC_PLIVO_STREAM_MESSAGE_H_
#define CALLBRIDGE_SRC_PLIVO_STREAM_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// What the carrier says on the audio stream's WebSocket: text frames of one JSON object each, decoded into values.
// Source: Plivo's documentation of audio streaming and its stream SDKs; where these disagree, both forms are accepted.
namespace callbridge::plivo {

// Bounds of one frame. The carrier's own limit is 64 KB for a whole message.
inline constexpr size_t kMaxMessageBytes = 128 * 1024;
inline constexpr size_t kMaxPayloadBytes = 64 * 1024;  // Of audio, decoded.
inline constexpr size_t kMaxTextBytes = 4 * 1024;      // Of any other text: ids, names, reasons.

using ExtraHeaders = std::vector<std::pair<std::string, std::string>>;

// The stream begins. Can come a second time for the same call, on a new socket, after the first one broke.
struct Start {
  int64_t sequence = -1;  // -1: not sent.
  std::string call_id;    // Never empty.
  std::string stream_id;  // Never empty.
  std::string account_id;
  std::vector<std::string> tracks;  // "inbound", "outbound".
  std::string encoding;             // Lower case, without parameters: "audio/x-mulaw". Empty: not sent.
  int64_t sample_rate = 0;          // Hz. 0: not sent.
  ExtraHeaders extra_headers;       // What our answer document put there. Keys without "X-PH-".
};

// A piece of audio, usually 20 ms. The views point into the parser that returned it.
struct Media {
  absl::string_view stream_id;  // Empty: not sent.
  absl::string_view track;      // "inbound", "outbound"; empty: not sent.
  int64_t timestamp_ms = -1;    // From an origin that the sources disagree on: use differences only. -1: not sent.
  int64_t chunk = -1;           // From 1, per track. -1: not sent.
  int64_t sequence = -1;        // -1: not sent.
  absl::string_view payload;    // Base64 in the format that Start announced, checked: safe inside a JSON string.
  int64_t bytes = 0;            // What `payload` decodes to: 1..kMaxPayloadBytes.
};

struct Dtmf {
  std::string stream_id;
  char digit = '0';  // 0-9 * # A-D
};
struct PlayedStream {  // Everything sent before that checkpoint was played.
  std::string stream_id;
  std::string name;  // Of the checkpoint; never empty.
};
struct ClearedAudio {  // The queue was emptied; checkpoints in it will never be reported.
  std::string stream_id;
};
struct Stop {  // Undocumented and not always sent: the socket's end is what counts.
  std::string reason;
};
struct PlayFailed {
  std::string reason;
};
struct Error {
  std::string reason;
};
struct Unknown {  // A kind of message we do not know; never a reason to end a call.
  std::string event;
};

using StreamMessage = std::variant<Start, Media, Dtmf, PlayedStream, ClearedAudio, Stop, PlayFailed, Error, Unknown>;

// Decodes one frame after the other. Owns its buffers: once it has seen a frame of that size, a `media` frame costs one
// copy of its text and no allocation. Not thread-safe; one per socket, or one per loop.
class StreamParser {
 public:
  StreamParser();
  ~StreamParser();
  StreamParser(const StreamParser&) = delete;
  StreamParser& operator=(const StreamParser&) = delete;

  // Views in the result are valid until the next Parse() or the parser's end. `text` is not referred to afterwards.
  //
  // Numbers are taken as JSON numbers or as strings of digits; `null` counts as not sent; unknown keys are ignored, and
  // what they hold is checked no further than for finding its end. kInvalidArgument: not one JSON object, a required
  // key missing or mistyped, a payload that is empty, too long, not strict base64, or written with escapes. The message
  // names the key and never quotes what it held.
  absl::StatusOr<StreamMessage> Parse(absl::string_view text);

 private:
  class Buffers;
  const std::unique_ptr<Buffers> buffers_;
};

// The `extra_headers` of a start message, in any of the forms seen: "k=v;k2=v2" (or with commas), "{X-PH-k: v, X-PH-k2:
// v2}", JSON as text, "{}", empty. Never fails: pieces that make no sense are left out, and so is all behind the 64th
// pair.
ExtraHeaders ParseExtraHeaders(absl::string_view text);

}  // namespace callbridge::plivo

#endif  // CALLBRIDGE_SRC_PLIVO_STREAM_MESSAGE_H_
