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
struct ModelReady {  // The session is there, and gets its configuration.
  std::string session_id;
  std::string model;
  int ordinal = 1;  // 1 for the call's first session, 2 for the next ...
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
struct AssistantSilenced {  // The carrier confirmed that nothing of the assistant sounds any more.
  int64_t silence_ms = 0;   // From the report of the caller's speech.
};
struct AssistantPaused {  // The caller made a sound; whether it was an interruption is not known yet.
  std::string item_id;
  int64_t heard_ms = 0;
};
struct AssistantResumed {  // It was none: the same sentence goes on where it stopped.
  std::string item_id;
  int64_t paused_ms = 0;
};
struct TranscriptItemFinal {  // Its text will not change any more.
  TranscriptItem item;
};
struct ToolCalled {
  std::string tool_call_id;
  std::string name;
  std::string arguments;                        // JSON as the model wrote it.
  absl::Time answer_by = absl::InfinitePast();  // Until when a client may answer it; InfinitePast: not a client's.
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
  int64_t to_first_heard_ms = -1;  // First audio heard, as the ledger has it when it was.
};
struct AnswerMeasured {  // Once per call, when the assistant was heard first. Milliseconds from the answer; -1: not
                         // known.
  int64_t to_stream_ms = -1;
  int64_t to_model_ready_ms = -1;  // 0: it was ready before.
  int64_t to_first_audio_ms = -1;  // From the model.
  int64_t to_first_sent_ms = -1;
  int64_t to_first_heard_ms = -1;
};
struct ModelReopening {  // The session is replaced by a new one, which gets the conversation as it was heard.
  int attempt = 0;       // 1 for the first try since the last session that worked; 0: planned, before its time limit.
  std::string reason;    // As ModelTrouble's code.
};
struct PromptPlayed {  // A stored prompt is handed to the carrier.
  std::string name;    // "hold", "callback", "goodbye", "voicemail".
  std::string item_id;
  std::string text;
};
struct CallerIdle {      // Nobody said anything since the assistant was heard out.
  int count = 1;         // 1 for the first time in a row.
  bool goodbye = false;  // The assistant takes its leave now, instead of asking again.
};
struct MachineAnswered {  // Once per call.
  VoicemailPolicy policy = VoicemailPolicy::kContinue;
  std::string detail;
};
struct CallbackPromised {  // The caller was told that somebody will call back: the model could not be had.
  std::string reason;
};
struct SayRequested {  // A client wants something said.
  std::string request_id;
  std::string text;    // Word for word; empty: a prompt.
  std::string prompt;  // Its name; empty: words.
  bool interrupt = false;
  std::string principal;  // Who asked, here and below; empty: nobody needs a name.
};
struct ContextInjected {  // A client told the model something.
  std::string request_id;
  std::string text;
  bool respond = false;
  std::string principal;
};
struct InstructionsUpdated {  // A client replaced the assistant's instructions.
  std::string instructions;
  std::string principal;
};
struct DtmfSent {          // Keys were sent to the other side.
  std::string digits;      // 0-9 * # A-D
  std::string request_id;  // Empty: the assistant did it.
  std::string principal;
};
struct MuteChanged {
  bool caller_muted = false;     // The model hears silence.
  bool assistant_muted = false;  // The caller hears nothing of the assistant.
  std::string principal;
};
struct TakeoverChanged {
  bool taken_over = false;  // The assistant is stopped.
  std::string reason;
  std::string principal;
};
struct CallEnded {  // Always exactly one per call. Late transcript items and the summary may follow.
  Termination termination;
  int64_t duration_seconds = 0;  // From answer to end; 0 if never answered.
};
// What the text model made of a conversation besides the summary.
struct CallResult {
  std::string disposition;     // "interested", "callback", ... as the agent's configuration lists them; empty: unknown.
  std::string interest;        // "none", "low", "medium", "high"; empty: unknown.
  std::string follow_up_time;  // RFC 3339; empty: none was agreed on.
  std::string fields_json;     // An object as the agent's schema says; empty: there is none.
};
struct SummaryReady {  // Once per call; before CallEnded where a human had taken over and the session itself sums up.
  std::string summary;
  CallResult result;
};
struct SummaryFailed {
  std::string reason;
};

using EventBody =
    std::variant<CallCreated, StateChanged, StreamConnected, StreamLost, ModelReady, ModelTrouble, CallerSpeechStarted,
                 CallerSpeechStopped, AssistantSpeechStarted, AssistantSpeechFinished, BargeIn, TranscriptItemFinal,
                 ToolCalled, ToolAnswered, TransferChanged, CallerReturned, DtmfReceived, TurnMeasured, CallEnded,
                 SummaryReady, SummaryFailed, AssistantSilenced, AssistantPaused, AssistantResumed, AnswerMeasured,
                 ModelReopening, PromptPlayed, CallerIdle, MachineAnswered, CallbackPromised, SayRequested,
                 ContextInjected, InstructionsUpdated, DtmfSent, MuteChanged, TakeoverChanged>;

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
