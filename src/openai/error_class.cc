#include "src/openai/error_class.h"

#include <optional>

#include "absl/strings/match.h"

namespace callbridge::openai {
namespace {

struct Row {
  absl::string_view key;
  Diagnosis diagnosis;
};

constexpr ErrorClass kConfig = ErrorClass::kFatalConfig;
constexpr ErrorClass kAccount = ErrorClass::kFatalAccount;
constexpr ErrorClass kBug = ErrorClass::kClientBug;
constexpr ErrorClass kHarmless = ErrorClass::kHarmless;
constexpr ErrorClass kRetry = ErrorClass::kRetryResponse;

constexpr absl::string_view kQuotaText = "the OpenAI account has no quota left: check its plan, budget and billing";
constexpr absl::string_view kRateText =
    "OpenAI's rate limit is reached: the response is asked for again after a pause; raise the limit if this lasts";
constexpr absl::string_view kServerText = "OpenAI had an internal error: the response is asked for again";
constexpr absl::string_view kKeyText = "OpenAI refused the API key: check OPENAI_API_KEY";
constexpr absl::string_view kPermissionText =
    "the OpenAI key lacks the permission for this model or endpoint: check the key's project and permissions";
constexpr absl::string_view kExpiredText =
    "the model session reached OpenAI's limit of 60 minutes: a new one takes over";
constexpr absl::string_view kTruncateText = "the interrupted item was shorter than assumed: nothing was cut";
constexpr absl::string_view kActiveText = "a response was already running: nothing was started";

constexpr Row kCodes[] = {
    {"session_expired", {ErrorClass::kSessionExpired, kExpiredText}},

    {"invalid_api_key", {kConfig, kKeyText}},
    {"missing_model", {kConfig, "the model URL names no model: check --openai_url and the agent's model"}},
    {"invalid_model", {kConfig, "this model does not speak the Realtime API: check the agent's model"}},
    {"model_not_found",
     {kConfig, "the OpenAI account does not have this model: check the agent's model and the key's project"}},
    {"beta_api_shape_disabled",
     {kConfig,
      "the beta of the Realtime API was asked for, which is shut down: something adds the OpenAI-Beta header"}},
    {"insufficient_permissions", {kConfig, kPermissionText}},

    {"insufficient_quota", {kAccount, kQuotaText}},
    {"billing_hard_limit_reached",
     {kAccount, "the OpenAI account reached its spending limit: raise it, or wait for the next month"}},
    {"account_deactivated", {kAccount, "the OpenAI account is deactivated: contact OpenAI"}},

    {"rate_limit_exceeded", {kRetry, kRateText}},
    {"inference_rate_limit_exceeded", {kRetry, kRateText}},
    {"server_error", {kRetry, kServerText}},

    {"response_cancel_not_active", {kHarmless, "the response had already ended: nothing was cancelled"}},
    {"conversation_already_has_active_response", {kHarmless, kActiveText}},
    {"input_audio_buffer_commit_empty", {kHarmless, "less than 100 ms of audio was there to commit: the turn goes on"}},
    {"unsupported_content_type", {kHarmless, "the item holds no assistant audio: nothing was cut"}},
    {"item_not_found", {kHarmless, "the item is no longer in the conversation: nothing was done"}},

    {"cannot_update_voice",
     {kBug, "the voice cannot change after the assistant spoke: the whole session update was dropped"}},
    {"invalid_tool_call_id", {kBug, "the model does not know this tool call: its output was dropped"}},
    {"unknown_parameter", {kBug, "OpenAI does not know a parameter that callbridge sent: the event had no effect"}},
    {"missing_required_parameter", {kBug, "OpenAI misses a parameter: the event had no effect"}},
    {"invalid_value",
     {kBug,
      "OpenAI refused a value that callbridge sent: the event had no effect; check the agent's voice and model "
      "settings"}},
    {"invalid_json", {kBug, "OpenAI could not read an event as JSON: it had no effect"}},
    {"invalid_event", {kBug, "OpenAI could not read an event: it had no effect"}},
};

// Errors that share a code, or have none. Looked for anywhere in the message, because clients quote them with prefixes.
constexpr Row kMessages[] = {
    {"exceeded your current quota", {kAccount, kQuotaText}},
    {"is already shorter than", {kHarmless, kTruncateText}},
    {"Only model output audio messages can be truncated",
     {kHarmless, "the item holds no assistant audio: nothing was cut"}},
    {"Item with item_id not found", {kHarmless, "the item is no longer in the conversation: nothing was done"}},
    {"Cancellation failed: no active response", {kHarmless, "the response had already ended: nothing was cancelled"}},
    {"already has an active response", {kHarmless, kActiveText}},
    {"hit the maximum duration", {ErrorClass::kSessionExpired, kExpiredText}},
};

constexpr Row kTypes[] = {
    {"insufficient_quota", {kAccount, kQuotaText}},
    {"authentication_error", {kConfig, kKeyText}},
    {"permission_error", {kConfig, kPermissionText}},
    {"server_error", {kRetry, kServerText}},
    {"rate_limit_error", {kRetry, kRateText}},
    {"rate_limit_exceeded", {kRetry, kRateText}},
    {"tokens", {kRetry, kRateText}},  // What the REST API calls its rate limits.
    {"requests", {kRetry, kRateText}},
    {"invalid_request_error", {kBug, "OpenAI refused an event that callbridge sent: it had no effect"}},
};

template <size_t kSize>
std::optional<Diagnosis> FindKey(const Row (&rows)[kSize], absl::string_view key) {
  for (const Row& row : rows) {
    if (row.key == key) return row.diagnosis;
  }
  return std::nullopt;
}

std::optional<Diagnosis> FindInMessage(absl::string_view message) {
  for (const Row& row : kMessages) {
    if (absl::StrContains(message, row.key)) return row.diagnosis;
  }
  return std::nullopt;
}

std::optional<Diagnosis> FindCode(absl::string_view code) {
  // item_truncate_invalid_item_id, item_delete_invalid_item_id, item_retrieve_invalid_item_id.
  if (absl::StartsWith(code, "item_") && absl::EndsWith(code, "_invalid_item_id"))
    return FindKey(kCodes, "item_not_found");
  return FindKey(kCodes, code);
}

}  // namespace

bool IsFatal(ErrorClass error_class) {
  return error_class == ErrorClass::kFatalConfig || error_class == ErrorClass::kFatalAccount;
}

absl::string_view Name(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::kHarmless: return "harmless";
    case ErrorClass::kRetryResponse: return "retry_response";
    case ErrorClass::kReconnect: return "reconnect";
    case ErrorClass::kSessionExpired: return "session_expired";
    case ErrorClass::kFatalConfig: return "fatal_config";
    case ErrorClass::kFatalAccount: return "fatal_account";
    case ErrorClass::kClientBug: return "client_bug";
    case ErrorClass::kUnknown: return "unknown";
  }
  return "unknown";
}

