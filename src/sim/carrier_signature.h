#ifndef CALLBRIDGE_SRC_SIM_CARRIER_SIGNATURE_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_SIGNATURE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "src/base/http_message.h"
#include "src/sim/carrier_form.h"

// Plivo's request signatures, version 3, as its documentation and SDKs define them; an independent reading.
namespace callbridge::sim {

// What is signed, without ".nonce": the URL with its query sorted and decoded, and the body's parameters sorted and
// joined. `method` is "GET" or "POST"; `form` are the body's parameters (empty for GET).
std::string SignedText(absl::string_view method, const Url& url, const Params& form);

// base64(HMAC-SHA256(token, text + "." + nonce)).
std::string SignV3(absl::string_view token, absl::string_view text, absl::string_view nonce);

// Twenty random digits.
std::string NewNonce();

// The headers of one request. `manner`: "v3" right ones, "wrong" ones that no token gives, "none", "list" the right one
// among others.
base::HttpHeaders SignatureHeaders(absl::string_view manner, absl::string_view token, absl::string_view text);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_SIGNATURE_H_
