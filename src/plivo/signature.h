#ifndef CALLBRIDGE_SRC_PLIVO_SIGNATURE_H_
#define CALLBRIDGE_SRC_PLIVO_SIGNATURE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/plivo/form.h"

// Signatures of the carrier's requests, version 3 of the scheme. Version 2 covers neither query nor body; it is not
// implemented, so that a request without a version 3 signature can never pass. Source: Plivo's documentation of
// signature validation and its SDKs, whose published vectors are our tests.
namespace callbridge::plivo {

inline constexpr absl::string_view kSignatureV3Header = "X-Plivo-Signature-V3";
inline constexpr absl::string_view kSignatureMaV3Header = "X-Plivo-Signature-Ma-V3";
inline constexpr absl::string_view kSignatureV3NonceHeader = "X-Plivo-Signature-V3-Nonce";

// A request as the carrier made it.
struct SignedRequest {
  absl::string_view method;  // "GET" or "POST".
  // As the carrier dialled it: the *configured* public base and the request's target, see PublicUrl(). Never made from
  // the local Host header or scheme, which a proxy may have changed.
  absl::string_view url;
  // Decoded fields of a POST's body. May be null: none. With GET they count as part of the query.
  const Form* body = nullptr;
};

// The values of the three headers; empty: not there.
struct SignatureHeaders {
  absl::string_view
      v3;  // Made with the token of the account or subaccount that owns the number. A comma list while tokens rotate.
  absl::string_view ma_v3;  // Made with the main account's token. A comma list too.
  absl::string_view nonce;
};

// What verification found.
struct SignatureMatch {
  bool main_account = false;  // The match was in the Ma-V3 header.
  std::string scheme;         // With which the URL was signed: "https", "wss", ...
};

// "https://h[/base]" and "/path?query" make one URL. A '/' at the end of `base` is dropped.
std::string PublicUrl(absl::string_view base, absl::string_view target);

// The text that is signed, without the nonce. kInvalidArgument: a method that is neither GET nor POST, a URL without
// "://" or host, a query with a broken escape.
absl::StatusOr<std::string> SigningText(const SignedRequest& request);

// The base64 signature that the carrier sends. For the verifier, tests and simulators. Errors as SigningText.
absl::StatusOr<std::string> SignV3(const SignedRequest& request, absl::string_view nonce, absl::string_view auth_token);

// Whether somebody who knows `auth_token` made the request. Compares in constant time.
// kUnauthenticated: no nonce, no version 3 signature, or none that fits; the message says which, and is for our logs,
// not for the peer. kInvalidArgument: as SigningText, or `auth_token` is empty (which would let anybody sign). There is
// no timestamp in the scheme: a recorded request passes again. Handlers are idempotent.
absl::StatusOr<SignatureMatch> VerifyV3(const SignedRequest& request, const SignatureHeaders& headers,
                                        absl::string_view auth_token);

// The same for a WebSocket upgrade, a GET. Sources disagree on which scheme is signed there, so the URL is tried with
// wss and https, then ws and http, whatever the scheme of `public_base`. The match says which it was.
absl::StatusOr<SignatureMatch> VerifyUpgradeV3(absl::string_view public_base, absl::string_view target,
                                               const SignatureHeaders& headers, absl::string_view auth_token);

}  // namespace callbridge::plivo

#endif  // CALLBRIDGE_SRC_PLIVO_SIGNATURE_H_
