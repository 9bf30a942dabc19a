#include "src/call/types.h"

#include <cstddef>

namespace callbridge::call {
namespace {

// The words of an enum in the order of its values.
constexpr absl::string_view kDirections[] = {"inbound", "outbound"};
constexpr absl::string_view kStates[] = {"dialing",      "ringing",     "answered",  "in_progress",
                                         "transferring", "transferred", "completed", "failed"};
constexpr absl::string_view kParties[] = {"caller", "callee", "assistant", "api", "carrier", "model", "system"};
constexpr absl::string_view kLayers[] = {"signalling", "media_stream", "model_session",
                                         "transfer",   "control",      "process"};
constexpr absl::string_view kEndReasons[] = {"normal_hangup",
                                             "api_ended",
                                             "transfer_completed",
                                             "no_answer",
                                             "busy",
                                             "rejected",
                                             "invalid_number",
                                             "caller_cancelled",
                                             "carrier_refused",
                                             "carrier_unavailable",
                                             "dial_outcome_unknown",
                                             "answering_machine",
                                             "max_duration",
                                             "model_refused",
                                             "model_quota",
                                             "model_unavailable",
                                             "model_session_lost",
                                             "media_stream_lost",
                                             "stream_never_started",
                                             "xml_rejected",
                                             "server_drain",
                                             "process_lost",
                                             "internal_error",
                                             "assistant_ended",
                                             "caller_idle",
                                             "voicemail_left"};
constexpr absl::string_view kRoles[] = {"caller", "assistant", "human", "tool", "system"};
constexpr absl::string_view kBases[] = {"none", "acknowledged", "estimated", "paced"};
constexpr absl::string_view kItemStatuses[] = {"in_progress", "complete", "cut", "failed"};
constexpr absl::string_view kTransferOutcomes[] = {"pending",       "bridged",        "busy",        "no_answer",
                                                   "rejected",      "invalid_target", "caller_left", "cancelled",
                                                   "carrier_error", "unknown"};
constexpr absl::string_view kTransferStates[] = {"requested", "dialing", "connected", "completed", "failed"};
constexpr absl::string_view kBargeInModes[] = {"immediate", "reversible", "protected_greeting"};
constexpr absl::string_view kFallbackKinds[] = {"goodbye", "callback", "transfer"};
constexpr absl::string_view kVoicemailPolicies[] = {"off", "continue", "hang_up", "leave_message"};

template <typename Enum, size_t kSize>
bool Find(const absl::string_view (&names)[kSize], absl::string_view name, Enum* value) {
  for (size_t i = 0; i < kSize; ++i) {
    if (names[i] != name) continue;
    *value = static_cast<Enum>(i);
    return true;
  }
  return false;
}

}  // namespace

#define CALLBRIDGE_ENUM_NAMES(Enum, names)                                             \
  absl::string_view Name(Enum value) { return names[static_cast<size_t>(value)]; }     \
  bool Parse(absl::string_view name, Enum* value) { return Find(names, name, value); } \
  static_assert(true, "")

CALLBRIDGE_ENUM_NAMES(Direction, kDirections);
CALLBRIDGE_ENUM_NAMES(State, kStates);
CALLBRIDGE_ENUM_NAMES(Party, kParties);
CALLBRIDGE_ENUM_NAMES(Layer, kLayers);
CALLBRIDGE_ENUM_NAMES(EndReason, kEndReasons);
CALLBRIDGE_ENUM_NAMES(Role, kRoles);
CALLBRIDGE_ENUM_NAMES(HeardBasis, kBases);
CALLBRIDGE_ENUM_NAMES(ItemStatus, kItemStatuses);
CALLBRIDGE_ENUM_NAMES(TransferOutcome, kTransferOutcomes);
CALLBRIDGE_ENUM_NAMES(TransferState, kTransferStates);
CALLBRIDGE_ENUM_NAMES(BargeInMode, kBargeInModes);
CALLBRIDGE_ENUM_NAMES(FallbackKind, kFallbackKinds);
CALLBRIDGE_ENUM_NAMES(VoicemailPolicy, kVoicemailPolicies);

#undef CALLBRIDGE_ENUM_NAMES

}  // namespace callbridge::call
