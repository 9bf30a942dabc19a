#include "src/tools/json_schema.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"

namespace callbridge::tools {
namespace {

using Json = nlohmann::json;

constexpr int kMaxNesting = 64;
constexpr int kMaxDepth = 16;
constexpr size_t kMaxPatternBytes = 1000;
constexpr size_t kMaxProblems = 5;
constexpr size_t kMaxQuoted = 60;

constexpr const char* kTypes[] = {"object", "array", "string", "number", "integer", "boolean", "null"};
constexpr const char* kAnnotations[] = {"title",      "description", "default", "examples", "format",
                                        "deprecated", "$comment",    "$schema", "$id"};

template <typename Words>
bool IsOneOf(absl::string_view word, const Words& words) {
  return std::any_of(std::begin(words), std::end(words), [word](const char* other) { return word == other; });
}

bool IsInteger(const Json& value) {
  return value.is_number_integer() || (value.is_number_float() && std::isfinite(value.get<double>()) &&
                                       std::floor(value.get<double>()) == value.get<double>());
}

bool HasType(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "number") return value.is_number();
  if (type == "integer") return IsInteger(value);
  if (type == "boolean") return value.is_boolean();
  return value.is_null();
}

std::vector<std::string> TypesOf(const Json& schema) {
  const auto type = schema.find("type");
  if (type == schema.end()) return {};
  if (type->is_array()) return type->get<std::vector<std::string>>();
  return {type->get<std::string>()};
}

RE2::Options PatternOptions() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  return options;
}

// As it is written, cut to a length that a message can bear.
std::string Quoted(const Json& value) {
  std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true);
  if (text.size() > kMaxQuoted) text = absl::StrCat(text.substr(0, kMaxQuoted), "...");
  return text;
}

std::string Join(const std::string& path, absl::string_view name) {
  return path.empty() ? std::string(name) : absl::StrCat(path, ".", name);
}

// ---- The schema itself ----

class SchemaReader {
 public:
  absl::Status Check(const Json& schema, const std::string& path, int depth) {
    if (!schema.is_object()) return Wrong(path, "a schema is an object, {...}");
    if (depth > kMaxDepth) return Wrong(path, absl::StrCat("nested more than ", kMaxDepth, " deep"));
    for (const auto& [keyword, value] : schema.items()) {
      if (absl::Status status = CheckKeyword(keyword, value, path, depth); !status.ok()) return status;
    }
    for (const auto& [least, most] : {std::make_pair("minimum", "maximum"), std::make_pair("minLength", "maxLength"),
                                      std::make_pair("minItems", "maxItems")}) {
      if (schema.contains(least) && schema.contains(most) && schema[least] > schema[most]) {
        return Wrong(path, absl::StrCat(least, " is above ", most));
      }
    }
    return CheckRequired(schema, path);
  }

