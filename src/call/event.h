#ifndef CALLBRIDGE_SRC_CALL_EVENT_H_
#define CALLBRIDGE_SRC_CALL_EVENT_H_

#include <cstdint>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/call/types.h"

// What happened in a call, as it is recorded, streamed to subscribers and shown in a timeline. Values only; the store
// keeps them (store/event_json.h), the control plane shows them. New bodies go to the end of EventBody.
namespace callbridge::call {

struct CallCreated {  // Always the first event of a call.
  Direction direction = Direction::kInbound;
  std::string from;  // E.164 where it is a number.
  std::string to;
  std::string agent;    // Key in the configuration.
  std::string lead_id;  // Empty: none.
};
struct StateChanged {
  State from = State::kDialing;
  State to = State::kDialing;
};
struct StreamConnected {
  std::string stream_id;
  int ordinal = 1;  // 1 for the call's first stream, 2 for the next ...
};
struct StreamLost {
  std::string detail;  // "close code 1006", "stop: ..."
};
struct ModelReady {  // The session is configured as we asked.
  std::string session_id;
  std::string model;
};
struct ModelTrouble {
  std::string code;
  std::string message;
  bool fatal = false;
};
struct CallerSpeechStarted {
  std::string item_id;
};
struct CallerSpeechStopped {
  std::string item_id;
};
struct AssistantSpeechStarted {  // Its first audio was handed to the carrier.
  std::string item_id;
  bool greeting = false;
};
struct AssistantSpeechFinished {  // All of it was heard.
  std::string item_id;
  int64_t heard_ms = 0;
  HeardBasis basis = HeardBasis::kNone;
};
struct BargeIn {        // The caller spoke over the assistant, who was stopped.
  std::string item_id;  // What was cut: the item being heard at that instant.
  int64_t heard_ms = 0;
  int64_t received_ms = 0;
  HeardBasis basis = HeardBasis::kNone;
};
struct TranscriptItemFinal {  // Its text will not change any more.
  TranscriptItem item;
};
struct ToolCalled {
  std::string tool_call_id;
  std::string name;
  std::string arguments;  // JSON as the model wrote it.
};
struct ToolAnswered {
  std::string tool_call_id;
  std::string name;
  std::string output;  // JSON.
  bool ok = false;
};
struct TransferChanged {  // Each new state of a transfer.
  Transfer transfer;
};
struct CallerReturned {  // Nobody took over; the caller is with the assistant again.
  std::string transfer_id;
};
struct DtmfReceived {
  std::string digit;  // 0-9 * # A-D
};
struct TurnMeasured {  // One per answered turn of the caller. Milliseconds from the end of speech as the model reported
                       // it; -1: not known.
  std::string caller_item_id;
  int64_t to_commit_ms = -1;
  int64_t to_first_audio_ms = -1;  // First audio from the model.
  int64_t to_first_sent_ms = -1;   // First audio handed to the carrier.
  int64_t to_first_heard_ms = -1;  // First audio heard, as the ledger has it.
};
struct CallEnded {  // Always exactly one per call; at most SummaryReady/SummaryFailed and late transcript items follow.
  Termination termination;
  int64_t duration_seconds = 0;  // From answer to end; 0 if never answered.
};
struct SummaryReady {
  std::string summary;
};
struct SummaryFailed {
  std::string reason;
};

using EventBody =
    std::variant<CallCreated, StateChanged, StreamConnected, StreamLost, ModelReady, ModelTrouble, CallerSpeechStarted,
                 CallerSpeechStopped, AssistantSpeechStarted, AssistantSpeechFinished, BargeIn, TranscriptItemFinal,
                 ToolCalled, ToolAnswered, TransferChanged, CallerReturned, DtmfReceived, TurnMeasured, CallEnded,
                 SummaryReady, SummaryFailed>;

struct Event {
  std::string call_id;
  int64_t sequence = 0;  // Position inside the call, from 1, without gaps.
  absl::Time time;
  EventBody body;
};

// Stable lower-case word of the body's kind: "call_created", "barge_in", ... Stored, and used in type filters.
absl::string_view TypeName(const EventBody& body);

// Whether `name` is the TypeName of some body.
bool IsEventType(absl::string_view name);

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_EVENT_H_
