#ifndef CALLBRIDGE_SRC_BASE_IDS_H_
#define CALLBRIDGE_SRC_BASE_IDS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::base {

// A random UUID (version 4) in its canonical lower-case form of 36 characters. Any thread.
std::string NewUuid();

// 32 characters of [0-9a-f] from the system's secure source (128 bits): for one-time stream tokens. Any thread.
std::string NewToken();

// Whether `text` is a UUID in canonical lower-case form.
bool IsCanonicalUuid(absl::string_view text);

}  // namespace callbridge::base

#endif  // CALLBRIDGE_SRC_BASE_IDS_H_