 private:
  static absl::Status Wrong(const std::string& path, absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(path.empty() ? "schema" : path, ": ", what));
  }

  absl::Status CheckKeyword(const std::string& keyword, const Json& value, const std::string& path, int depth) {
    if (keyword == "type") return CheckType(value, path);
    if (keyword == "properties") return CheckProperties(value, path, depth);
    if (keyword == "items") return Check(value, Join(path, "items"), depth + 1);
    if (keyword == "required") return CheckNames(value, path);
    if (keyword == "pattern") return CheckPattern(value, path);
    if (keyword == "additionalProperties")
      return value.is_boolean() ? absl::OkStatus() : Form(keyword, "true or false", path);
    if (keyword == "enum") {
      return value.is_array() && !value.empty() ? absl::OkStatus() : Form(keyword, "a list that is not empty", path);
    }
    if (keyword == "minimum" || keyword == "maximum") {
      return value.is_number() ? absl::OkStatus() : Form(keyword, "a number", path);
    }
    if (keyword == "minLength" || keyword == "maxLength" || keyword == "minItems" || keyword == "maxItems") {
      return value.is_number_unsigned() ? absl::OkStatus() : Form(keyword, "a whole number, 0 or more", path);
    }
    if (keyword == "const" || IsOneOf(keyword, kAnnotations)) return absl::OkStatus();
    return Wrong(path,
                 absl::StrCat("unknown keyword '", keyword,
                              "', which would not be enforced; there are: type, enum, const, properties, required, "
                              "additionalProperties, items, minItems, maxItems, minimum, maximum, minLength, "
                              "maxLength, pattern"));
  }

  static absl::Status Form(absl::string_view keyword, absl::string_view form, const std::string& path) {
    return Wrong(path, absl::StrCat(keyword, " must be ", form));
  }

  static absl::Status CheckType(const Json& value, const std::string& path) {
    const Json list = value.is_array() ? value : Json::array({value});
    const bool good = !list.empty() && std::all_of(list.begin(), list.end(), [](const Json& type) {
      return type.is_string() && IsOneOf(type.get<std::string>(), kTypes);
    });
    return good ? absl::OkStatus() : Form("type", absl::StrCat("of: ", absl::StrJoin(kTypes, ", ")), path);
  }

  absl::Status CheckProperties(const Json& value, const std::string& path, int depth) {
    if (!value.is_object()) return Form("properties", "an object of schemas", path);
    for (const auto& [name, schema] : value.items()) {
      if (absl::Status status = Check(schema, Join(Join(path, "properties"), name), depth + 1); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

  static absl::Status CheckNames(const Json& value, const std::string& path) {
    const bool good =
        value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& name) { return name.is_string(); });
    return good ? absl::OkStatus() : Form("required", "a list of names", path);
  }

  static absl::Status CheckPattern(const Json& value, const std::string& path) {
    if (!value.is_string()) return Form("pattern", "a string", path);
    const std::string pattern = value.get<std::string>();
    if (pattern.size() > kMaxPatternBytes) {
      return Form("pattern", absl::StrCat("of at most ", kMaxPatternBytes, " characters"), path);
    }
    const RE2 compiled(pattern, PatternOptions());
    if (compiled.ok()) return absl::OkStatus();
    return Wrong(path,
                 absl::StrCat("pattern: ", compiled.error(), " (RE2's syntax: no look-around, no back-references)"));
  }

  static absl::Status CheckRequired(const Json& schema, const std::string& path) {
    if (!schema.contains("required") || schema.value("additionalProperties", true)) return absl::OkStatus();
    for (const auto& name : schema["required"]) {
      if (!schema.contains("properties") || !schema["properties"].contains(name.get<std::string>())) {
        return Wrong(path, absl::StrCat("required names '", name.get<std::string>(), "', which is not in properties"));
      }
    }
    return absl::OkStatus();
  }
};

// ---- A value against it ----

std::string Range(const Json& schema, const char* least, const char* most, absl::string_view unit) {
  const bool has_least = schema.contains(least);
  const bool has_most = schema.contains(most);
  if (has_least && has_most) return absl::StrCat(" from ", schema[least].dump(), " to ", schema[most].dump(), unit);
  if (has_least) return absl::StrCat(" of at least ", schema[least].dump(), unit);
  if (has_most) return absl::StrCat(" of at most ", schema[most].dump(), unit);
  return std::string();
}

std::string WantedOfType(const Json& schema, const std::string& type) {
  if (type == "string") {
    const std::string length = Range(schema, "minLength", "maxLength", " characters");
    const std::string form =
        schema.contains("pattern") ? absl::StrCat(" that matches ", schema["pattern"].get<std::string>()) : "";
    return absl::StrCat("a string", length, form);
  }
  if (type == "number") return absl::StrCat("a number", Range(schema, "minimum", "maximum", ""));
  if (type == "integer") return absl::StrCat("an integer", Range(schema, "minimum", "maximum", ""));
  if (type == "array") return absl::StrCat("a list", Range(schema, "minItems", "maxItems", " items"));
  if (type == "object") return "an object";
  if (type == "boolean") return "true or false";
  return "null";
}

// What would be right, in words: "an integer from 1 to 9".
std::string Wanted(const Json& schema) {
  const auto quote = [](std::string* out, const Json& value) { out->append(value.dump()); };
  if (schema.contains("const")) return schema["const"].dump();
  if (schema.contains("enum")) return absl::StrCat("one of ", absl::StrJoin(schema["enum"], ", ", quote));
  std::vector<std::string> forms;
  for (const std::string& type : TypesOf(schema)) forms.push_back(WantedOfType(schema, type));
  if (!forms.empty()) return absl::StrJoin(forms, " or ");
  // Only limits, of whatever type the value has.
  const std::string number = Range(schema, "minimum", "maximum", "");
  if (!number.empty()) return absl::StrCat("a number", number);
  if (schema.contains("minItems") || schema.contains("maxItems")) return WantedOfType(schema, "array");
  return WantedOfType(schema, "string");
}

