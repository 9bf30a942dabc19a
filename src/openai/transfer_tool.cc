#include "src/openai/transfer_tool.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace callbridge::openai {
namespace {

using Json = nlohmann::json;

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Tool TransferTool(const std::map<std::string, std::string>& destinations) {
  Json keys = Json::array();
  std::string where;
  for (const auto& [key, description] : destinations) {
    keys.push_back(key);
    absl::StrAppend(&where, where.empty() ? "" : "; ", key, description.empty() ? "" : ": ", description);
  }
  const Json parameters = {
      {"type", "object"},
      {"properties",
       {{"destination", {{"type", "string"}, {"enum", keys}, {"description", where}}},
        {"reason", {{"type", "string"}, {"description", "Why the caller wants a human, in a few words."}}}}},
      {"required", {"destination", "reason"}},
      {"additionalProperties", false}};
  Tool tool;
  tool.name = kTransferToolName;
  tool.description =
      "Hands the caller to a human. Say in one short sentence that you are connecting them before you call it. If "
      "nobody answers, "
      "the caller comes back to you and the result says why.";
  tool.parameters_json = Dump(parameters);
  return tool;
}

absl::StatusOr<TransferArguments> ParseTransferArguments(absl::string_view json) {
  const Json parsed = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return absl::InvalidArgumentError("the arguments are not a JSON object");
  TransferArguments arguments{TextOf(parsed, "destination"), TextOf(parsed, "reason")};
  if (arguments.destination.empty()) {
    return absl::InvalidArgumentError("destination: missing; name one of the tool's destinations");
  }
  return arguments;
}

std::string FormatToolOutput(bool ok, absl::string_view message) {
  const absl::string_view stripped = absl::StripAsciiWhitespace(message);
  const bool is_container = absl::StartsWith(stripped, "{") || absl::StartsWith(stripped, "[");
  // Spliced in as text: written again from a tree, a hostile answer of a thousand levels could exhaust the stack.
  if (is_container && Json::accept(stripped.begin(), stripped.end())) {
    return absl::StrCat(R"({"status":")", ok ? "ok" : "failed", R"(","result":)", stripped, "}");
  }
  return Dump(Json{{"status", ok ? "ok" : "failed"}, {"message", std::string(message)}});
}

}  // namespace callbridge::openai
