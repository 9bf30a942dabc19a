#ifndef CALLBRIDGE_SRC_CALL_DEADLINES_H_
#define CALLBRIDGE_SRC_CALL_DEADLINES_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// The names of what a call waits for. Only call*.cc include this.
namespace callbridge::call::deadline {

// Signalling.
inline constexpr absl::string_view kRing = "ring";
inline constexpr absl::string_view kStream = "stream";
inline constexpr absl::string_view kGrace = "grace";
inline constexpr absl::string_view kMaxDuration = "max_duration";
inline constexpr absl::string_view kHangUp = "hangup";
inline constexpr absl::string_view kLateText = "late_text";
inline constexpr absl::string_view kSummary = "summary";

// Transfers.
inline constexpr absl::string_view kAnnouncement = "announcement";
inline constexpr absl::string_view kTransferFetch = "transfer_fetch";
inline constexpr absl::string_view kDial = "dial";

// The model's session.
inline constexpr absl::string_view kModel = "model";
inline constexpr absl::string_view kReopen = "reopen";
inline constexpr absl::string_view kRenewal = "renewal";
inline constexpr absl::string_view kRenewalAnyhow = "renewal_anyhow";
inline constexpr absl::string_view kHold = "hold";

// Turns.
inline constexpr absl::string_view kRetryResponse = "retry_response";
inline constexpr absl::string_view kAnswer = "answer";
inline constexpr absl::string_view kEvidence = "evidence";
inline constexpr absl::string_view kMeasure = "measure";
inline constexpr absl::string_view kIdle = "idle";

// Tools, keys, goodbyes, machines.
inline constexpr absl::string_view kToolPatience = "tool_patience";
inline constexpr absl::string_view kToolLimit = "tool_limit";
inline constexpr absl::string_view kClientTool = "client_tool ";  // And the call's id: each has its own.
inline constexpr absl::string_view kKeys = "keys";
inline constexpr absl::string_view kFarewell = "farewell";
inline constexpr absl::string_view kBeep = "beep";

// A machine that has been silent for so long behind its greeting has no beep, or we did not know it as one.
inline const absl::Duration kBehindGreeting = absl::Seconds(2);

}  // namespace callbridge::call::deadline

#endif  // CALLBRIDGE_SRC_CALL_DEADLINES_H_
