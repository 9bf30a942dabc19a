#include "src/openai/json_fields.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace callbridge::openai {
namespace {

std::string ToString(std::string_view text) { return std::string(text); }

// The code unit of the escape that starts at `at` ("\uXXXX"), or -1 if there is none.
int EscapedUnit(const char* text, size_t size, size_t at) {
  if (at + 6 > size || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int unit = 0;
  for (size_t i = at + 2; i < at + 6; ++i) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) return -1;
    const char digit = absl::ascii_tolower(static_cast<unsigned char>(text[i]));
    unit = unit * 16 + (digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }
  return unit;
}

bool IsHigh(int unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool IsLow(int unit) { return unit >= 0xDC00 && unit < 0xE000; }

}  // namespace

JsonFields::JsonFields(simdjson::dom::element element) { is_object_ = !element.get(object_); }

bool JsonFields::Find(absl::string_view key, simdjson::dom::element& value) const {
  return is_object_ && !object_.at_key(std::string_view(key.data(), key.size())).get(value);
}

std::string JsonFields::String(absl::string_view key) const {
  simdjson::dom::element value;
  std::string_view text;
  if (!Find(key, value) || value.get(text)) return {};
  return ToString(text);
}

bool JsonFields::HasString(absl::string_view key) const {
  simdjson::dom::element value;
  return Find(key, value) && value.is_string();
}

bool JsonFields::Has(absl::string_view key) const {
  simdjson::dom::element value;
  return Find(key, value);
}

int64_t JsonFields::Int(absl::string_view key, int64_t otherwise) const {
  simdjson::dom::element value;
  if (!Find(key, value)) return otherwise;
  int64_t integer = 0;
  if (!value.get(integer)) return integer;
  double number = 0;
  if (value.get(number)) return otherwise;
  // Beyond 2^53 a double is no longer a count of anything.
  if (std::abs(number) > 9007199254740992.0 || number != std::floor(number)) return otherwise;
  return static_cast<int64_t>(number);
}

double JsonFields::Double(absl::string_view key) const {
  simdjson::dom::element value;
  double number = 0;
  if (!Find(key, value) || value.get(number)) return 0;
  return number;
}

std::optional<bool> JsonFields::Bool(absl::string_view key) const {
  simdjson::dom::element value;
  bool flag = false;
  if (!Find(key, value) || value.get(flag)) return std::nullopt;
  return flag;
}

JsonFields JsonFields::Object(absl::string_view key) const {
  simdjson::dom::element value;
  return Find(key, value) ? JsonFields(value) : JsonFields();
}

std::vector<JsonFields> JsonFields::Objects(absl::string_view key) const {
  std::vector<JsonFields> objects;
  simdjson::dom::element value;
  simdjson::dom::array array;
  if (!Find(key, value) || value.get(array)) return objects;
  for (const simdjson::dom::element member : array) {
    if (member.is_object()) objects.emplace_back(member);
  }
  return objects;
}

std::vector<std::string> JsonFields::Strings(absl::string_view key) const {
  std::vector<std::string> strings;
  simdjson::dom::element value;
  simdjson::dom::array array;
  if (!Find(key, value) || value.get(array)) return strings;
  for (const simdjson::dom::element member : array) {
    std::string_view text;
    if (!member.get(text)) strings.push_back(ToString(text));
  }
  return strings;
}

std::vector<std::pair<std::string, std::string>> JsonFields::StringPairs() const {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (!is_object_) return pairs;
  for (const auto field : object_) {
    std::string_view text;
    if (!field.value.get(text)) pairs.emplace_back(ToString(field.key), ToString(text));
  }
  return pairs;
}

void ReplaceLoneSurrogates(char* text, size_t size) {
  size_t at = 0;
  while (at < size) {
    const void* found = std::memchr(text + at, '\\', size - at);
    if (found == nullptr) return;
    at = static_cast<size_t>(static_cast<const char*>(found) - text);
    const int unit = EscapedUnit(text, size, at);
    if (unit < 0) {
      at += 2;  // Also steps over an escaped backslash, which begins no escape.
    } else if (IsHigh(unit) && IsLow(EscapedUnit(text, size, at + 6))) {
      at += 12;
    } else {
      if (IsHigh(unit) || IsLow(unit)) std::memcpy(text + at + 2, "fffd", 4);
      at += 6;
    }
  }
}

}  // namespace callbridge::openai
