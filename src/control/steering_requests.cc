#include "src/control/steering_requests.h"

#include <initializer_list>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/control/fields.h"
#include "src/control/requests.h"

namespace callbridge::control {
namespace {

using base::FieldError;
using SteerRequest = session::CallControl::SteerRequest;
namespace input = call::input;

constexpr size_t kMaxWordsBytes = 1024;
constexpr size_t kMaxContextBytes = 16 << 10;
constexpr size_t kMaxInstructionsBytes = 64 << 10;
constexpr size_t kMaxToolCallIdBytes = 512;
constexpr size_t kMaxOutputBytes = 64 << 10;
constexpr size_t kMaxDigits = 64;

absl::Status CheckText(absl::string_view field, absl::string_view text, size_t most, absl::string_view example) {
  return text.empty() ? Required(field, example) : CheckLength(field, text, most);
}

absl::Status CheckDigits(absl::string_view digits) {
  if (digits.empty()) return Required("digits", "\"12#\"");
  const bool valid = digits.find_first_not_of("0123456789*#ABCD") == absl::string_view::npos;
  if (valid && digits.size() <= kMaxDigits) return absl::OkStatus();
  return FieldError("digits", "INVALID_DIGITS", absl::StrCat("write 1 to ", kMaxDigits, " of 0-9 * # A-D"));
}

std::string IdOf(absl::string_view request_id) {
  return request_id.empty() ? base::NewUuid() : std::string(request_id);
}

// The first of what is wrong, or what was asked of the call.
absl::StatusOr<SteerRequest> Checked(absl::string_view call, std::initializer_list<absl::Status> checks,
                                     session::CallControl::Steering what) {
  auto call_id = ParseCallName("call", call);
  if (!call_id.ok()) return call_id.status();
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  return SteerRequest{*std::move(call_id), std::move(what)};
}

absl::Status CheckWhat(const v1::SayOnCallRequest& request) {
  if (request.text().empty() && request.prompt().empty()) {
    return Required("text", "what to say, or `prompt`: the key of a stored prompt");
  }
  if (request.text().empty() || request.prompt().empty()) return CheckLength("text", request.text(), kMaxWordsBytes);
  return FieldError("prompt", "FIELD_CONFLICT", "is set, and so is text; set one of them");
}

}  // namespace

absl::StatusOr<SteerRequest> ParseSteering(const v1::SayOnCallRequest& request) {
  return Checked(
      request.call(), {CheckWhat(request), CheckUuid("request_id", request.request_id())},
      input::SayRequested{IdOf(request.request_id()), request.text(), request.prompt(), request.interrupt(), ""});
}

absl::StatusOr<SteerRequest> ParseSteering(const v1::InjectContextRequest& request) {
  return Checked(request.call(),
                 {CheckText("text", request.text(), kMaxContextBytes, "what the model is to know"),
                  CheckUuid("request_id", request.request_id())},
                 input::ContextGiven{IdOf(request.request_id()), request.text(), request.respond(), ""});
}

absl::StatusOr<SteerRequest> ParseSteering(const v1::UpdateInstructionsRequest& request) {
  return Checked(request.call(),
                 {CheckText("instructions", request.instructions(), kMaxInstructionsBytes, "in place of the agent's")},
                 input::InstructionsGiven{request.instructions(), ""});
}

absl::StatusOr<SteerRequest> ParseSteering(const v1::SendDtmfRequest& request) {
  return Checked(request.call(), {CheckDigits(request.digits()), CheckUuid("request_id", request.request_id())},
                 input::DtmfRequested{IdOf(request.request_id()), request.digits(), ""});
}

absl::StatusOr<SteerRequest> ParseSteering(const v1::MuteCallRequest& request) {
  session::CallControl::Mute mute;
  if (request.has_caller_muted()) mute.caller = request.caller_muted();
  if (request.has_assistant_muted()) mute.assistant = request.assistant_muted();
  const bool named = mute.caller || mute.assistant;
  return Checked(request.call(),
                 {named ? absl::OkStatus() : Required("caller_muted", "true or false; or assistant_muted, or both")},
                 mute);
}

absl::StatusOr<SteerRequest> ParseSteering(const v1::TakeoverCallRequest& request) {
  return Checked(request.call(), {CheckLength("reason", request.reason(), kMaxReasonBytes)},
                 input::TakeoverRequested{request.reason(), ""});
}

absl::StatusOr<SteerRequest> ParseSteering(const v1::ReleaseCallRequest& request) {
  return Checked(request.call(), {CheckLength("context", request.context(), kMaxContextBytes)},
                 input::ReleaseRequested{request.context(), request.respond(), ""});
}

absl::StatusOr<SteerRequest> ParseSteering(const v1::SubmitToolResultRequest& request) {
  absl::Status output = CheckText("output_json", request.output_json(), kMaxOutputBytes, "{\"price\": 12}");
  if (output.ok() && !nlohmann::json::accept(request.output_json())) {
    output = FieldError("output_json", "INVALID_JSON", "is not JSON; write {\"price\": 12}");
  }
  return Checked(request.call(),
                 {CheckText("tool_call_id", request.tool_call_id(), kMaxToolCallIdBytes,
                            "the tool_call_id of the event tool_called"),
                  output},
                 input::ToolResultGiven{request.tool_call_id(), !request.failed(), request.output_json()});
}

void SetPrincipal(const std::string& principal, SteerRequest& request) {
  std::visit(
      [&](auto& what) {
        using What = std::decay_t<decltype(what)>;
        if constexpr (!std::is_same_v<What, input::ToolResultGiven>) what.principal = principal;
      },
      request.what);
}

}  // namespace callbridge::control
