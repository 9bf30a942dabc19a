#ifndef CALLBRIDGE_TESTS_FAKES_CERTIFICATES_H_
#define CALLBRIDGE_TESTS_FAKES_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace callbridge::testing {

struct Certificate {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> cert;

  // As PEM files have them.
  std::string CertPem() const;
  std::string KeyPem() const;
};

// A certificate signed by `issuer` (by itself if null), valid from two days ago for `days`. `names` as openssl's
// subjectAltName: "DNS:localhost,IP:127.0.0.1".
Certificate Issue(const std::string& common_name, const std::string& names, const Certificate* issuer, int days = 10);

}  // namespace callbridge::testing

#endif  // CALLBRIDGE_TESTS_FAKES_CERTIFICATES_H_