size_t CountCharacters(const std::string& utf8) {
  return static_cast<size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class ValueReader {
 public:
  void Check(const Json& schema, const Json& value, const std::string& path) {
    if (problems_.size() >= kMaxProblems) return;
    if (!FitsItself(schema, value)) {
      AddProblem(path, absl::StrCat("must be ", Wanted(schema), ", not ", Quoted(value)));
      return;
    }
    if (value.is_object()) CheckObject(schema, value, path);
    if (value.is_array() && schema.contains("items")) {
      for (size_t i = 0; i < value.size(); ++i) Check(schema["items"], value[i], absl::StrCat(path, "[", i, "]"));
    }
  }

  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void AddProblem(const std::string& path, absl::string_view what) {
    if (problems_.size() < kMaxProblems) {
      problems_.push_back(absl::StrCat(path.empty() ? "the arguments" : path, ": ", what));
    }
  }

  // Without what is in it.
  static bool FitsItself(const Json& schema, const Json& value) {
    const std::vector<std::string> types = TypesOf(schema);
    const auto fits = [&value](const std::string& type) { return HasType(value, type); };
    if (!types.empty() && std::none_of(types.begin(), types.end(), fits)) return false;
    if (schema.contains("const") && schema["const"] != value) return false;
    if (schema.contains("enum")) {
      const Json& words = schema["enum"];
      if (std::find(words.begin(), words.end(), value) == words.end()) return false;
    }
    if (value.is_number()) return IsWithin(schema, "minimum", "maximum", value);
    if (value.is_array()) return IsWithin(schema, "minItems", "maxItems", value.size());
    return !value.is_string() || FitsText(schema, value.get<std::string>());
  }

  static bool IsWithin(const Json& schema, const char* least, const char* most, const Json& value) {
    if (schema.contains(least) && value < schema[least]) return false;
    return !schema.contains(most) || value <= schema[most];
  }

  static bool FitsText(const Json& schema, const std::string& text) {
    if (!IsWithin(schema, "minLength", "maxLength", CountCharacters(text))) return false;
    if (!schema.contains("pattern")) return true;
    return RE2::PartialMatch(text, RE2(schema["pattern"].get<std::string>(), PatternOptions()));
  }

  void CheckObject(const Json& schema, const Json& value, const std::string& path) {
    const Json none = Json::object();
    const Json& properties = schema.contains("properties") ? schema["properties"] : none;
    const Json required = schema.value("required", Json::array());
    for (const auto& name : required) {
      const std::string key = name.get<std::string>();
      if (value.contains(key)) continue;
      AddProblem(Join(path, key),
                 absl::StrCat("missing; it must be ", properties.contains(key) ? Wanted(properties[key]) : "there"));
    }
    for (const auto& [key, member] : value.items()) {
      if (properties.contains(key)) {
        Check(properties[key], member, Join(path, key));
      } else if (!schema.value("additionalProperties", true)) {
        AddProblem(Join(path, Quoted(key)), absl::StrCat("there is no such field; there are: ", Names(properties)));
      }
    }
  }

  static std::string Names(const Json& properties) {
    const auto key = [](std::string* out, const auto& item) { out->append(item.first); };
    return properties.empty() ? "none" : absl::StrJoin(properties.get_ref<const Json::object_t&>(), ", ", key);
  }

  std::vector<std::string> problems_;
};

// Discarded: no JSON, or nested so deep that walking it would use up the stack.
Json Parse(absl::string_view text) {
  bool deep = false;
  const auto limit = [&deep](int depth, Json::parse_event_t, const Json&) {
    deep = deep || depth > kMaxNesting;
    return !deep;
  };
  Json json = Json::parse(text.begin(), text.end(), limit, /*allow_exceptions=*/false);
  return deep ? Json(Json::value_t::discarded) : json;
}

// What stands for empty text.
Json NoArguments() { return {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}}; }

}  // namespace

absl::Status CheckSchema(absl::string_view schema_json) {
  if (schema_json.empty()) return absl::OkStatus();
  const Json schema = Parse(schema_json);
  if (schema.is_discarded()) return absl::InvalidArgumentError("schema: not JSON");
  if (absl::Status status = SchemaReader().Check(schema, "", 0); !status.ok()) return status;
  if (schema.value("type", Json()) != "object") {
    return absl::InvalidArgumentError(R"(schema: must have "type": "object")");
  }
  return absl::OkStatus();
}

absl::Status CheckArguments(absl::string_view schema_json, absl::string_view arguments_json) {
  if (arguments_json.size() > kMaxArgumentBytes) {
    return absl::InvalidArgumentError(absl::StrCat("the arguments: longer than ", kMaxArgumentBytes, " bytes"));
  }
  const Json schema = schema_json.empty() ? NoArguments() : Parse(schema_json);
  const Json arguments = arguments_json.empty() ? Json::object() : Parse(arguments_json);
  if (arguments.is_discarded()) return absl::InvalidArgumentError("the arguments: not valid JSON");
  ValueReader reader;
  reader.Check(schema, arguments, "");
  if (reader.problems().empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(reader.problems(), "; "));
}

}  // namespace callbridge::tools
