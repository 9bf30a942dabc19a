#include "src/tools/tool_output.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "nlohmann/json.hpp"

namespace callbridge::tools {
namespace {

constexpr size_t kMaxComplaintBytes = 500;

// Statuses whose text is about what we sent, and not about who we are or how the tool is made.
bool ExplainsItself(int status) {
  return status >= 400 && status < 500 && status != 401 && status != 403 && status != 407;
}

std::string Refusal(const session::HttpTool& tool, const web::WebResponse& answer) {
  const int status = answer.status;
  if (status >= 300 && status < 400) return absl::StrCat("The tool answered with a redirect (HTTP ", status, ").");
  if (status >= 500) {
    return absl::StrCat("The tool failed (HTTP ", status, "). It is not known whether anything was done.");
  }
  std::string text = absl::StrCat("The tool refused the request (HTTP ", status, ").");
  if (!ExplainsItself(status) || answer.body.empty()) return text;
  absl::StrAppend(&text, " It said: ", CleanUtf8(answer.body.substr(0, kMaxComplaintBytes)));
  return text;
}

std::string Words(const absl::Status& failure) {
  switch (failure.code()) {
    case absl::StatusCode::kUnavailable: return "The tool could not be reached. Nothing was done.";
    case absl::StatusCode::kDeadlineExceeded:
      return "The tool did not answer in time. It is not known whether anything was done.";
    case absl::StatusCode::kResourceExhausted: return "The tool answered with more than can be read.";
    case absl::StatusCode::kInvalidArgument: return "The tool is not set up correctly. Nothing was done.";
    case absl::StatusCode::kCancelled: return "The call is being ended. It is not known whether anything was done.";
    default: return "The connection to the tool broke. It is not known whether anything was done.";
  }
}

}  // namespace

std::string CleanUtf8(const std::string& bytes) {
  using Json = nlohmann::json;
  return Json::parse(Json(bytes).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

ToolOutput OutputOf(const session::HttpTool& tool, const absl::StatusOr<web::WebResponse>& answer, size_t max_bytes) {
  if (!answer.ok()) return {false, Words(answer.status())};
  const bool good = answer->status >= 200 && answer->status < 300;
  if (good && answer->body.size() > max_bytes) return {false, Words(absl::ResourceExhaustedError(""))};
  if (good && answer->body.empty()) return {true, "The tool did it, and said nothing about it."};
  std::string text = good ? CleanUtf8(answer->body) : Refusal(tool, *answer);
  // Some servers repeat the headers of a request that they do not like.
  if (!tool.secret.empty()) absl::StrReplaceAll({{tool.secret, "[secret]"}}, &text);
  return {good, std::move(text)};
}

}  // namespace callbridge::tools
