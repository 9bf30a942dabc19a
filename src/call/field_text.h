#ifndef CALLBRIDGE_SRC_CALL_FIELD_TEXT_H_
#define CALLBRIDGE_SRC_CALL_FIELD_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// The form that all lines about a call share: name=value, or name="text" with C escapes.
namespace callbridge::call {

// Appends `name="value"`, escaped so that any bytes stay on one line.
void AppendText(absl::string_view name, absl::string_view value, std::string* line);

// Takes one `name=value` or `name="escaped value"` off the front of `rest`, up to the blank behind it. kInvalidArgument
// says what is wrong.
absl::Status TakeField(absl::string_view* rest, std::string* name, std::string* value);

// A count of 10^-digits as a decimal number, exact and as short as can be: 20013500 with 6 digits is "20.0135". Not for
// negative values.
std::string FormatDecimal(int64_t value, int digits);

// The inverse; false for anything else, more places than `digits`, and what does not fit.
bool ParseDecimal(absl::string_view text, int digits, int64_t* value);

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_FIELD_TEXT_H_
