#ifndef CALLBRIDGE_SRC_PLIVO_STREAM_COMMAND_H_
#define CALLBRIDGE_SRC_PLIVO_STREAM_COMMAND_H_

#include <array>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// What we say on the audio stream's WebSocket: exactly four messages, one JSON object per text frame. Their order on
// the socket is what counts: a checkpoint refers to all audio sent before it. Source: Plivo's documentation of audio
// streaming.
namespace callbridge::plivo {

// Recommended bounds of one playAudio, and of a checkpoint's name.
inline constexpr size_t kMaxPlayAudioBase64 = 16 * 1024;
inline constexpr size_t kMaxCheckpointNameBytes = 128;

// The three pieces of a playAudio message of mu-law at 8000 Hz, for a sender that gathers or appends: head, `base64`,
// tail. Copies nothing; head and tail live for ever. `base64` must have passed audio::DecodedSize: it is not looked at.
inline std::array<absl::string_view, 3> PlayAudioParts(absl::string_view base64) {
  return {R"({"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":")", base64,
          R"("}})"};
}

// Asks to be told (PlayedStream) when all audio sent before it was played. Names should be unique in a call.
// kInvalidArgument: `name` is empty or longer than kMaxCheckpointNameBytes, or a text is not UTF-8.
absl::StatusOr<std::string> FormatCheckpoint(absl::string_view stream_id, absl::string_view name);

// Empties the carrier's queue, checkpoints included: those will never be reported. kInvalidArgument: not UTF-8.
absl::StatusOr<std::string> FormatClearAudio(absl::string_view stream_id);

// Plays tones to the caller. kInvalidArgument: `digits` is empty, longer than 64, or not of 0-9 * # A-D.
absl::StatusOr<std::string> FormatSendDtmf(absl::string_view digits);

}  // namespace callbridge::plivo

#endif  // CALLBRIDGE_SRC_PLIVO_STREAM_COMMAND_H_
