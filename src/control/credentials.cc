#include "src/control/credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <fstream>
#include <functional>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace callbridge::control {
namespace {

absl::StatusOr<std::string> ReadPem(absl::string_view flag, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return absl::InvalidArgumentError(absl::StrCat(flag, ": cannot read ", path));
  if (!absl::StrContains(text, "-----BEGIN "))
    return absl::InvalidArgumentError(absl::StrCat(flag, ": ", path, " is not a PEM file"));
  return text;
}

// Takes every certificate whose chain has been found good: asked after that, instead of comparing names.
class AnyName final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest*, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    *sync_status = grpc::Status::OK;
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}
};

}  // namespace

absl::StatusOr<TlsFiles> ReadTlsFiles(const TlsFiles& files, const TlsFlags& flags) {
  TlsFiles texts;
  struct Row {
    absl::string_view flag;
    const std::string& path;
    std::string& text;
  };
  for (const Row& row : {Row{flags.cert, files.cert, texts.cert}, Row{flags.key, files.key, texts.key},
                         Row{flags.ca, files.ca, texts.ca}}) {
    if (row.path.empty()) continue;
    auto text = ReadPem(row.flag, row.path);
    if (!text.ok()) return text.status();
    row.text = *std::move(text);
  }
  return texts;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakePeerCredentials(const TlsFiles& files,
                                                                              const TlsFlags& flags) {
  if (!files.has_tls()) return grpc::InsecureChannelCredentials();
  const auto texts = ReadTlsFiles(files, flags);
  if (!texts.ok()) return texts.status();
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_certificate_provider(std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      texts->ca, std::vector<grpc::experimental::IdentityKeyCertPair>{{texts->key, texts->cert}}));
  tls.watch_root_certs();
  tls.watch_identity_key_cert_pairs();
  tls.set_verify_server_certs(true);
  tls.set_check_call_host(false);
  tls.set_certificate_verifier(grpc::experimental::ExternalCertificateVerifier::Create<AnyName>());
  return grpc::experimental::TlsCredentials(tls);
}

}  // namespace callbridge::control
