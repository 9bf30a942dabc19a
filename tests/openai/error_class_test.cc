#include "src/openai/error_class.h"

#include "gtest/gtest.h"

namespace callbridge::openai {
namespace {

using C = ErrorClass;

TEST(ErrorClassTest, Errors) {
  const struct {
    const char* type;
    const char* code;
    const char* message;
    C expected;
  } rows[] = {
      {"invalid_request_error", "session_expired", "Your session hit the maximum duration of 60 minutes.",
       C::kSessionExpired},
      {"invalid_request_error", "invalid_api_key", "Incorrect API key provided: x", C::kFatalConfig},
      {"invalid_request_error", "missing_model", "", C::kFatalConfig},
      {"invalid_request_error", "invalid_model", "", C::kFatalConfig},
      {"invalid_request_error", "model_not_found", "", C::kFatalConfig},
      {"invalid_request_error", "beta_api_shape_disabled", "", C::kFatalConfig},
      {"invalid_request_error", "insufficient_permissions", "", C::kFatalConfig},
      {"insufficient_quota", "insufficient_quota", "", C::kFatalAccount},
      {"insufficient_quota", "", "", C::kFatalAccount},
      {"", "billing_hard_limit_reached", "", C::kFatalAccount},
      {"", "account_deactivated", "", C::kFatalAccount},
      {"", "rate_limit_exceeded", "Rate limit reached for tokens per min", C::kRetryResponse},
      {"", "rate_limit_exceeded", "You exceeded your current quota, please check your plan", C::kFatalAccount},
      {"", "inference_rate_limit_exceeded", "", C::kRetryResponse},
      {"server_error", "", "The server had an error", C::kRetryResponse},
      {"server_error", "server_error", "", C::kRetryResponse},
      {"server_error", "something_new", "", C::kRetryResponse},
      {"invalid_request_error", "response_cancel_not_active", "", C::kHarmless},
      {"invalid_request_error", "conversation_already_has_active_response", "", C::kHarmless},
      {"invalid_request_error", "input_audio_buffer_commit_empty", "", C::kHarmless},
      {"invalid_request_error", "item_truncate_invalid_item_id", "", C::kHarmless},
      {"invalid_request_error", "item_delete_invalid_item_id", "", C::kHarmless},
      {"invalid_request_error", "item_retrieve_invalid_item_id", "", C::kHarmless},
      {"invalid_request_error", "invalid_value", "Audio content of 3700ms is already shorter than 3760ms",
       C::kHarmless},
      {"invalid_request_error", "", "Only model output audio messages can be truncated", C::kHarmless},
      {"invalid_request_error", "", "Item with item_id not found: item_1", C::kHarmless},
      {"invalid_request_error", "cannot_update_voice", "", C::kClientBug},
      {"invalid_request_error", "invalid_value", "Invalid value: 'x'.", C::kClientBug},
      {"invalid_request_error", "unknown_parameter", "Unknown parameter: 'session.x'.", C::kClientBug},
      {"invalid_request_error", "missing_required_parameter", "", C::kClientBug},
      {"invalid_request_error", "invalid_json", "", C::kClientBug},
      {"invalid_request_error", "invalid_event", "", C::kClientBug},
      {"invalid_request_error", "invalid_tool_call_id", "", C::kClientBug},
      {"invalid_request_error", "something_new", "", C::kClientBug},
      {"authentication_error", "", "", C::kFatalConfig},
      {"new_error", "new_code", "new message", C::kUnknown},
      {"", "", "", C::kUnknown},
  };
  for (const auto& row : rows) {
    const Diagnosis diagnosis = ClassifyError(row.type, row.code, row.message);
    EXPECT_EQ(Name(diagnosis.error_class), Name(row.expected)) << row.type << " " << row.code << " " << row.message;
    EXPECT_FALSE(diagnosis.text.empty()) << row.code;
  }
}

TEST(ErrorClassTest, RefusalsAtTheUpgrade) {
  const struct {
    int http_status;
    const char* error;
    C expected;
  } rows[] = {
      {0, "connection refused", C::kReconnect},
      {0, "certificate: host name does not match", C::kFatalConfig},
      {301, "", C::kFatalConfig},
      {400, "", C::kFatalConfig},
      {401, "", C::kFatalConfig},
      {402, "", C::kFatalAccount},
      {403, "", C::kFatalConfig},
      {404, "", C::kFatalConfig},
      {408, "", C::kReconnect},
      {429, "", C::kReconnect},
      {500, "", C::kReconnect},
      {501, "", C::kFatalConfig},
      {502, "", C::kReconnect},
      {503, "", C::kReconnect},
      {504, "", C::kReconnect},
  };
  for (const auto& row : rows) {
    const Diagnosis diagnosis = ClassifyRefusal(row.http_status, row.error);
    EXPECT_EQ(Name(diagnosis.error_class), Name(row.expected)) << row.http_status << " " << row.error;
    EXPECT_FALSE(diagnosis.text.empty()) << row.http_status;
  }
}

TEST(ErrorClassTest, Closes) {
  const struct {
    int code;
    const char* reason;
    C expected;
  } rows[] = {
      {3000, "invalid_request_error.invalid_api_key", C::kFatalConfig},
      {4000, "invalid_request_error.missing_model", C::kFatalConfig},
      {4000, "invalid_request_error.beta_api_shape_disabled", C::kFatalConfig},
      {4004, "invalid_request_error.model_not_found", C::kFatalConfig},
      {4000, "insufficient_quota.insufficient_quota", C::kFatalAccount},
      {4000, "insufficient_quota.something_new", C::kFatalAccount},
      {4000, "server_error.something_new", C::kFatalConfig},
      {3000, "", C::kFatalConfig},
      {4000, "", C::kFatalConfig},
      {4004, "", C::kFatalConfig},
      {1001, "Your session hit the maximum duration of 60 minutes.", C::kSessionExpired},
      {1001, "invalid_request_error.session_expired", C::kSessionExpired},
      {1000, "", C::kHarmless},
      {1001, "", C::kReconnect},
      {1005, "", C::kReconnect},
      {1006, "", C::kReconnect},
      {1011, "keepalive ping timeout", C::kReconnect},
      {1012, "", C::kReconnect},
      {1013, "Try again later.", C::kReconnect},
      {1002, "", C::kClientBug},
      {1003, "", C::kClientBug},
      {1007, "", C::kClientBug},
      {1009, "", C::kClientBug},
      {1008, "", C::kFatalConfig},
      {1015, "", C::kFatalConfig},
      {4999, "", C::kUnknown},
      {0, "", C::kUnknown},
  };
  for (const auto& row : rows) {
    const Diagnosis diagnosis = ClassifyClose(row.code, row.reason);
    EXPECT_EQ(Name(diagnosis.error_class), Name(row.expected)) << row.code << " " << row.reason;
    EXPECT_FALSE(diagnosis.text.empty()) << row.code;
  }
}

TEST(ErrorClassTest, OnlyConfigurationAndAccountAreFatal) {
  for (const C c : {C::kHarmless, C::kRetryResponse, C::kReconnect, C::kSessionExpired, C::kClientBug, C::kUnknown}) {
    EXPECT_FALSE(IsFatal(c)) << Name(c);
  }
  EXPECT_TRUE(IsFatal(C::kFatalConfig));
  EXPECT_TRUE(IsFatal(C::kFatalAccount));
}

}  // namespace
}  // namespace callbridge::openai
