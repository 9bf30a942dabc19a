#ifndef CALLBRIDGE_SRC_CONTROL_ETAG_H_
#define CALLBRIDGE_SRC_CONTROL_ETAG_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace callbridge::control {

// A record's revision as clients hand it back: opaque, so that nobody counts with it.
std::string FormatEtag(int64_t revision);

// nullopt: not an etag, or damaged.
absl::optional<int64_t> ParseEtag(absl::string_view etag);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_ETAG_H_
