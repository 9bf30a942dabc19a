#ifndef CALLBRIDGE_SRC_SIM_MODEL_CHECK_H_
#define CALLBRIDGE_SRC_SIM_MODEL_CHECK_H_

#include <initializer_list>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "src/sim/model_wire.h"

namespace callbridge::sim {

// Looks over a client event as strictly as the service does. The first complaint stays; later checks add nothing. Paths
// are as in the service's messages: "session.audio.input.format.rate".
class ModelCheck {
 public:
  bool ok() const { return !error_.has_value(); }
  const ModelError& error() const { return *error_; }

  // Whether `value` is an object whose keys are all among `known`.
  bool Object(const Json& value, const std::string& path, std::initializer_list<absl::string_view> known);

  // Each looks at `value`; false after a complaint.
  bool Text(const Json& value, const std::string& path);
  bool Flag(const Json& value, const std::string& path);
  bool OneOf(const Json& value, const std::string& path, std::initializer_list<absl::string_view> allowed);
  bool Whole(const Json& value, const std::string& path, int64_t low, int64_t high);
  bool Number(const Json& value, const std::string& path, double low, double high);
  bool Array(const Json& value, const std::string& path);

  // Complains if `key` is missing or null.
  bool Has(const Json& object, const std::string& path, const std::string& key);

  bool Unknown(const std::string& path);
  bool Missing(const std::string& path);
  bool Wrong(const std::string& path, const std::string& message);
  bool Refuse(ModelError error);

 private:
  bool Type(const std::string& path, absl::string_view expected, const Json& value);

  std::optional<ModelError> error_;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_CHECK_H_
