#ifndef CALLBRIDGE_SRC_CONTROL_FIELD_CHECKS_H_
#define CALLBRIDGE_SRC_CONTROL_FIELD_CHECKS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// What is checked of many requests' fields. Pure; each error is kInvalidArgument with the field.
namespace callbridge::control {

// FIELD_REQUIRED, with what would be right.
absl::Status Required(absl::string_view field, absl::string_view example);

// A UUID in canonical form, or empty; INVALID_REQUEST_ID.
absl::Status CheckUuid(absl::string_view field, absl::string_view value);

// At most `most` bytes; TEXT_TOO_LONG.
absl::Status CheckLength(absl::string_view field, absl::string_view text, size_t most);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_FIELD_CHECKS_H_
