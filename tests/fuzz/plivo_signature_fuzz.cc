// Whatever a request and its headers hold: no crash, a proper signature passes, and the input's own never does.
//
// Input: target, body, signature header and nonce, separated by line breaks.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "src/plivo/form.h"
#include "src/plivo/signature.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace plivo = callbridge::plivo;
  constexpr char kBase[] = "https://bridge.example.com";
  constexpr char kToken[] = "a secret token";
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('\n', 3));
  parts.resize(4);
  const auto body = plivo::ParseForm(parts[1]);
  const plivo::Form form = body.ok() ? *body : plivo::Form();
  const std::string url = plivo::PublicUrl(kBase, parts[0]);
  for (const char* method : {"GET", "POST"}) {
    const plivo::SignedRequest request{method, url, &form};
    if (plivo::VerifyV3(request, {parts[2], parts[2], parts[3]}, kToken).ok()) std::abort();
    const auto signature = plivo::SignV3(request, "1", kToken);
    if (signature.ok() && !plivo::VerifyV3(request, {*signature, "", "1"}, kToken).ok()) std::abort();
  }
  if (plivo::VerifyUpgradeV3(kBase, parts[0], {parts[2], "", parts[3]}, kToken).ok()) std::abort();
  return 0;
}
