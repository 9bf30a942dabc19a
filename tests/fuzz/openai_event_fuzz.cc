// Whatever the model's server sends is an event or an error, and an audio delta's views can stand in a JSON string of
// ours.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "src/openai/server_event.h"

namespace {

void RequirePlain(absl::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\' || (c >= 0 && c < 0x20)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& parser = *new callbridge::openai::ServerEventParser();
  const auto event = parser.Parse({reinterpret_cast<const char*>(data), size});
  if (!event.ok()) return 0;
  if (const auto* delta = std::get_if<callbridge::openai::AudioDelta>(&*event)) {
    RequirePlain(delta->base64);
    RequirePlain(delta->item_id);
    RequirePlain(delta->response_id);
    if (delta->bytes > static_cast<int64_t>(size)) std::abort();
  }
  return 0;
}
