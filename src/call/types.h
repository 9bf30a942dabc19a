#ifndef CALLBRIDGE_SRC_CALL_TYPES_H_
#define CALLBRIDGE_SRC_CALL_TYPES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

// The words that a call is described in, shared by the call itself, the store and the control plane. Values only.
// Every enum has a Name(): a stable lower-case word, stored in the database and shown in logs; and a Parse...() back.
namespace callbridge::call {

enum class Direction { kInbound, kOutbound };

// Where a call is in its life. Moves only downwards, except kTransferring -> kInProgress (nobody took the caller over)
// and kInProgress -> kAnswered (the stream was lost and may come back).
enum class State {
  kDialing,       // Outbound: the row exists, the carrier is being asked to dial.
  kRinging,       // The phone rings.
  kAnswered,      // Somebody picked up; the audio stream is not there (yet).
  kInProgress,    // Caller and assistant talk.
  kTransferring,  // The carrier dials a human.
  kTransferred,   // Caller and human talk; the assistant is out.
  kCompleted,     // Over, after a conversation. Final.
  kFailed,        // Over, without one or by a fault. Final.
};
inline bool IsFinal(State state) { return state == State::kCompleted || state == State::kFailed; }

// Who caused an end.
enum class Party { kCaller, kCallee, kAssistant, kApi, kCarrier, kModel, kSystem };

// At which layer the evidence was.
enum class Layer { kSignalling, kMediaStream, kModelSession, kTransfer, kControl, kProcess };

// Why a call ended. Open set for readers: new values may come.
enum class EndReason {
  kNormalHangup,       // One side hung up after a conversation.
  kApiEnded,           // EndCall.
  kTransferCompleted,  // The human talked to the caller, then the call ended.
  kNoAnswer,
  kBusy,
  kRejected,
  kInvalidNumber,
  kCallerCancelled,     // The caller gave up before the conversation started.
  kCarrierRefused,      // The carrier would not dial: our account, number or request.
  kCarrierUnavailable,  // The carrier failed or could not be reached.
  kDialOutcomeUnknown,  // The request to dial may or may not have arrived, and nothing was heard since. Never dialled
                        // again.
  kAnsweringMachine,    // A machine answered, and the policy is to hang up.
  kMaxDuration,
  kModelRefused,      // The model's service refused the session: key, model, configuration.
  kModelQuota,        // ... or the account's quota is used up.
  kModelUnavailable,  // It could not be reached.
  kModelSessionLost,  // It was there and went away.
  kMediaStreamLost,   // The carrier's stream broke and did not come back.
  kStreamNeverStarted,
  kXmlRejected,     // The carrier could not use what our webhooks answered.
  kServerDrain,     // This server was told to stop.
  kProcessLost,     // The process died; found at the next start.
  kInternalError,   // A broken invariant of ours.
  kAssistantEnded,  // The end_call tool: goodbyes were said.
  kCallerIdle,      // The caller said nothing any more, and the assistant took its leave.
  kVoicemailLeft,   // A machine answered, and our message is on it.
};

// How a call ended, in one value. Made by call/termination.h only.
struct Termination {
  EndReason reason = EndReason::kInternalError;
  Party initiator = Party::kSystem;
  Layer layer = Layer::kProcess;
  std::string evidence;    // What was seen: "hangup cause 4000 Normal Hangup by Caller", "close code 1006".
  bool retryable = false;  // Whether calling again may help.
  bool failed = true;      // False: the call did what it was for (State::kCompleted).
};

enum class Role { kCaller, kAssistant, kHuman, kTool, kSystem };

// How we know what was heard of an item.
enum class HeardBasis {
  kNone,          // Nothing was sent, or the item is the caller's own.
  kAcknowledged,  // A checkpoint of the carrier covers it.
  kEstimated,     // By the clock alone: no checkpoint of this stream has come back yet. Capped by what was sent.
  kPaced,         // By the clock as earlier checkpoints of this stream have set it. Capped by what was sent.
};

enum class ItemStatus {
  kInProgress,
  kComplete,  // Said (and, for the assistant, heard) to its end.
  kCut,       // The assistant was interrupted: text_heard is shorter than text_generated.
  kFailed,    // The caller spoke but no text could be made of it.
};

// One thing said in the call.
struct TranscriptItem {
  std::string item_id;   // The model's id, unique in the call.
  int64_t position = 0;  // Order in the conversation, from 1; two writes of an item keep its id and may move it.
  Role role = Role::kCaller;
  ItemStatus status = ItemStatus::kInProgress;
  std::string text_generated;  // What the model produced, or the caller's words as transcribed.
  std::string text_heard;      // What the caller heard of it; equal to text_generated for the caller's own items.
  int64_t generated_ms = 0;    // Audio received from the model; caller's items: length of the utterance.
  int64_t heard_ms = 0;
  HeardBasis basis = HeardBasis::kNone;
  absl::Time start_time = absl::InfinitePast();  // When it began to be said; InfinitePast: unknown.
};

enum class TransferOutcome {
  kPending,
  kBridged,  // A human answered and talked.
  kBusy,
  kNoAnswer,
  kRejected,
  kInvalidTarget,
  kCallerLeft,  // The caller hung up first.
  kCancelled,
  kCarrierError,
  kUnknown,  // The carrier never told.
};

enum class TransferState {
  kRequested,  // Accepted; the announcement is still being heard.
  kDialing,    // The carrier was told.
  kConnected,  // A human talks.
  kCompleted,  // ... and hung up.
  kFailed,     // Nobody took over; the caller came back or left.
};

// One number that was dialled for a transfer, and what came of it.
struct TransferAttempt {
  std::string number;  // E.164 or SIP URI.
  TransferOutcome outcome = TransferOutcome::kPending;
  std::string detail;  // The carrier's words: "DialStatus no-answer".
  absl::Time start_time = absl::InfinitePast();
  absl::Time end_time = absl::InfinitePast();  // Of the ringing, or of the talk. InfinitePast: not yet.
};

// One undertaking to hand the caller to a human: the targets of a destination are tried in their order.
struct Transfer {
  std::string transfer_id;  // UUID.
  std::string destination;  // The key in the configuration: "sales".
  std::string number;       // What is or was dialled last, E.164 or SIP URI.
  std::string reason;       // In the words of whoever asked.
  Party requested_by = Party::kAssistant;
  TransferState state = TransferState::kRequested;
  TransferOutcome outcome = TransferOutcome::kPending;
  std::string detail;  // The carrier's words: "DialStatus no-answer".
  absl::Time request_time = absl::InfinitePast();
  absl::Time connect_time = absl::InfinitePast();
  absl::Time end_time = absl::InfinitePast();
  std::vector<TransferAttempt> attempts;  // In their order; the last is the one under way, if any.
};

// How the assistant takes being spoken over.
enum class BargeInMode {
  kImmediate,          // It stops for good.
  kReversible,         // It pauses, and goes on where it was if that was only a cough or an "mm-hmm".
  kProtectedGreeting,  // The greeting is said to its end; from then on as kImmediate.
};

// What is done when the model cannot be had any more.
enum class FallbackKind {
  kGoodbye,   // The goodbye prompt, then the end.
  kCallback,  // The prompt that promises a call back, an event for the CRM, then the end.
  kTransfer,  // To a destination; the goodbye if nobody takes over.
};

// What is done when a machine answers an outbound call.
enum class VoicemailPolicy {
  kOff,       // Not detected.
  kContinue,  // Recorded, and the call goes on.
  kHangUp,
  kLeaveMessage,  // After the beep, or when the machine has been silent; then the end.
};

absl::string_view Name(Direction value);
absl::string_view Name(State value);
absl::string_view Name(Party value);
absl::string_view Name(Layer value);
absl::string_view Name(EndReason value);
absl::string_view Name(Role value);
absl::string_view Name(HeardBasis value);
absl::string_view Name(ItemStatus value);
absl::string_view Name(TransferOutcome value);
absl::string_view Name(TransferState value);
absl::string_view Name(BargeInMode value);
absl::string_view Name(FallbackKind value);
absl::string_view Name(VoicemailPolicy value);

// The inverse of Name(); false for a word that names nothing.
bool Parse(absl::string_view name, Direction* value);
bool Parse(absl::string_view name, State* value);
bool Parse(absl::string_view name, Party* value);
bool Parse(absl::string_view name, Layer* value);
bool Parse(absl::string_view name, EndReason* value);
bool Parse(absl::string_view name, Role* value);
bool Parse(absl::string_view name, HeardBasis* value);
bool Parse(absl::string_view name, ItemStatus* value);
bool Parse(absl::string_view name, TransferOutcome* value);
bool Parse(absl::string_view name, TransferState* value);
bool Parse(absl::string_view name, BargeInMode* value);
bool Parse(absl::string_view name, FallbackKind* value);
bool Parse(absl::string_view name, VoicemailPolicy* value);

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_TYPES_H_
