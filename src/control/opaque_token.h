#ifndef CALLBRIDGE_SRC_CONTROL_OPAQUE_TOKEN_H_
#define CALLBRIDGE_SRC_CONTROL_OPAQUE_TOKEN_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace callbridge::control {

// A token for clients to keep and hand back: `kind` (with its version, "c1") and `fields`, none of which contains '|',
// with a checksum, in web-safe base64. The checksum finds damage and mix-ups; it is no protection against forgers, so
// what comes out is checked like any input.
std::string SealToken(absl::string_view kind, const std::vector<std::string>& fields);

// The fields; nullopt for anything that SealToken(kind, ...) with `field_count` fields did not make.
absl::optional<std::vector<std::string>> OpenToken(absl::string_view kind, size_t field_count, absl::string_view token);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_OPAQUE_TOKEN_H_
