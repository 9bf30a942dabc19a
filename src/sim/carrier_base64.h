#ifndef CALLBRIDGE_SRC_SIM_CARRIER_BASE64_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_BASE64_H_

#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::sim {

// Appends the standard base64 of `bytes` with padding.
void AppendBase64(absl::string_view bytes, std::string& out);

// Decodes standard base64 into `out`. False: a length that is no multiple of four, characters outside the alphabet, or
// padding missing or in the wrong place. Stricter than Abseil's, which takes unpadded text and white space.
bool DecodeBase64Strict(absl::string_view text, std::string& out);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_BASE64_H_
