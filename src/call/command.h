#ifndef CALLBRIDGE_SRC_CALL_COMMAND_H_
#define CALLBRIDGE_SRC_CALL_COMMAND_H_

#include <cstdint>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "src/call/event.h"
#include "src/call/types.h"

// Everything that a call wants done, as values, and the two streams of audio beside them.
namespace callbridge::call {

namespace command {

// ---- The model ----
struct OpenModel {};       // Connect; ModelCreated or ModelClosed follows.
struct ConfigureModel {};  // Send the session's configuration; ModelConfigured follows.
struct AddSystemText {
  std::string text;
};  // An item that only the model sees.
struct CreateResponse {};
struct CancelResponse {
  std::string response_id;
};
struct TruncateItem {
  std::string item_id;
  int64_t audio_end_ms = 0;
};
struct DeleteItem {
  std::string item_id;
};
struct AnswerTool {
  std::string tool_call_id;
  bool ok = false;
  std::string message;
};
struct RequestSummary {};
struct CloseModel {};

// ---- The carrier ----
struct SendCheckpoint {
  int64_t number = 0;
};
struct ClearAudio {};
struct CloseStream {};  // No more audio; the carrier goes on with its instructions.
struct TransferCarrier {
  std::string transfer_id;
};  // Have the carrier fetch new instructions: NextStep says which.
struct HangUpCarrier {};

// What the carrier is told to do when it asks next.
struct NextStep {
  enum class Kind { kStream, kDial, kHangUp };
  Kind kind = Kind::kStream;
  std::string transfer_id;  // kDial.
  std::string number;       // kDial.
};

// ---- Records ----
struct SaveItem {
  TranscriptItem item;
};  // As it is so far, without an event.
struct SaveTranscript {
  std::string transcript;
};  // The whole conversation, after the end, when late text came.

// Nothing more will come; the call's objects can go.
struct Finished {};

using Command = std::variant<OpenModel, ConfigureModel, AddSystemText, CreateResponse, CancelResponse, TruncateItem,
                             DeleteItem, AnswerTool, RequestSummary, CloseModel, SendCheckpoint, ClearAudio,
                             CloseStream, TransferCarrier, HangUpCarrier, NextStep, SaveItem, SaveTranscript, Finished>;

}  // namespace command

// Carries out what a call wants. Called from inside Call's methods; must not call back into the call, only post.
class CommandSink {
 public:
  virtual ~CommandSink() = default;

  // One frame of the caller to the model, one piece of the assistant to the carrier. Valid during the call only.
  virtual void AudioToModel(absl::string_view base64) = 0;
  virtual void AudioToCarrier(absl::string_view base64) = 0;

  virtual void Do(const command::Command& command) = 0;

  // An event that happened, with its sequence; to be recorded.
  virtual void Record(Event event) = 0;
};

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_COMMAND_H_
