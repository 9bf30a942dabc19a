// Whatever a socket brings: no crash, and audio that is let through is safe inside a JSON string.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <variant>

#include "src/plivo/stream_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using callbridge::plivo::Media;
  static auto& parser = *new callbridge::plivo::StreamParser();
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto message = parser.Parse(text);
  if (message.ok()) {
    const Media* media = std::get_if<Media>(&*message);
    if (media != nullptr &&
        (media->bytes <= 0 || media->payload.find_first_of("\"\\ \t\r\n") != absl::string_view::npos)) {
      std::abort();
    }
  }
  callbridge::plivo::ParseExtraHeaders(text);
  return 0;
}
