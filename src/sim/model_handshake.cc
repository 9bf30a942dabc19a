#include "src/sim/model_handshake.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace callbridge::sim {
namespace {

constexpr const char* kModels[] = {
    "gpt-realtime-2.1", "gpt-realtime-2.1-mini",   "gpt-realtime-2",    "gpt-realtime-1.5",
    "gpt-realtime",     "gpt-realtime-2025-08-28", "gpt-realtime-mini", "gpt-realtime-mini-2025-12-15",
};

bool IsModel(absl::string_view model) {
  for (const char* known : kModels) {
    if (model == known) return true;
  }
  return false;
}

HandshakeVerdict Refuse(std::string code, std::string message, int close_code) {
  HandshakeVerdict verdict;
  verdict.error_code = std::move(code);
  verdict.error_message = std::move(message);
  verdict.close_code = close_code;
  return verdict;
}

HandshakeVerdict RefuseHttp(int status) {
  HandshakeVerdict verdict;
  verdict.http_status = status;
  return verdict;
}

// Closes for reasons of the account carry 3000, for reasons of the request 4000.
int CloseCodeFor(absl::string_view code) {
  for (const char* account : {"invalid_api_key", "insufficient_permissions", "insufficient_quota",
                              "billing_hard_limit_reached", "account_deactivated"}) {
    if (code == account) return 3000;
  }
  return code == "model_not_found" ? 4004 : 4000;
}

HandshakeVerdict JudgeModel(const std::string& model) {
  if (model.empty()) return Refuse("missing_model", "You must provide a model parameter.", 4000);
  if (absl::StartsWith(model, "gpt-4o-")) {
    return Refuse("model_not_found",
                  absl::StrCat("The model `", model, "` does not exist or you do not have access to it."), 4004);
  }
  if (!IsModel(model)) {
    return Refuse("invalid_model", absl::StrCat("Model \"", model, "\" is not supported in realtime mode."), 4000);
  }
  HandshakeVerdict verdict;
  verdict.model = model;
  return verdict;
}

}  // namespace

HandshakeVerdict JudgeHandshake(const base::HttpRequest& request, absl::string_view api_key) {
  if (request.Path() != "/v1/realtime") return RefuseHttp(404);
  std::string model;
  int selectors = 0;
  for (const absl::string_view pair : absl::StrSplit(request.Query(), '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(pair, absl::MaxSplits('=', 1));
    if (parts.first == "call_id") return RefuseHttp(404);  // No such call: this world has none.
    if (parts.first == "model" || parts.first == "intent") ++selectors;
    if (parts.first == "model") model = std::string(parts.second);
  }
  if (selectors > 1) return RefuseHttp(400);
  absl::string_view key = request.Header("Authorization");
  if (!absl::ConsumePrefix(&key, "Bearer ") || key != api_key) {
    return Refuse("invalid_api_key", "Incorrect API key provided: ***. You can find your API key in the dashboard.",
                  3000);
  }
  if (!request.Header("OpenAI-Beta").empty()) {
    return Refuse("beta_api_shape_disabled",
                  "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.", 4000);
  }
  return JudgeModel(model);
}

HandshakeVerdict ScriptedRefusal(absl::string_view refuse) {
  int status = 0;
  absl::string_view rest = refuse;
  if (absl::ConsumePrefix(&rest, "http:") && absl::SimpleAtoi(rest, &status) && status >= 400 && status < 600) {
    return RefuseHttp(status);
  }
  rest = refuse;
  absl::ConsumePrefix(&rest, "error:");
  return Refuse(std::string(rest), absl::StrCat("Refused by the scenario: ", rest), CloseCodeFor(rest));
}

bool IsReasoningModel(absl::string_view model) {
  return model == "gpt-realtime-2" || absl::StartsWith(model, "gpt-realtime-2.");
}

}  // namespace callbridge::sim
