#ifndef CALLBRIDGE_SRC_CONTROL_SERVER_CERTIFICATES_H_
#define CALLBRIDGE_SRC_CONTROL_SERVER_CERTIFICATES_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/base/mutex.h"
#include "src/control/credentials.h"

namespace callbridge::control {

// What a gRPC port shows to clients and wants to see of them, replaceable while the port is open: handshakes from then
// on use the new files, connections that stand go on. Thread-safe.
class ServerCertificates {
 public:
  // `files` has a certificate and a key. Nothing is read yet.
  ServerCertificates(TlsFiles files, const TlsFlags& flags) : files_(std::move(files)), flags_(flags) {}

  // Reads the files, for the first time or again. kInvalidArgument: one cannot be read, is no PEM file, or the key is
  // not the certificate's; the message names the flag, and what was there before stays. Blocks on the disk.
  absl::Status Load() ABSL_LOCKS_EXCLUDED(mutex_);

  // Until when the certificate that is shown is good. After a Load() that went well.
  absl::Time expire_time() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Has the log say so if that is past or within a week. `port`: whose it is, "the gRPC port".
  void LogExpiry(absl::string_view port) const ABSL_LOCKS_EXCLUDED(mutex_);

  // For a server that this outlives, after the first Load(). mTLS where the files have an authority.
  std::shared_ptr<grpc::ServerCredentials> MakeCredentials();

  // The texts of the files if they are others than at the last call.
  bool TakeChanged(TlsFiles* texts) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const TlsFiles files_;
  const TlsFlags flags_;
  mutable base::Mutex mutex_;
  TlsFiles texts_ ABSL_GUARDED_BY(mutex_);
  absl::Time expire_time_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace callbridge::control

#endif  // CALLBRIDGE_SRC_CONTROL_SERVER_CERTIFICATES_H_
