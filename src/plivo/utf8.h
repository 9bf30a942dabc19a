#ifndef CALLBRIDGE_SRC_PLIVO_UTF8_H_
#define CALLBRIDGE_SRC_PLIVO_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace callbridge::plivo {

// Length in bytes (1-4) of the UTF-8 sequence that `text` begins with; 0 if it begins with none: empty text, an
// overlong form, a surrogate, a code point above U+10FFFF, a lone or missing continuation byte. Pure.
size_t Utf8SequenceLength(absl::string_view text);

}  // namespace callbridge::plivo

#endif  // CALLBRIDGE_SRC_PLIVO_UTF8_H_