Diagnosis ClassifyError(absl::string_view type, absl::string_view code, absl::string_view message) {
  const std::optional<Diagnosis> by_code = FindCode(code);
  // These codes cover more than one error; the message may tell which.
  const bool ambiguous = !by_code || code == "invalid_value" || code == "rate_limit_exceeded" || code == "server_error";
  if (ambiguous) {
    if (const auto by_message = FindInMessage(message)) return *by_message;
  }
  if (by_code) return *by_code;
  if (const auto by_type = FindKey(kTypes, type)) return *by_type;
  return {ErrorClass::kUnknown, "OpenAI reported an error that callbridge does not know: the call goes on"};
}

Diagnosis ClassifyRefusal(int http_status, absl::string_view error) {
  switch (http_status) {
    case 0:
      if (absl::StrContains(error, "certificate")) {
        return {kConfig,
                "the model server's certificate was not accepted: check --openai_url and the system's certificates"};
      }
      return {ErrorClass::kReconnect,
              "the model server could not be reached: check --openai_url, DNS and the firewall if this lasts"};
    case 401: return {kConfig, kKeyText};
    case 402: return {kAccount, kQuotaText};
    case 403: return {kConfig, kPermissionText};
    case 404:
      return {kConfig,
              "the model server does not know this address or model: check --openai_url and the agent's model"};
    case 429:
      return {ErrorClass::kReconnect,
              "OpenAI's limit for new sessions is reached: tried again after a pause; raise the limit if this lasts"};
    case 408:
    case 500:
    case 502:
    case 503:
    case 504: return {ErrorClass::kReconnect, "the model server is overloaded or failing: tried again after a pause"};
    default:
      return {kConfig,
              "the model server refused the connection: check --openai_url, and that it speaks the Realtime API"};
  }
}

Diagnosis ClassifyClose(int code, absl::string_view reason) {
  const size_t dot = reason.rfind('.');
  if (dot != absl::string_view::npos) {
    // A reason that is a sentence ends in a dot; what follows is then no code.
    if (const auto by_code = FindCode(reason.substr(dot + 1))) return *by_code;
    if (const auto by_type = FindKey(kTypes, reason.substr(0, dot)); by_type && IsFatal(by_type->error_class))
      return *by_type;
  }
  if (absl::StrContains(reason, "session_expired")) return {ErrorClass::kSessionExpired, kExpiredText};
  if (const auto by_message = FindInMessage(reason)) return *by_message;
  switch (code) {
    case 1000: return {kHarmless, "the model server closed the session normally"};
    case 1001:
    case 1005:
    case 1006:
    case 1011:
    case 1012:
    case 1013: return {ErrorClass::kReconnect, "the connection to the model was lost: a new session takes over"};
    case 1002:
    case 1003:
    case 1007:
    case 1009: return {kBug, "the model server could not read what callbridge sent and closed the session"};
    case 1008:
    case 1010:
    case 1015:
    case 3000:
    case 4000:
    case 4004:
      return {kConfig,
              "the model server refused the session: check OPENAI_API_KEY, --openai_url and the agent's model"};
    default:
      return {ErrorClass::kUnknown, "the model server closed the session for a reason that callbridge does not know"};
  }
}

}  // namespace callbridge::openai
