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
};
struct ModelConfigured {};
struct ResponseStarted {
  std::string response_id;
};  // Of the conversation; out-of-band responses are no part of it.
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
};  // It fetched them: a human's phone rings.
struct HumanAnswered {
  std::string transfer_id;
};
struct TransferDone {
  std::string transfer_id;
  TransferOutcome outcome = TransferOutcome::kUnknown;
  std::string detail;
};

// ---- Control ----
struct EndRequested {
  EndReason reason = EndReason::kApiEnded;
  std::string detail;
};
struct TransferRequested {
  std::string transfer_id;
  std::string destination;
  std::string reason;
};

// ---- The clock ----
struct Tick {};  // next_deadline() has come.

using Input =
    std::variant<DialAccepted, DialRefused, DialUnknown, Rang, Answered, HungUp, StreamOpened, StreamClosed,
                 CallerAudio, CheckpointPlayed, AudioCleared, Dtmf, ModelCreated, ModelConfigured, ResponseStarted,
                 ItemAdded, ModelAudio, ModelAudioDone, AssistantText, AssistantTextDone, ResponseEnded, SpeechStarted,
                 SpeechStopped, TurnCommitted, CallerText, CallerTextFailed, TransferAsked, ToolRefused, SummaryMade,
                 SummaryUnavailable, ModelError, ModelClosed, TransferTaken, TransferRefused, TransferFetched,
                 HumanAnswered, TransferDone, EndRequested, TransferRequested, Tick>;

}  // namespace callbridge::call::input

#endif  // CALLBRIDGE_SRC_CALL_INPUT_H_
