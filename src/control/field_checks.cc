#include "src/control/field_checks.h"

#include "absl/strings/str_cat.h"
#include "src/base/error.h"
#include "src/base/ids.h"
#include "src/control/utf8.h"

namespace callbridge::control {

using base::FieldError;

absl::Status Required(absl::string_view field, absl::string_view example) {
  return FieldError(field, "FIELD_REQUIRED", absl::StrCat("is required: ", example));
}

absl::Status CheckUuid(absl::string_view field, absl::string_view value) {
  if (value.empty() || base::IsCanonicalUuid(value)) return absl::OkStatus();
  return FieldError(
      field, "INVALID_REQUEST_ID",
      absl::StrCat(Quoted(value), " is not a UUID; write 36 characters, hexadecimal digits in lower case"));
}

absl::Status CheckLength(absl::string_view field, absl::string_view text, size_t most) {
  if (text.size() <= most) return absl::OkStatus();
  return FieldError(field, "TEXT_TOO_LONG", absl::StrCat("has ", text.size(), " bytes; at most ", most, " are taken"));
}

}  // namespace callbridge::control
