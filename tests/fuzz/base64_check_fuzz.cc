// What the check accepts is base64 as another decoder knows it, and can stand in a JSON string.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "src/audio/base64_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const int64_t decoded_size = callbridge::audio::DecodedSize(text);
  if (decoded_size < 0) return 0;
  std::string decoded;
  if (!absl::Base64Unescape(text, &decoded) || static_cast<int64_t>(decoded.size()) != decoded_size) std::abort();
  for (const char c : text) {
    if (c == '"' || c == '\\' || c < 0x20) std::abort();
  }
  return 0;
}
