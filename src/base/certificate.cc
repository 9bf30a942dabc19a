#include "src/base/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

namespace callbridge::base {
namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

BioPtr Reader(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

CertificatePtr FirstCertificate(const std::string& pem) {
  const BioPtr reader = Reader(pem);
  CertificatePtr certificate(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr), &X509_free);
  ERR_clear_error();
  return certificate;
}

KeyPtr PrivateKey(const std::string& pem) {
  const BioPtr reader = Reader(pem);
  char no_passphrase[] = "";  // Else OpenSSL asks at the terminal.
  KeyPtr key(PEM_read_bio_PrivateKey(reader.get(), nullptr, nullptr, no_passphrase), &EVP_PKEY_free);
  ERR_clear_error();
  return key;
}

}  // namespace

absl::optional<absl::Time> CertificateExpireTime(const std::string& pem) {
  const CertificatePtr certificate = FirstCertificate(pem);
  std::tm end = {};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) return absl::nullopt;
  return absl::FromTM(end, absl::UTCTimeZone());
}

bool HasPrivateKey(const std::string& pem) { return PrivateKey(pem) != nullptr; }

bool IsKeyOf(const std::string& key_pem, const std::string& certificate_pem) {
  const CertificatePtr certificate = FirstCertificate(certificate_pem);
  const KeyPtr key = PrivateKey(key_pem);
  const bool fits =
      certificate != nullptr && key != nullptr && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return fits;
}

}  // namespace callbridge::base
