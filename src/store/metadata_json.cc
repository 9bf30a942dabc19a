#include "src/store/metadata_json.h"

#include "nlohmann/json.hpp"
#include "src/store/text.h"

namespace callbridge::store {

std::string EncodeMetadata(const std::map<std::string, std::string>& metadata) {
  nlohmann::json object = nlohmann::json::object();
  for (const auto& [key, value] : metadata) object[CleanText(key)] = CleanText(value);
  return object.dump();
}

bool DecodeMetadata(absl::string_view text, std::map<std::string, std::string>* metadata) {
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return false;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) return false;
    (*metadata)[key] = value.get<std::string>();
  }
  return true;
}

}  // namespace callbridge::store
