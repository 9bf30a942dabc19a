#include "src/sim/text_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"

namespace callbridge::sim {
namespace {

using Json = nlohmann::json;

constexpr size_t kRequestsRemembered = 100'000;
constexpr int64_t kLeastTokens = 16;

constexpr const char* kParameters[] = {"model",     "input", "instructions", "max_output_tokens", "store",
                                       "reasoning", "text",  "metadata",     "temperature",       "stream"};
// What strict mode takes in a schema.
constexpr const char* kKeywords[] = {"type",    "properties", "required", "additionalProperties",
                                     "enum",    "const",      "items",    "description",
                                     "minimum", "maximum",    "minItems", "maxItems",
                                     "pattern", "title",      "anyOf"};

struct Refusal {
  int status = 0;  // 0: none.
  std::string code;
  std::string param;
  std::string message;
};

template <typename Words>
bool IsOneOf(absl::string_view word, const Words& words) {
  return std::any_of(std::begin(words), std::end(words), [word](const char* other) { return word == other; });
}

base::HttpResponse Reply(int status, const Json& body) {
  base::HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return response;
}

base::HttpResponse Reply(const Refusal& refusal) {
  const Json param = refusal.param.empty() ? Json() : Json(refusal.param);
  return Reply(refusal.status, {{"error",
                                 {{"message", refusal.message},
                                  {"type", refusal.status >= 500 ? "server_error" : "invalid_request_error"},
                                  {"param", param},
                                  {"code", refusal.code}}}});
}

Refusal Bad(std::string code, std::string param, std::string message) {
  return {400, std::move(code), std::move(param), std::move(message)};
}

// ---- Strict mode ----

Refusal BadSchema(const std::string& where, absl::string_view why) {
  return Bad("invalid_json_schema", "text.format.schema",
             absl::StrCat("Invalid schema for response_format: In context=(", where, "), ", why));
}

bool IsType(const Json& schema, const char* type) {
  const auto found = schema.find("type");
  return found != schema.end() &&
         (*found == type || (found->is_array() && std::find(found->begin(), found->end(), type) != found->end()));
}

Refusal CheckSchema(const Json& schema, const std::string& where);

Refusal CheckObject(const Json& schema, const std::string& where) {
  if (schema.value("additionalProperties", Json()) != false) {
    return BadSchema(where, "'additionalProperties' is required to be supplied and to be false.");
  }
  const Json properties = schema.value("properties", Json::object());
  const Json required = schema.value("required", Json::array());
  for (const auto& [name, property] : properties.items()) {
    if (!required.is_array() || std::find(required.begin(), required.end(), name) == required.end()) {
      return BadSchema(where,
                       absl::StrCat("'required' is required to be supplied and to be an array including every key "
                                    "in properties. Missing '",
                                    name, "'."));
    }
    if (Refusal refusal = CheckSchema(property, absl::StrCat(where, "properties.", name, ".")); refusal.status != 0) {
      return refusal;
    }
  }
  return {};
}

Refusal CheckSchema(const Json& schema, const std::string& where) {
  if (!schema.is_object()) return BadSchema(where, "a schema must be an object.");
  for (const auto& [keyword, unused] : schema.items()) {
    if (!IsOneOf(keyword, kKeywords)) return BadSchema(where, absl::StrCat("'", keyword, "' is not permitted."));
  }
  if (!schema.contains("type") && !schema.contains("enum") && !schema.contains("const") && !schema.contains("anyOf")) {
    return BadSchema(where, "schema must have a 'type' key.");
  }
  if (IsType(schema, "object")) return CheckObject(schema, where);
  if (!IsType(schema, "array")) return {};
  if (!schema.contains("items")) return BadSchema(where, "array schema missing items.");
  return CheckSchema(schema["items"], where + "items.");
}

// Something that fits.
Json Sample(const Json& schema) {
  if (schema.contains("const")) return schema["const"];
  if (schema.contains("enum")) return schema["enum"].empty() ? Json() : schema["enum"][0];
  if (IsType(schema, "null")) return nullptr;
  if (IsType(schema, "string")) return "text";
  if (IsType(schema, "boolean")) return false;
  if (IsType(schema, "integer") || IsType(schema, "number")) return schema.value("minimum", Json(0));
  if (IsType(schema, "array")) {
    Json list = Json::array();
    for (int i = 0; i < schema.value("minItems", 0) && i < 10; ++i) list.push_back(Sample(schema["items"]));
    return list;
  }
  Json object = Json::object();
  const Json properties = schema.value("properties", Json::object());
  for (const auto& [name, property] : properties.items()) object[name] = Sample(property);
  return object;
}

// ---- The request ----

// Not every model reasons; the others refuse to be asked.
bool Reasons(const std::string& model) { return absl::StartsWith(model, "gpt-5") || absl::StartsWith(model, "o"); }

Refusal CheckModel(const Json& body) {
  if (!body.contains("model") || !body["model"].is_string()) {
    return Bad("missing_required_parameter", "model", "Missing required parameter: 'model'.");
  }
  const std::string model = body["model"];
  const bool known =
      (absl::StartsWith(model, "gpt-") || absl::StartsWith(model, "o")) && !absl::StrContains(model, "realtime");
  if (!known) return Bad("model_not_found", "model", absl::StrCat("The requested model '", model, "' does not exist."));
  if (body.contains("reasoning") && !Reasons(model)) {
    return Bad("unsupported_parameter", "reasoning.effort",
               "Unsupported parameter: 'reasoning.effort' is not supported with this model.");
  }
  return {};
}

Refusal CheckFormat(const Json& body) {
  if (!body.contains("text")) return {};
  const Json format = body["text"].is_object() ? body["text"].value("format", Json()) : Json();
  if (!format.is_object()) return Bad("invalid_type", "text.format", "Invalid type for 'text.format'.");
  if (format.value("type", Json()) != "json_schema") return {};
  const Json name = format.value("name", Json());
  const bool named = name.is_string() && !name.get<std::string>().empty() && name.get<std::string>().size() <= 64;
  if (!named)
    return Bad("missing_required_parameter", "text.format.name", "Missing required parameter: 'text.format.name'.");
  const Json schema = format.value("schema", Json());
  if (!schema.is_object() || schema.value("type", Json()) != "object") {
    return BadSchema("", "schema must be a JSON Schema of 'type: \"object\"'.");
  }
  return format.value("strict", Json()) == true ? CheckSchema(schema, "") : Refusal();
}

Refusal CheckBody(const Json& body) {
  if (!body.is_object()) return Bad("", "", "We could not parse the JSON body of your request.");
  for (const auto& [name, unused] : body.items()) {
    if (!IsOneOf(name, kParameters))
      return Bad("unknown_parameter", name, absl::StrCat("Unknown parameter: '", name, "'."));
  }
  if (Refusal refusal = CheckModel(body); refusal.status != 0) return refusal;
  if (!body.contains("input"))
    return Bad("missing_required_parameter", "input", "Missing required parameter: 'input'.");
  if (body.contains("store") && !body["store"].is_boolean()) {
    return Bad("invalid_type", "store", "Invalid type for 'store': expected a boolean.");
  }
  const Json tokens = body.value("max_output_tokens", Json(kLeastTokens));
  if (!tokens.is_number_integer() || tokens.get<int64_t>() < kLeastTokens) {
    return Bad("integer_below_min_value", "max_output_tokens", "Invalid 'max_output_tokens': expected a value >= 16.");
  }
  return CheckFormat(body);
}

Refusal CheckRequest(const base::HttpRequest& request, absl::string_view api_key) {
  if (request.method != "POST") return {405, "method_not_allowed", "", "Not allowed."};
  if (request.Header("Authorization") != absl::StrCat("Bearer ", api_key)) {
    return {401, "invalid_api_key", "", "Incorrect API key provided: sk-w****ong."};
  }
  if (!absl::StartsWithIgnoreCase(request.Header("Content-Type"), "application/json")) {
    return Bad("unsupported_content_type", "", "Unsupported content type. This API takes 'application/json'.");
  }
  return CheckBody(Json::parse(request.body, nullptr, /*allow_exceptions=*/false));
}

// ---- The answer ----

Json Response(const Json& request, const std::string& status, const Json& incomplete, const Json& content) {
  Json output = Json::array({{{"id", "rs_1"}, {"type", "reasoning"}, {"summary", Json::array()}}});
  if (!content.is_null()) {
    output.push_back({{"id", "msg_1"},
                      {"type", "message"},
                      {"status", "completed"},
                      {"role", "assistant"},
                      {"content", Json::array({content})}});
  }
  return {{"id", "resp_1"},
          {"object", "response"},
          {"created_at", 1795305600},
          {"status", status},
          {"error", nullptr},
          {"incomplete_details", incomplete},
          {"model", request["model"]},
          {"output", output},
          {"store", request.value("store", true)},
          {"usage", {{"input_tokens", 320}, {"output_tokens", 85}, {"total_tokens", 405}}}};
}

Json OutputText(const std::string& text) {
  return {{"type", "output_text"}, {"text", text}, {"annotations", Json::array()}};
}

std::string Text(const Json& request, const std::string& summary, const std::string& overrides) {
  const Json format = request.contains("text") ? request["text"]["format"] : Json::object();
  if (format.value("type", Json()) != "json_schema") return summary;
  Json sample = Sample(format["schema"]);
  if (sample.contains("summary")) sample["summary"] = summary;
  sample.merge_patch(Json::parse(overrides));
  return sample.dump();
}

base::HttpResponse HttpFault(absl::string_view fault) {
  const std::vector<std::string> words = absl::StrSplit(fault, ':');
  int status = 500;
  if (words.size() > 1 && !absl::SimpleAtoi(words[1], &status)) status = 500;
  const std::string code = status == 429 ? "rate_limit_exceeded" : "";
  base::HttpResponse response = Reply({status, code, "", absl::StrCat("Refused with ", status, ".")});
  if (words.size() > 2) response.headers.emplace_back("Retry-After", words[2]);
  return response;
}

}  // namespace

bool TextModel::Serves(absl::string_view path) { return path == "/v1/responses" || path == "/responses"; }

void TextModel::SetResult(const std::string& json) {
  base::MutexLock lock(mutex_);
  result_ = Json::accept(json) ? json : "{}";
}

void TextModel::SetFaults(const std::vector<std::string>& faults) {
  base::MutexLock lock(mutex_);
  faults_.assign(faults.begin(), faults.end());
}

std::vector<TextModelRequest> TextModel::Requests() const {
  base::MutexLock lock(mutex_);
  return requests_;
}

std::string TextModel::TakeFault() {
  base::MutexLock lock(mutex_);
  if (faults_.empty()) return std::string();
  std::string fault = std::move(faults_.front());
  faults_.pop_front();
  return fault;
}

void TextModel::Remember(const base::HttpRequest& request, int status) {
  const Json body = Json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  TextModelRequest seen;
  seen.status = status;
  const auto text = [&body](const char* key) {
    return body.is_object() && body.contains(key) && body[key].is_string() ? body[key].get<std::string>() : "";
  };
  seen.model = text("model");
  seen.instructions = text("instructions");
  seen.input = text("input");
  if (body.is_object()) {
    const Json tokens = body.value("max_output_tokens", Json(0));
    seen.max_output_tokens = tokens.is_number_integer() ? tokens.get<int64_t>() : 0;
    seen.stored = body.value("store", Json(true)) != false;
  }
  base::MutexLock lock(mutex_);
  if (requests_.size() < kRequestsRemembered) requests_.push_back(std::move(seen));
}

base::HttpResponse TextModel::Answer(const base::HttpRequest& request, const std::string& summary) {
  base::HttpResponse response;
  const Refusal refusal = CheckRequest(request, api_key_);
  const std::string fault = refusal.status == 0 ? TakeFault() : "";
  if (refusal.status != 0) {
    response = Reply(refusal);
  } else if (absl::StartsWith(fault, "http:")) {
    response = HttpFault(fault);
  } else {
    const Json body = Json::parse(request.body);
    std::string overrides;
    {
      base::MutexLock lock(mutex_);
      overrides = result_;
    }
    Json content = OutputText(fault == "prose" ? summary : Text(body, summary, overrides));
    if (fault == "refusal") content = {{"type", "refusal"}, {"refusal", "I cannot help with that."}};
    response = fault == "incomplete"
                   ? Reply(200, Response(body, "incomplete", {{"reason", "max_output_tokens"}}, Json()))
                   : Reply(200, Response(body, "completed", nullptr, content));
    if (fault == "garbage") response.body.resize(response.body.size() / 2);
  }
  Remember(request, response.status);
  return response;
}

}  // namespace callbridge::sim
