#ifndef CALLBRIDGE_SRC_PLIVO_FORM_H_
#define CALLBRIDGE_SRC_PLIVO_FORM_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace callbridge::plivo {

// Bounds of one form. The carrier sends about twenty fields.
inline constexpr size_t kMaxFormBytes = 64 * 1024;
inline constexpr size_t kMaxFormFields = 256;

// The parameters of a webhook: decoded names and values in the order sent, repeated names kept. Bytes are exactly those
// that the escapes stand for, valid UTF-8 or not, because signatures are made over them.
class Form {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  Form() = default;
  explicit Form(Fields fields) : fields_(std::move(fields)) {}

  const Fields& fields() const { return fields_; }
  bool empty() const { return fields_.empty(); }

  // The first value of that name, exactly as written or in any case; empty if there is none.
  absl::string_view Get(absl::string_view name) const;
  absl::string_view GetIgnoringCase(absl::string_view name) const;
  bool Has(absl::string_view name) const;

 private:
  Fields fields_;
};

// Decodes application/x-www-form-urlencoded text: a POST's body, or a URL's query without its '?'. '+' is a space, %XX
// a byte; a name without '=' has the empty value; empty pieces ("a=1&&b=2") are skipped. kInvalidArgument: a '%' that
// two hex digits do not follow (the message names the field), more than kMaxFormFields fields or kMaxFormBytes bytes.
absl::StatusOr<Form> ParseForm(absl::string_view encoded);

// The inverse, for tests and for requests that we make: letters, digits and "-._~" stay, a space becomes '+', the rest
// %XX.
std::string FormatForm(const Form::Fields& fields);

}  // namespace callbridge::plivo

#endif  // CALLBRIDGE_SRC_PLIVO_FORM_H_
