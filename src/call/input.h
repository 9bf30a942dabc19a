#ifndef CALLBRIDGE_SRC_CALL_INPUT_H_
#define CALLBRIDGE_SRC_CALL_INPUT_H_

#include <cstdint>
#include <string>
#include <variant>

#include "src/call/types.h"

// Everything that can happen to a call, as values: what the carrier, the model, the control plane and the clock tell
// it, in neutral words. Providers' texts were translated before; call/input_text.h writes an input as a line and reads
// it back.
namespace callbridge::call::input {

// ---- Signalling ----
struct DialAccepted {
  std::string request_id;
};  // The carrier took our request to dial.
struct DialRefused {
  EndReason reason = EndReason::kCarrierRefused;
  std::string detail;
};  // It did not, and nothing happened.
struct DialUnknown {
  std::string detail;
};  // It may or may not have.
struct Rang {
  std::string carrier_call_id;
};  // The phone rings.
struct Answered {
  std::string carrier_call_id;
};                                              // Somebody picked up, or an inbound call reached us.
struct HungUp {                                 // The carrier says that the call is over.
  EndReason reason = EndReason::kNormalHangup;  // As the cause code means.
  Party party = Party::kCaller;
  std::string detail;
};

// ---- The carrier's stream ----
struct StreamOpened {
  std::string stream_id;
};
struct StreamClosed {
  bool clean = true;
  std::string detail;
};
struct CallerAudio {
  std::string base64;
};
struct CheckpointPlayed {
  int64_t number = 0;
};
struct AudioCleared {};
struct Dtmf {
  std::string digit;
};

// ---- The model ----
struct ModelCreated {
  std::string session_id;
  std::string model;
  int64_t lifetime_ms = 0;  // Until the server will end it; 0: not told.
};
struct ModelConfigured {};
struct ResponseStarted {
  std::string response_id;
  std::string request_id;  // Of the CreateResponse that asked for it; empty: one without, or nobody asked.
};                         // Of the conversation; out-of-band responses are no part of it.
struct ItemAdded {
  std::string item_id;
  std::string previous_item_id;
  Role role = Role::kAssistant;
  std::string response_id;
};
struct ModelAudio {
  std::string response_id;
  std::string item_id;
  std::string base64;
};
struct ModelAudioDone {
  std::string item_id;
};
struct AssistantText {
  std::string item_id;
  std::string delta;
};
struct AssistantTextDone {
  std::string item_id;
  std::string text;
};
struct ResponseEnded {
  std::string response_id;
  std::string status;
  std::string code;
  std::string detail;
};
struct SpeechStarted {
  std::string item_id;
};
struct SpeechStopped {
  std::string item_id;
};
struct TurnCommitted {
  std::string item_id;
  std::string previous_item_id;
};
struct CallerText {
  std::string item_id;
  std::string text;
};
struct CallerTextFailed {
  std::string item_id;
  std::string detail;
};
struct TransferAsked {
  std::string transfer_id;
  std::string tool_call_id;
  std::string destination;
  std::string reason;
  std::string arguments;  // As the model wrote them.
};
struct EndAsked {  // The end_call tool.
  std::string tool_call_id;
  std::string reason;
  std::string arguments;
};
struct DtmfAsked {  // The send_dtmf tool; digits are valid.
  std::string tool_call_id;
  std::string digits;
  std::string arguments;
};
struct ToolAsked {  // A tool from the configuration; arguments fit its schema.
  std::string tool_call_id;
  std::string name;
  std::string arguments;
};
struct ToolFinished {  // What came of command::RunTool.
  std::string tool_call_id;
  bool ok = false;
  std::string output;  // For the model: JSON, or words about what went wrong.
};
struct ToolRefused {
  std::string tool_call_id;
  std::string name;
  std::string problem;
};  // Unknown tool, or arguments that make no sense.
struct SummaryMade {
  std::string text;
};
struct SummaryUnavailable {
  std::string detail;
};
struct ModelError {
  std::string code;
  std::string message;
  bool fatal = false;
  EndReason reason = EndReason::kModelSessionLost;
};
struct ModelClosed {
  EndReason reason = EndReason::kModelSessionLost;
  std::string detail;
};

// ---- What the caller's line sounds like; only while Call::listening() asks for it ----
struct CallerVoice {  // One frame of the caller: whether somebody is heard in it.
  bool voiced = false;
  int64_t ms = 20;
};
struct BeepHeard {};  // An answering machine's tone ended.

// ---- Machines ----
struct MachineDetected {  // The carrier says that a machine answered.
  std::string detail;
};

// ---- Transfers ----
struct TransferTaken {
  std::string transfer_id;
};  // The carrier accepted to fetch new instructions.
struct TransferRefused {
  std::string transfer_id;
  std::string detail;
};
struct TransferFetched {
  std::string transfer_id;
  int64_t target = 0;  // Whose instructions.
};                     // It fetched them: a human's phone rings.
struct HumanAnswered {
  std::string transfer_id;
  int64_t target = 0;
};
struct TransferDone {  // One target's dial is over.
  std::string transfer_id;
  int64_t target = 0;  // Which, from 0.
  TransferOutcome outcome = TransferOutcome::kUnknown;
  std::string detail;
};

// ---- Control ----
struct EndRequested {
  EndReason reason = EndReason::kApiEnded;
  std::string detail;
  std::string goodbye;  // What the assistant says before, word for word; empty: nothing.
};
struct TransferRequested {
  std::string transfer_id;
  std::string destination;  // A key; empty: `number`.
  std::string reason;
  std::string number;  // E.164, allowed by whoever asks for this input; empty: the destination's.
};
struct TransferCancelRequested {
  std::string transfer_id;
};

// Of these Call::WhyNot() tells beforehand what would become of them.
struct SayRequested {
  std::string request_id;  // UUID; here and below a repeat with the same one changes nothing.
  std::string text;        // Word for word; empty: `prompt`.
  std::string prompt;      // Name of a stored prompt; empty: `text`.
  bool interrupt = false;  // Stops what is being said.
  std::string principal;   // Who asks, here and below; empty: nobody needs a name.
};
struct ContextGiven {
  std::string request_id;
  std::string text;
  bool respond = false;  // The assistant says something about it.
  std::string principal;
};
struct InstructionsGiven {
  std::string instructions;
  std::string principal;
};
struct DtmfRequested {
  std::string request_id;
  std::string digits;  // Valid.
  std::string principal;
};
struct MuteRequested {
  bool caller_muted = false;
  bool assistant_muted = false;
  std::string principal;
};
struct TakeoverRequested {
  std::string reason;
  std::string principal;
};
struct ReleaseRequested {
  std::string context;   // For the model; empty: nothing.
  bool respond = false;  // The assistant speaks first.
  std::string principal;
};
struct ToolResultGiven {  // A client's answer to one of CallOptions::client_tools.
  std::string tool_call_id;
  bool ok = false;
  std::string output;  // JSON.
};

// ---- The clock ----
struct Tick {};  // next_deadline() has come.

using Input = std::variant<DialAccepted, DialRefused, DialUnknown, Rang, Answered, HungUp, StreamOpened, StreamClosed,
                           CallerAudio, CheckpointPlayed, AudioCleared, Dtmf, ModelCreated, ModelConfigured,
                           ResponseStarted, ItemAdded, ModelAudio, ModelAudioDone, AssistantText, AssistantTextDone,
                           ResponseEnded, SpeechStarted, SpeechStopped, TurnCommitted, CallerText, CallerTextFailed,
                           TransferAsked, EndAsked, DtmfAsked, ToolAsked, ToolFinished, ToolRefused, SummaryMade,
                           SummaryUnavailable, ModelError, ModelClosed, CallerVoice, BeepHeard, MachineDetected,
                           TransferTaken, TransferRefused, TransferFetched, HumanAnswered, TransferDone, EndRequested,
                           TransferRequested, TransferCancelRequested, SayRequested, ContextGiven, InstructionsGiven,
                           DtmfRequested, MuteRequested, TakeoverRequested, ReleaseRequested, ToolResultGiven, Tick>;

}  // namespace callbridge::call::input

#endif  // CALLBRIDGE_SRC_CALL_INPUT_H_
