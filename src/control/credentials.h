#ifndef CALLBRIDGE_SRC_CONTROL_CREDENTIALS_H_
#define CALLBRIDGE_SRC_CONTROL_CREDENTIALS_H_

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace callbridge::control {

// PEM files of a gRPC port. Empty: not given.
struct TlsFiles {
  std::string cert;
  std::string key;
  std::string ca;  // Whoever connects must show a certificate of this authority.

  bool has_tls() const { return !cert.empty(); }
};

// The flags that name them, for messages.
struct TlsFlags {
  absl::string_view cert;
  absl::string_view key;
  absl::string_view ca;
};
inline constexpr TlsFlags kControlTlsFlags{"--grpc_tls_cert", "--grpc_tls_key", "--grpc_tls_client_ca"};
inline constexpr TlsFlags kNodeTlsFlags{"--node_tls_cert", "--node_tls_key", "--node_tls_ca"};

// The texts of the files; those that are not named stay empty. kInvalidArgument: a file cannot be read or is no PEM
// file; the message names its flag.
absl::StatusOr<TlsFiles> ReadTlsFiles(const TlsFiles& files, const TlsFlags& flags);

// What a node calls another with: plaintext without a certificate, else mTLS. The other must show a certificate of the
// authority; the name in it is not compared with the address, which for nodes is often one that nobody knew when the
// certificate was made. So the authority must be one for nodes only. Errors as above.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakePeerCredentials(const TlsFiles& files,
                                                                              const TlsFlags& flags);

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_CREDENTIALS_H_
