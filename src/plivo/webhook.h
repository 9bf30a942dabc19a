#ifndef CALLBRIDGE_SRC_PLIVO_WEBHOOK_H_
#define CALLBRIDGE_SRC_PLIVO_WEBHOOK_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/plivo/form.h"
#include "src/plivo/hangup_cause.h"

// The parameters of the carrier's webhooks as values. Source: Plivo's documentation of requests to answer URLs, of
// hangup and ring callbacks, stream status callbacks and the Dial element; where its pages name a thing twice, both
// names are read.
//
// Every Parse...() needs CallUUID and nothing else: kInvalidArgument naming it when it is missing or no id. Any other
// field that is missing is empty (texts), nullopt or kUnknown; one that cannot be understood (a time, a number) counts
// as missing, because a notice with an odd field is worth more than none. Unknown fields are ignored. Texts are valid
// UTF-8: bytes that are not become U+FFFD, and so do control characters. Any callback can come twice and in any order.
// Pure; any thread.
namespace callbridge::plivo {

enum class Direction { kUnknown, kInbound, kOutbound };

enum class Event {
  kUnknown,  // Missing or a word we do not know.
  kStartApp,
  kRedirect,
  kRing,
  kHangup,
  kMachineDetection,
  kDialAnswer,
  kDialHangup,
  kDialDigitsMatch,
};

// What every webhook carries.
struct CommonParams {
  std::string call_uuid;  // 1-64 letters, digits, '-' and '_'. The key for everything.
  std::string from;       // As sent: with or without '+', or a SIP URI.
  std::string to;
  Direction direction = Direction::kUnknown;
  CallStatus call_status = CallStatus::kUnknown;
  std::string call_status_text;
  Event event = Event::kUnknown;
  std::string event_text;
  std::string request_uuid;  // Outbound: what the REST API returned.
  std::string a_leg_uuid;
  std::string parent_auth_id;
};

// What the answer URL, and any URL that serves instructions, is asked with.
struct AnswerParams {
  CommonParams common;
  std::string caller_name;
  std::string forwarded_from;
  std::string stir_verification;  // "Verified", "Not Verified", "Not Applicable".
  absl::optional<absl::Time> session_start;
  std::string bill_rate;                                         // Decimal text, per minute.
  std::string digits;                                            // Only when an element's action made the request.
  absl::optional<bool> machine;                                  // Synchronous machine detection.
  std::vector<std::pair<std::string, std::string>> sip_headers;  // "X-PH-Name" as Name; at most 32.

  // Whether this is the notice of an ended call, which an application without a hangup URL gets at its answer URL. It
  // must not be answered with a stream.
  bool is_hangup_notice = false;
};

struct RingParams {
  CommonParams common;
};

struct HangupParams {
  CommonParams common;
  std::string cause;               // "NORMAL_CLEARING"
  std::string cause_name;          // "Normal Hangup"
  absl::optional<int> cause_code;  // Decide by this one: see hangup_cause.h.
  HangupSource source = HangupSource::kUnknown;
  std::string source_text;
  absl::optional<int64_t> duration_seconds;       // Of the conversation.
  absl::optional<int64_t> bill_duration_seconds;  // Rounded up.
  std::string bill_rate;                          // Decimal text.
  std::string total_cost;                         // Decimal text.
  absl::optional<absl::Time> start_time;
  absl::optional<absl::Time> answer_time;  // Missing if never answered.
  absl::optional<absl::Time> end_time;
  bool carrier_failover = false;
};

enum class StreamEvent { kUnknown, kStarted, kStopped, kDropped, kDegraded, kFailed, kPlayed, kCleared };

// Diagnostics: the stream's state comes from its WebSocket.
struct StreamStatusParams {
  CommonParams common;
  StreamEvent event = StreamEvent::kUnknown;  // common.event_text keeps the word.
  std::string stream_id;
  std::string name;   // Of the checkpoint, with kPlayed.
  std::string error;  // In the carrier's words.
  absl::optional<int64_t> duration_seconds;
  absl::optional<absl::Time> time;
};

// A Dial has ended: its action URL.
struct DialDoneParams {
  CommonParams common;
  DialStatus status = DialStatus::kUnknown;
  std::string status_text;
  absl::optional<bool> rang;
  std::string hangup_cause;
  std::string a_leg_uuid;
  std::string b_leg_uuid;
};

enum class DialAction { kUnknown, kAnswer, kConnected, kHangup, kDigits };

// What happens during a Dial: its callback URL.
struct DialProgressParams {
  CommonParams common;
  DialAction action = DialAction::kUnknown;  // From DialAction, or else from Event.
  std::string b_leg_uuid;
  CallStatus b_leg_status = CallStatus::kUnknown;
  std::string b_leg_from;
  std::string b_leg_to;
  absl::optional<int64_t> b_leg_duration_seconds;
  absl::optional<int64_t> b_leg_bill_duration_seconds;
  std::string b_leg_hangup_cause;
  std::string b_leg_hangup_cause_name;
  absl::optional<int> b_leg_hangup_cause_code;
  HangupSource b_leg_hangup_source = HangupSource::kUnknown;
  std::string digits;
  std::string digits_pressed_by;
};

// Asynchronous machine detection. A human seems to give no callback at all: wait with a timer.
struct MachineDetectionParams {
  CommonParams common;
  bool machine = false;    // Also when only the event says so.
  std::string if_machine;  // "continue" or "hangup".
};

absl::StatusOr<AnswerParams> ParseAnswer(const Form& form);
absl::StatusOr<RingParams> ParseRing(const Form& form);
absl::StatusOr<HangupParams> ParseHangup(const Form& form);
absl::StatusOr<StreamStatusParams> ParseStreamStatus(const Form& form);
absl::StatusOr<DialDoneParams> ParseDialDone(const Form& form);
absl::StatusOr<DialProgressParams> ParseDialProgress(const Form& form);
absl::StatusOr<MachineDetectionParams> ParseMachineDetection(const Form& form);

// "2026-11-22 10:15:30", with or without fractions, 'T' for the space, and an offset ("+00:00", "Z"); without one it is
// UTC.
absl::optional<absl::Time> ParseCarrierTime(absl::string_view text);

}  // namespace callbridge::plivo

#endif  // CALLBRIDGE_SRC_PLIVO_WEBHOOK_H_
