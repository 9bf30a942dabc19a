#ifndef CALLBRIDGE_SRC_PLIVO_HANGUP_CAUSE_H_
#define CALLBRIDGE_SRC_PLIVO_HANGUP_CAUSE_H_

#include "absl/strings/string_view.h"

// The carrier's words for how calls stand and how they end. All sets are open: words we do not know become kUnknown,
// and the caller keeps the text for its logs. Source: Plivo's documentation of hangup causes and of the call object.
namespace callbridge::plivo {

// Why a leg ended, as far as we act on it.
enum class CauseClass {
  kNormal,  // Somebody hung up, or a limit that we set ran out.
  kBusy,
  kNoAnswer,
  kRejected,        // The person, or somebody on their behalf, declined.
  kInvalidNumber,   // Dialling it again cannot help.
  kCarrierFailed,   // A fault or limit of the carrier, or of our account there.
  kCanceled,        // Withdrawn before the answer, by our request or in favour of another leg.
  kOurXmlRanOut,    // Our document had no more instructions; usually the stream was closed.
  kOurServerFault,  // The carrier could not reach or use what our webhooks answered. Worth an alarm.
  kMachine,         // An answering machine.
  kUnknown,
};

struct HangupCause {
  int code = 0;            // As asked for.
  absl::string_view name;  // Plivo's name; "Unknown" for a code that is not in the table. Lives for ever.
  CauseClass cause_class = CauseClass::kUnknown;
};

// What HangupCauseCode stands for. The code is the stable part; wordings of names vary between the carrier's pages.
// Codes of the 7xxx and 8xxx families are our server's fault also when they are not in the table.
HangupCause LookUpHangupCause(int code);

// Of a dialled leg: somebody picked up and did not press the key that <Dial> wanted.
inline constexpr int kConfirmKeyMissing = 9110;

enum class CallStatus { kUnknown, kRinging, kInProgress, kCompleted, kBusy, kFailed, kTimeout, kNoAnswer, kCancel };
enum class DialStatus { kUnknown, kCompleted, kBusy, kFailed, kCancel, kTimeout, kNoAnswer };
enum class HangupSource { kUnknown, kCaller, kCallee, kPlivo, kCarrier, kApiRequest, kAnswerXml, kError };

// In any case, with surrounding white space, and with '-', '_' or ' ' between words.
CallStatus ParseCallStatus(absl::string_view text);
DialStatus ParseDialStatus(absl::string_view text);
HangupSource ParseHangupSource(absl::string_view text);

// Whether a call in that status is over.
bool IsOver(CallStatus status);

// Stable lower-case words, for logs: "our_server_fault", "no_answer", "api_request".
absl::string_view Name(CauseClass value);
absl::string_view Name(CallStatus value);
absl::string_view Name(DialStatus value);
absl::string_view Name(HangupSource value);

}  // namespace callbridge::plivo

#endif  // CALLBRIDGE_SRC_PLIVO_HANGUP_CAUSE_H_
