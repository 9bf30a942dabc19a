#include "src/session/steering.h"

#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/base/error.h"
#include "src/call/call.h"

namespace callbridge::session {
namespace {

using base::MakeError;
using call::Call;
namespace input = call::input;

absl::Status ErrorOf(Call::Refusal refusal, const Call& call) {
  constexpr auto kWrongState = absl::StatusCode::kFailedPrecondition;
  const std::string state(Name(call.state()));
  switch (refusal) {
    case Call::Refusal::kNone:
    case Call::Refusal::kRepeated: return absl::OkStatus();
    case Call::Refusal::kModelNotReady:
      return MakeError(kWrongState, "MODEL_NOT_READY", "the model's session is not there now");
    case Call::Refusal::kUnknownPrompt:
      return base::FieldError(
          "prompt", "UNKNOWN_PROMPT",
          absl::StrCat("the call's agent has no such prompt; there are: ", absl::StrJoin(call.PromptNames(), ", ")));
    case Call::Refusal::kTooMany:
      return MakeError(absl::StatusCode::kResourceExhausted, "TOO_MANY_REQUESTS",
                       absl::StrCat(Call::kMaxSays, " are waiting to be said"));
    case Call::Refusal::kUnknownToolCall:
      return MakeError(absl::StatusCode::kNotFound, "TOOL_CALL_NOT_FOUND",
                       "this call has no such tool call, or it is not for clients to answer");
    case Call::Refusal::kToolCallAnswered:
      return MakeError(kWrongState, "TOOL_CALL_ANSWERED", "it was answered otherwise, or its time was over");
    default:
      return MakeError(kWrongState, "CALL_NOT_ACTIVE", absl::StrCat("the call is ", state, " and cannot take this now"),
                       {{"state", state}});
  }
}

template <typename Input>
Input InputOf(const Input& input, const Call&) {
  return input;
}

input::MuteRequested InputOf(const CallControl::Mute& mute, const Call& call) {
  return {mute.caller.value_or(call.caller_muted()), mute.assistant.value_or(call.assistant_muted()), mute.principal};
}

}  // namespace

absl::StatusOr<CallControl::Steered> SteerNow(CallSession& session, const CallControl::Steering& what) {
  const Call& call = session.call();
  const auto steer = [&](const auto& asked) {
    const auto in = InputOf(asked, call);
    const Call::Refusal refusal = call.WhyNot(in);
    if (refusal == Call::Refusal::kNone) session.Feed(in);
    return ErrorOf(refusal, call);
  };
  if (absl::Status status = std::visit(steer, what); !status.ok()) return status;
  return CallControl::Steered{call.caller_muted(), call.assistant_muted()};
}

}  // namespace callbridge::session
