#include "src/call/event.h"

#include <algorithm>
#include <iterator>

namespace callbridge::call {
namespace {

// In the order of EventBody's alternatives.
constexpr absl::string_view kTypeNames[] = {"call_created",
                                            "state_changed",
                                            "stream_connected",
                                            "stream_lost",
                                            "model_ready",
                                            "model_trouble",
                                            "caller_speech_started",
                                            "caller_speech_stopped",
                                            "assistant_speech_started",
                                            "assistant_speech_finished",
                                            "barge_in",
                                            "transcript_item_final",
                                            "tool_called",
                                            "tool_answered",
                                            "transfer_changed",
                                            "caller_returned",
                                            "dtmf_received",
                                            "turn_measured",
                                            "call_ended",
                                            "summary_ready",
                                            "summary_failed",
                                            "assistant_silenced",
                                            "assistant_paused",
                                            "assistant_resumed",
                                            "answer_measured",
                                            "model_reopening",
                                            "prompt_played",
                                            "caller_idle",
                                            "machine_answered",
                                            "callback_promised",
                                            "say_requested",
                                            "context_injected",
                                            "instructions_updated",
                                            "dtmf_sent",
                                            "mute_changed",
                                            "takeover_changed"};
static_assert(std::size(kTypeNames) == std::variant_size_v<EventBody>, "each body has its name");

}  // namespace

absl::string_view TypeName(const EventBody& body) { return kTypeNames[body.index()]; }

bool IsEventType(absl::string_view name) {
  return std::find(std::begin(kTypeNames), std::end(kTypeNames), name) != std::end(kTypeNames);
}

}  // namespace callbridge::call
