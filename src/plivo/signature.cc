#include "src/plivo/signature.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "openssl/crypto.h"
#include "openssl/evp.h"
#include "openssl/hmac.h"

namespace callbridge::plivo {
namespace {

constexpr size_t kMaxHeaderBytes = 4096;
constexpr int kMaxSignatures = 16;  // Per header; the carrier sends one per token in rotation.

struct UrlParts {
  absl::string_view scheme;
  absl::string_view host_and_path;  // Without user info; port and path exactly as written.
  absl::string_view query;
};

absl::StatusOr<UrlParts> SplitUrl(absl::string_view url) {
  url = url.substr(0, url.find('#'));
  UrlParts parts;
  const size_t mark = url.find('?');
  if (mark != absl::string_view::npos) parts.query = url.substr(mark + 1);
  url = url.substr(0, mark);
  const size_t colon = url.find("://");
  if (colon == absl::string_view::npos || colon == 0)
    return absl::InvalidArgumentError("url: must begin with a scheme and \"://\"");
  parts.scheme = url.substr(0, colon);
  absl::string_view rest = url.substr(colon + 3);
  const size_t at = rest.substr(0, rest.find('/')).rfind('@');
  if (at != absl::string_view::npos) rest.remove_prefix(at + 1);
  if (rest.empty() || rest.front() == '/') return absl::InvalidArgumentError("url: must name a host");
  parts.host_and_path = rest;
  return parts;
}

// By name, equal names by value; as bytes, so upper case before lower case.
Form::Fields Sorted(Form::Fields fields) {
  std::sort(fields.begin(), fields.end());
  return fields;
}

std::string JoinQuery(const Form::Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) absl::StrAppend(&text, text.empty() ? "" : "&", name, "=", value);
  return text;
}

std::string JoinBody(const Form::Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) absl::StrAppend(&text, name, value);
  return text;
}

std::string HmacSha256Base64(absl::string_view key, absl::string_view message) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, &size) == nullptr) {
    return {};  // Out of memory. Matches nothing: see MatchesAny.
  }
  return absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(digest), size));
}

bool EqualInConstantTime(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool MatchesAny(absl::string_view header, absl::string_view expected) {
  if (expected.empty() || header.size() > kMaxHeaderBytes) return false;
  bool found = false;
  int tried = 0;
  for (const absl::string_view candidate : absl::StrSplit(header, ',')) {
    if (++tried > kMaxSignatures) break;
    // Goes through all of them, so that the time taken does not tell which one fits.
    found |= EqualInConstantTime(absl::StripAsciiWhitespace(candidate), expected);
  }
  return found;
}

absl::Status CheckHeaders(const SignatureHeaders& headers, absl::string_view auth_token) {
  if (auth_token.empty()) return absl::InvalidArgumentError("auth token: must not be empty");
  if (headers.nonce.empty()) return absl::UnauthenticatedError(absl::StrCat(kSignatureV3NonceHeader, ": missing"));
  if (headers.nonce.size() > kMaxHeaderBytes)
    return absl::UnauthenticatedError(absl::StrCat(kSignatureV3NonceHeader, ": too long"));
  if (headers.v3.empty() && headers.ma_v3.empty()) {
    return absl::UnauthenticatedError(absl::StrCat(kSignatureV3Header, ": missing, and so is ", kSignatureMaV3Header));
  }
  return absl::OkStatus();
}

}  // namespace

std::string PublicUrl(absl::string_view base, absl::string_view target) {
  absl::ConsumeSuffix(&base, "/");
  return absl::StrCat(base, target);
}

absl::StatusOr<std::string> SigningText(const SignedRequest& request) {
  if (request.method != "GET" && request.method != "POST") {
    return absl::InvalidArgumentError("method: only GET and POST are signed");
  }
  const absl::StatusOr<UrlParts> parts = SplitUrl(request.url);
  if (!parts.ok()) return parts.status();
  const absl::StatusOr<Form> query_form = ParseForm(parts->query);
  if (!query_form.ok()) return query_form.status();
  Form::Fields query_fields = query_form->fields();
  Form::Fields body_fields = request.body == nullptr ? Form::Fields() : request.body->fields();
  if (request.method == "GET") {
    query_fields.insert(query_fields.end(), body_fields.begin(), body_fields.end());
    body_fields.clear();
  }
  const std::string query = JoinQuery(Sorted(std::move(query_fields)));
  std::string text = absl::StrCat(parts->scheme, "://", parts->host_and_path);
  if (body_fields.empty()) {
    if (!query.empty()) absl::StrAppend(&text, "?", query);
    return text;
  }
  // The scheme's trap: with a body, '?' is there even without a query, and then no '.' separates them.
  absl::StrAppend(&text, "?", query, query.empty() ? "" : ".", JoinBody(Sorted(std::move(body_fields))));
  return text;
}

absl::StatusOr<std::string> SignV3(const SignedRequest& request, absl::string_view nonce,
                                   absl::string_view auth_token) {
  absl::StatusOr<std::string> text = SigningText(request);
  if (!text.ok()) return text.status();
  return HmacSha256Base64(auth_token, absl::StrCat(*text, ".", nonce));
}

absl::StatusOr<SignatureMatch> VerifyV3(const SignedRequest& request, const SignatureHeaders& headers,
                                        absl::string_view auth_token) {
  absl::Status status = CheckHeaders(headers, auth_token);
  if (!status.ok()) return status;
  const absl::StatusOr<std::string> expected = SignV3(request, headers.nonce, auth_token);
  if (!expected.ok()) return expected.status();
  const bool v3 = MatchesAny(headers.v3, *expected);
  const bool ma_v3 = MatchesAny(headers.ma_v3, *expected);
  if (!v3 && !ma_v3)
    return absl::UnauthenticatedError("no signature fits: wrong token, changed request, or another public URL");
  return SignatureMatch{!v3, std::string(request.url.substr(0, request.url.find("://")))};
}

absl::StatusOr<SignatureMatch> VerifyUpgradeV3(absl::string_view public_base, absl::string_view target,
                                               const SignatureHeaders& headers, absl::string_view auth_token) {
  const size_t colon = public_base.find("://");
  if (colon == absl::string_view::npos)
    return absl::InvalidArgumentError("public URL: must begin with a scheme and \"://\"");
  const std::string rest = PublicUrl(public_base.substr(colon), target);
  absl::StatusOr<SignatureMatch> match = absl::UnauthenticatedError("not tried");
  for (const absl::string_view scheme : {"wss", "https", "ws", "http"}) {
    const std::string url = absl::StrCat(scheme, rest);
    match = VerifyV3({"GET", url, nullptr}, headers, auth_token);
    if (match.ok() || !absl::IsUnauthenticated(match.status())) return match;
  }
  return match;
}

}  // namespace callbridge::plivo
