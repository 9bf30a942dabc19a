#ifndef CALLBRIDGE_SRC_TOOLS_JSON_SCHEMA_H_
#define CALLBRIDGE_SRC_TOOLS_JSON_SCHEMA_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// JSON Schema as far as the arguments of tools need it, and no keyword that is accepted and not enforced:
//   type (a word or a list), enum, const, properties, required, additionalProperties (true or false), items,
//   minItems, maxItems, minimum, maximum, minLength, maxLength (in characters), pattern (RE2's syntax, found anywhere
//   in the text)
// Annotations are accepted, and mean nothing here: title, description, default, examples, format, deprecated, $comment,
// $schema, $id. Pure.
namespace callbridge::tools {

// The most that arguments may have, in bytes.
constexpr size_t kMaxArgumentBytes = 64 << 10;

// Whether it is a schema for an object with only these keywords, used well. Empty text is the schema of no arguments.
// kInvalidArgument names the place and the keyword: "properties.date: unknown keyword 'oneOf'; ...".
absl::Status CheckSchema(absl::string_view schema_json);

// Whether the JSON text fits a schema that CheckSchema has passed. Empty text counts as {}. kInvalidArgument is
// written for the model: each wrong field with what would be right, "guests[0].age: must be an integer of at least 0;
// at most five of them.
absl::Status CheckArguments(absl::string_view schema_json, absl::string_view arguments_json);

}  // namespace callbridge::tools

#endif  // CALLBRIDGE_SRC_TOOLS_JSON_SCHEMA_H_
