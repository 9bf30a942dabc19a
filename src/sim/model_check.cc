#include "src/sim/model_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace callbridge::sim {

bool ModelCheck::Refuse(ModelError error) {
  if (!error_.has_value()) error_ = std::move(error);
  return false;
}

bool ModelCheck::Unknown(const std::string& path) {
  return Refuse({"unknown_parameter", absl::StrCat("Unknown parameter: '", path, "'."), path});
}

bool ModelCheck::Missing(const std::string& path) {
  return Refuse({"missing_required_parameter", absl::StrCat("Missing required parameter: '", path, "'."), path});
}

bool ModelCheck::Wrong(const std::string& path, const std::string& message) {
  return Refuse({"invalid_value", message, path});
}

bool ModelCheck::Type(const std::string& path, absl::string_view expected, const Json& value) {
  return Refuse(
      {"invalid_type",
       absl::StrCat("Invalid type for '", path, "': expected ", expected, ", but got ", value.type_name(), " instead."),
       path});
}

bool ModelCheck::Object(const Json& value, const std::string& path, std::initializer_list<absl::string_view> known) {
  if (!value.is_object()) return Type(path, "an object", value);
  for (const auto& [key, member] : value.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return Unknown(path.empty() ? key : absl::StrCat(path, ".", key));
    }
  }
  return ok();
}

bool ModelCheck::Text(const Json& value, const std::string& path) {
  return value.is_string() ? ok() : Type(path, "a string", value);
}

bool ModelCheck::Flag(const Json& value, const std::string& path) {
  return value.is_boolean() ? ok() : Type(path, "a boolean", value);
}

bool ModelCheck::Array(const Json& value, const std::string& path) {
  return value.is_array() ? ok() : Type(path, "an array", value);
}

bool ModelCheck::OneOf(const Json& value, const std::string& path, std::initializer_list<absl::string_view> allowed) {
  if (!value.is_string()) return Type(path, "a string", value);
  const std::string& text = value.get_ref<const std::string&>();
  if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return ok();
  return Wrong(
      path, absl::StrCat("Invalid value: '", text, "'. Supported values are: '", absl::StrJoin(allowed, "', '"), "'."));
}

bool ModelCheck::Whole(const Json& value, const std::string& path, int64_t low, int64_t high) {
  if (!value.is_number_integer()) return Type(path, "an integer", value);
  const int64_t number = value.get<int64_t>();
  if (number >= low && number <= high) return ok();
  return Wrong(path, absl::StrCat("Invalid '", path, "': expected an integer from ", low, " to ", high, ", but got ",
                                  number, "."));
}

bool ModelCheck::Number(const Json& value, const std::string& path, double low, double high) {
  if (!value.is_number()) return Type(path, "a number", value);
  const double number = value.get<double>();
  if (number >= low && number <= high) return ok();
  return Wrong(path, absl::StrCat("Invalid '", path, "': expected a number from ", low, " to ", high, ", but got ",
                                  number, "."));
}

bool ModelCheck::Has(const Json& object, const std::string& path, const std::string& key) {
  if (object.contains(key) && !object[key].is_null()) return ok();
  return Missing(absl::StrCat(path, ".", key));
}

}  // namespace callbridge::sim
