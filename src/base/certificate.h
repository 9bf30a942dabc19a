#ifndef CALLBRIDGE_SRC_BASE_CERTIFICATE_H_
#define CALLBRIDGE_SRC_BASE_CERTIFICATE_H_

#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"

// What is in PEM texts, as far as a server wants to know before it uses them. Any thread.
namespace callbridge::base {

// Until when the first certificate of the text is good. nullopt: there is none that can be read.
absl::optional<absl::Time> CertificateExpireTime(const std::string& pem);

// Whether there is a private key that can be read without a passphrase.
bool HasPrivateKey(const std::string& pem);

// Whether the key is the one of the first certificate.
bool IsKeyOf(const std::string& key_pem, const std::string& certificate_pem);

}  // namespace callbridge::base

#endif  // CALLBRIDGE_SRC_BASE_CERTIFICATE_H_
