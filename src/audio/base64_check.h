#ifndef CALLBRIDGE_SRC_AUDIO_BASE64_CHECK_H_
#define CALLBRIDGE_SRC_AUDIO_BASE64_CHECK_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace callbridge::audio {

// How many bytes `text` decodes to, or -1 if it is not base64 in RFC 4648's standard alphabet with padding: length a
// multiple of four, [A-Za-z0-9+/] only, '=' only as the last one or two characters. The empty text is valid and decodes
// to 0 bytes.
//
// Checks and does not decode: audio passes through the bridge as the text it came in. Text that passes holds no quote,
// backslash, control character or byte above 0x7F, so it can be placed verbatim between the quotes of a JSON string.
// The unused bits of a last short group are not looked at: encoders exist that leave them set, and every decoder here
// drops them.
//
// Pure, allocates nothing, reads each byte once. Any thread.
int64_t DecodedSize(absl::string_view text);

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_BASE64_CHECK_H_
