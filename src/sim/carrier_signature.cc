#include "src/sim/carrier_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace callbridge::sim {
namespace {

// Parameters in byte order of key, then value.
std::string JoinSorted(Params params, absl::string_view between, absl::string_view separator) {
  std::sort(params.begin(), params.end());
  std::string out;
  for (const auto& [key, value] : params) {
    absl::StrAppend(&out, out.empty() ? "" : separator, key, between, value);
  }
  return out;
}

}  // namespace

std::string SignedText(absl::string_view method, const Url& url, const Params& form) {
  std::string text = absl::StrCat(url.scheme, "://", url.authority, url.path);
  const std::string query = JoinSorted(DecodeForm(url.query), "=", "&");
  const bool body = method == "POST" && !form.empty();
  // A body is announced by '?' even when the URL has no query, and only then is there no '.' before it.
  if (!query.empty() || body) text += '?';
  text += query;
  if (body) absl::StrAppend(&text, query.empty() ? "" : ".", JoinSorted(form, "", ""));
  return text;
}

std::string SignV3(absl::string_view token, absl::string_view text, absl::string_view nonce) {
  const std::string message = absl::StrCat(text, ".", nonce);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), token.data(), static_cast<int>(token.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, &length);
  return absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(digest), length));
}

std::string NewNonce() {
  unsigned char bytes[20];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) std::abort();
  std::string nonce;
  for (const unsigned char byte : bytes) nonce += static_cast<char>('0' + byte % 10);
  return nonce;
}

base::HttpHeaders SignatureHeaders(absl::string_view manner, absl::string_view token, absl::string_view text) {
  if (manner == "none") return {};
  const std::string nonce = NewNonce();
  std::string signature = SignV3(token, manner == "wrong" ? absl::StrCat(text, "x") : std::string(text), nonce);
  if (manner == "list") signature = absl::StrCat(SignV3("a-token-of-the-past", text, nonce), ", ", signature);
  return {{"X-Plivo-Signature-V3", signature},
          {"X-Plivo-Signature-Ma-V3", signature},
          {"X-Plivo-Signature-V3-Nonce", nonce}};
}

}  // namespace callbridge::sim
