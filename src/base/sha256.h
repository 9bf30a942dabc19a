#ifndef CALLBRIDGE_SRC_BASE_SHA256_H_
#define CALLBRIDGE_SRC_BASE_SHA256_H_

#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::base {

// SHA-256 of `data` as 64 characters of [0-9a-f]. Any thread.
std::string Sha256Hex(absl::string_view data);

// Whether two texts are equal, in a time that depends on their lengths only: for secrets.
bool EqualsInConstantTime(absl::string_view a, absl::string_view b);

}  // namespace callbridge::base

#endif  // CALLBRIDGE_SRC_BASE_SHA256_H_
