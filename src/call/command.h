#ifndef CALLBRIDGE_SRC_CALL_COMMAND_H_
#define CALLBRIDGE_SRC_CALL_COMMAND_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/call/event.h"
#include "src/call/types.h"

// Everything that a call wants done, as values, and the two streams of audio beside them.
namespace callbridge::call {

namespace command {

// ---- The model ----
struct OpenModel {};  // Connect; ModelCreated or ModelClosed follows. A session that is there is closed without a word.
struct ConfigureModel {           // Send the session's configuration; ModelConfigured follows.
  bool protect_greeting = false;  // Until ReleaseGreeting the server does not stop at the caller's voice.
};
struct ReleaseGreeting {};  // Turn detection as the agent has it, from now on.

// Something that was said or done in an earlier session of this call.
struct HistoryItem {
  Role role = Role::kCaller;  // kTool: a finished tool call.
  std::string item_id;        // Of the new item; empty: the server's choice.
  std::string text;           // Or the tool's output.
  std::string tool_call_id;   // kTool.
  std::string name;           // kTool.
  std::string arguments;      // kTool.
};
struct RestoreConversation {  // Fills a new session, in order.
  std::vector<HistoryItem> items;
};
struct RewriteItem {  // Of an item that RestoreConversation made less was heard than it says. Empty text: nothing.
  std::string item_id;
  std::string previous_item_id;  // Behind which it stays; empty: at the start.
  std::string text;
};
struct AddSystemText {
  std::string text;
};  // An item that only the model sees.
struct AddCallerText {
  std::string text;
};  // Something that the caller did not say but did: "[The caller pressed 1 2 #]".
struct CreateResponse {
  std::string instructions;  // For this one alone, with no tools; empty: the session's.
  std::string request_id;    // Comes back with ResponseStarted; empty: none.
};
struct SetInstructions {  // In place of the agent's; for this session and those after it.
  std::string instructions;
};
struct LetAnswer {  // Whether turns of the caller are answered; false also for sessions after this one.
  bool on = true;
};
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
struct RunTool {  // ToolFinished follows, also after its time limit.
  std::string tool_call_id;
  std::string name;
  std::string arguments;
};
struct RequestSummary {};
struct CloseModel {};

// ---- The carrier ----
struct SendCheckpoint {
  int64_t number = 0;
};
struct ClearAudio {};
struct SendDtmf {
  std::string digits;
};
struct CloseStream {};  // No more audio; the carrier goes on with its instructions.
struct TransferCarrier {
  std::string transfer_id;
};  // Have the carrier fetch new instructions: NextStep says which.
struct HangUpCarrier {};

// What the carrier is told to do when it asks next.
struct NextStep {
  enum class Kind { kStream, kDial, kHangUp };
  struct Target {
    std::string number;  // E.164 or SIP URI.
    absl::Duration ring_time = absl::Seconds(25);
  };
  Kind kind = Kind::kStream;
  // kDial: the targets that are left, in their order; the next one is dialled when one's dial has failed, without
  // another command.
  std::string transfer_id;
  std::vector<Target> targets;
  int64_t first_target = 0;  // Which of the transfer's targets `targets` begins with.
  std::string whisper;       // Said to the human before the caller is put through; empty: nothing.
  std::string confirm_key;   // The key with which the human takes the call; empty: none is asked for.
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

using Command =
    std::variant<OpenModel, ConfigureModel, ReleaseGreeting, RestoreConversation, RewriteItem, AddSystemText,
                 AddCallerText, CreateResponse, CancelResponse, TruncateItem, DeleteItem, AnswerTool, RunTool,
                 RequestSummary, CloseModel, SendCheckpoint, ClearAudio, SendDtmf, CloseStream, TransferCarrier,
                 HangUpCarrier, NextStep, SaveItem, SaveTranscript, Finished, SetInstructions, LetAnswer>;

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
