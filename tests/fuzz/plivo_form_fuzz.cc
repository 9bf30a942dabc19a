// Whatever a body holds: no crash, what was decoded comes back after encoding, and all kinds of notices agree on
// whether it is one.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "src/plivo/form.h"
#include "src/plivo/webhook.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace plivo = callbridge::plivo;
  const auto form = plivo::ParseForm(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!form.ok()) return 0;
  const std::string encoded = plivo::FormatForm(form->fields());
  if (encoded.size() <= plivo::kMaxFormBytes) {
    const auto again = plivo::ParseForm(encoded);
    if (!again.ok() || again->fields() != form->fields()) std::abort();
  }
  const bool answer = plivo::ParseAnswer(*form).ok();
  const bool hangup = plivo::ParseHangup(*form).ok();
  const bool status = plivo::ParseStreamStatus(*form).ok();
  const bool done = plivo::ParseDialDone(*form).ok();
  const bool progress = plivo::ParseDialProgress(*form).ok();
  const bool machine = plivo::ParseMachineDetection(*form).ok();
  if (answer != hangup || answer != status || answer != done || answer != progress || answer != machine) std::abort();
  return 0;
}
