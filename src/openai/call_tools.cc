#include "src/openai/call_tools.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "src/openai/transfer_tool.h"

namespace callbridge::openai {
namespace {

using Json = nlohmann::ordered_json;

constexpr absl::string_view kKeys = "0123456789*#ABCD";

Json TextProperty(absl::string_view description) {
  return {{"type", "string"}, {"description", std::string(description)}};
}

std::string ObjectSchema(absl::string_view property, Json schema) {
  const std::string name(property);
  const Json object = {{"type", "object"},
                       {"properties", {{name, std::move(schema)}}},
                       {"required", Json::array({name})},
                       {"additionalProperties", false}};
  return object.dump();
}

// The object that `json` is; discarded if it is none. Nothing at all is an object without members.
Json ParseObject(absl::string_view json) {
  json = absl::StripAsciiWhitespace(json);
  if (json.empty()) return Json::object();
  Json parsed = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed : Json(nlohmann::detail::value_t::discarded);
}

absl::Status NoObject() {
  return absl::InvalidArgumentError("the arguments must be one JSON object, as the tool's parameters describe it");
}

}  // namespace

Tool EndCallTool() {
  Tool tool;
  tool.name = kEndCallToolName;
  tool.description =
      "Hangs up. Use it when the conversation is over: the caller said goodbye, or wants nothing more. Say goodbye in "
      "one short sentence before you call it; the line is cut when your last words were heard.";
  tool.parameters_json = ObjectSchema("reason", TextProperty("Why the call is over, in a few words."));
  return tool;
}

Tool SendDtmfTool() {
  Json digits = TextProperty("The keys in their order: 0-9 * # A-D, nothing else, such as \"12#\".");
  digits["pattern"] = absl::StrCat("^[0-9*#A-D]{1,", kMaxDigits, "}$");
  Tool tool;
  tool.name = kSendDtmfToolName;
  tool.description =
      "Presses keys on the telephone, as a menu of the other side asks for them. Listen to the answer before you press "
      "more.";
  tool.parameters_json = ObjectSchema("digits", std::move(digits));
  return tool;
}

bool IsBuiltInTool(absl::string_view name) {
  return name == kTransferToolName || name == kEndCallToolName || name == kSendDtmfToolName;
}

absl::StatusOr<EndArguments> ParseEndArguments(absl::string_view json) {
  const Json parsed = ParseObject(json);
  if (parsed.is_discarded()) return NoObject();
  EndArguments arguments;
  const auto reason = parsed.find("reason");
  if (reason != parsed.end() && reason->is_string()) arguments.reason = reason->get<std::string>();
  return arguments;
}

absl::StatusOr<DtmfArguments> ParseDtmfArguments(absl::string_view json) {
  const Json parsed = ParseObject(json);
  if (parsed.is_discarded()) return NoObject();
  const auto found = parsed.find("digits");
  if (found == parsed.end() || !found->is_string()) {
    return absl::InvalidArgumentError("digits: must be a string of the keys to press, such as \"12#\"");
  }
  DtmfArguments arguments{absl::AsciiStrToUpper(found->get<std::string>())};
  if (arguments.digits.empty()) return absl::InvalidArgumentError("digits: empty; name at least one key");
  if (arguments.digits.find('W') != std::string::npos) {
    return absl::InvalidArgumentError(
        "digits: pauses are not possible; press the first keys, listen, and press the others in another call");
  }
  if (absl::string_view(arguments.digits).find_first_not_of(kKeys) != absl::string_view::npos) {
    return absl::InvalidArgumentError("digits: only 0-9 * # A-D are keys; leave out blanks and everything else");
  }
  if (arguments.digits.size() > kMaxDigits) {
    return absl::InvalidArgumentError(absl::StrCat("digits: at most ", kMaxDigits, " keys at once"));
  }
  return arguments;
}

absl::StatusOr<std::string> ToolArguments(absl::string_view json) {
  if (ParseObject(json).is_discarded()) return NoObject();
  const absl::string_view stripped = absl::StripAsciiWhitespace(json);
  return stripped.empty() ? std::string("{}") : std::string(stripped);
}

}  // namespace callbridge::openai
