#include "src/control/server_certificates.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/types/optional.h"
#include "src/base/certificate.h"
#include "src/base/log.h"

namespace callbridge::control {
namespace {

constexpr absl::Duration kSoon = absl::Hours(24 * 7);

absl::Status Wrong(absl::string_view flag, const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": ", path, " ", what));
}

// gRPC would only say that it cannot listen, or that a handshake failed.
absl::StatusOr<absl::Time> Check(const TlsFiles& texts, const TlsFiles& files, const TlsFlags& flags) {
  const absl::optional<absl::Time> end = base::CertificateExpireTime(texts.cert);
  if (!end) return Wrong(flags.cert, files.cert, "has no certificate that can be read");
  if (!base::HasPrivateKey(texts.key))
    return Wrong(flags.key, files.key, "has no private key that can be read without a passphrase");
  if (!base::IsKeyOf(texts.key, texts.cert))
    return Wrong(flags.key, files.key, absl::StrCat("is not the key of ", files.cert, ", the ", flags.cert));
  if (!files.ca.empty() && !base::CertificateExpireTime(texts.ca))
    return Wrong(flags.ca, files.ca, "has no certificate that can be read");
  return *end;
}

// Asked before each handshake.
grpc_ssl_certificate_config_reload_status Fetch(void* certificates, grpc_ssl_server_certificate_config** config) {
  TlsFiles texts;
  if (!static_cast<ServerCertificates*>(certificates)->TakeChanged(&texts))
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair = {texts.key.c_str(), texts.cert.c_str()};
  // gRPC 1.51 aborts without an authority here, even where it asks clients for nothing; then any certificate will do.
  const std::string& authority = texts.ca.empty() ? texts.cert : texts.ca;
  *config = grpc_ssl_server_certificate_config_create(authority.c_str(), &pair, /*num_key_cert_pairs=*/1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

// gRPC's C++ interface knows certificates that stay, and files that it watches by itself, key and certificate each for
// itself; its C interface asks.
class FetchingCredentials final : public grpc::ServerCredentials {
 public:
  FetchingCredentials(ServerCertificates& certificates, bool wants_clients)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                wants_clients ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                              : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
                &Fetch, &certificates))) {}
  ~FetchingCredentials() override { grpc_server_credentials_release(credentials_); }

  // Not used: the Authorizer looks at metadata.
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

}  // namespace

absl::Status ServerCertificates::Load() {
  auto texts = ReadTlsFiles(files_, flags_);
  if (!texts.ok()) return texts.status();
  const auto end = Check(*texts, files_, flags_);
  if (!end.ok()) return end.status();
  base::MutexLock lock(mutex_);
  texts_ = *std::move(texts);
  expire_time_ = *end;
  changed_ = true;
  return absl::OkStatus();
}

absl::Time ServerCertificates::expire_time() const {
  base::MutexLock lock(mutex_);
  return expire_time_;
}

void ServerCertificates::LogExpiry(absl::string_view port) const {
  const absl::Time end = expire_time();
  const absl::Time now = absl::Now();
  if (end >= now + kSoon) return;
  base::Log(base::LogKind::kTrouble, "",
            absl::StrCat(port, end < now ? "'s certificate has expired" : "'s certificate expires soon"),
            {{"at", absl::FormatTime(absl::RFC3339_sec, end, absl::UTCTimeZone())}});
}

std::shared_ptr<grpc::ServerCredentials> ServerCertificates::MakeCredentials() {
  return std::make_shared<FetchingCredentials>(*this, !files_.ca.empty());
}

bool ServerCertificates::TakeChanged(TlsFiles* texts) {
  base::MutexLock lock(mutex_);
  if (!std::exchange(changed_, false)) return false;
  *texts = texts_;
  return true;
}

}  // namespace callbridge::control
