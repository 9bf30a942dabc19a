#ifndef CALLBRIDGE_SRC_OPENAI_JSON_FIELDS_H_
#define CALLBRIDGE_SRC_OPENAI_JSON_FIELDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "simdjson.h"

namespace callbridge::openai {

// Lenient reading of one JSON object: a key that is absent, null or of another type reads as "nothing there".
// Compatible servers differ in what they leave out, and a response that lacks a count must still end. Borrows from the
// simdjson parser that made it.
class JsonFields {
 public:
  JsonFields() = default;  // An object without keys.
  explicit JsonFields(simdjson::dom::element element);

  bool is_object() const { return is_object_; }

  // Empty if not a string.
  std::string String(absl::string_view key) const;
  bool HasString(absl::string_view key) const;

  // Whether the key is there, with whatever value, null too.
  bool Has(absl::string_view key) const;

  // An integer, also when written with a fraction of zero (1480.0); `otherwise` for anything else or out of range.
  int64_t Int(absl::string_view key, int64_t otherwise = 0) const;
  double Double(absl::string_view key) const;
  std::optional<bool> Bool(absl::string_view key) const;

  // Empty fields if not an object.
  JsonFields Object(absl::string_view key) const;

  // The objects of an array; members of other types are left out. Empty if not an array.
  std::vector<JsonFields> Objects(absl::string_view key) const;

  // The strings of an array; members of other types are left out. Empty if not an array.
  std::vector<std::string> Strings(absl::string_view key) const;

  // Every key whose value is a string.
  std::vector<std::pair<std::string, std::string>> StringPairs() const;

 private:
  bool Find(absl::string_view key, simdjson::dom::element& value) const;

  simdjson::dom::object object_;
  bool is_object_ = false;
};

// Turns each \u escape of half a surrogate pair in the JSON text into \ufffd (of the same length), so that a server
// which cuts an emoji between two deltas costs one character and not the message. Other bytes stay.
void ReplaceLoneSurrogates(char* text, size_t size);

}  // namespace callbridge::openai

#endif  // CALLBRIDGE_SRC_OPENAI_JSON_FIELDS_H_
