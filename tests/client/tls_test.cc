// The client's handshakes with the real server: its TLS, its tokens, its certificates.

#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/client/client.h"
#include "src/client/errors.h"
#include "tests/control/server_under_test.h"
#include "tests/fakes/certificates.h"

namespace callbridge::client {
namespace {

class TlsTest : public ::testing::Test {
 protected:
  static constexpr char kNames[] = "DNS:localhost,IP:127.0.0.1";

  static std::string Write(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(::testing::TempDir(), "/client-", name, ".pem");
    std::ofstream(path) << text;
    return path;
  }

  void Serve(bool wants_certificates, control::AccessList access, const std::string& names = kNames, int days = 10) {
    const testing::Certificate own = testing::Issue("server", names, &ca_, days);
    control::ControlServerOptions options;
    options.tls_cert_file = Write("cert", own.CertPem());
    options.tls_key_file = Write("key", own.KeyPem());
    if (wants_certificates) options.tls_client_ca_file = Write("ca", ca_.CertPem());
    options.access = std::move(access);
    server_ = std::make_unique<control::ServerUnderTest>(std::move(options));
    server_->Create(control::kCall);
    options_.address = server_->server().address();
    options_.root_certificates = ca_.CertPem();
    options_.attempts = 1;
  }

  absl::Status Get() {
    v1::GetCallRequest request;
    request.set_call(control::kCall);
    return Client(options_).Ask(&Calls::GetCall, request).status();
  }

  const testing::Certificate ca_ = testing::Issue("authority", "", nullptr);
  std::unique_ptr<control::ServerUnderTest> server_;
  ClientOptions options_;
};

TEST_F(TlsTest, ATokenGoesOverTls) {
  control::AccessList access;
  access.tokens = {control::TokenForEverything("let-me-in")};
  Serve(/*wants_certificates=*/false, access);
  EXPECT_EQ(Explain(Get()).reason, "TOKEN_MISSING");
  options_.token = "let-me-in";
  EXPECT_TRUE(Get().ok()) << Get();
}

TEST_F(TlsTest, AServerOfAnotherAuthorityIsNotBelieved) {
  Serve(/*wants_certificates=*/false, {});
  options_.root_certificates = testing::Issue("another", "", nullptr).CertPem();
  EXPECT_EQ(Get().code(), absl::StatusCode::kUnavailable);
}

TEST_F(TlsTest, ACertificateThatHasExpiredIsNotBelieved) {
  Serve(/*wants_certificates=*/false, {}, kNames, /*days=*/1);
  EXPECT_EQ(Get().code(), absl::StatusCode::kUnavailable);
}

TEST_F(TlsTest, ACertificateOfAnotherNameIsNotBelieved) {
  Serve(/*wants_certificates=*/false, {}, "DNS:elsewhere.example");
  EXPECT_EQ(Get().code(), absl::StatusCode::kUnavailable);
}

TEST_F(TlsTest, AClientsCertificateThatHasExpiredOpensNothing) {
  control::AccessList access;
  access.identities = {{"crm", "crm.example", {"calls.read"}}};
  Serve(/*wants_certificates=*/true, access);
  const testing::Certificate crm = testing::Issue("crm", "DNS:crm.example", &ca_, /*days=*/1);
  options_.certificate = crm.CertPem();
  options_.private_key = crm.KeyPem();
  EXPECT_EQ(Get().code(), absl::StatusCode::kUnavailable);
}

TEST_F(TlsTest, ACertificateSaysWhoCalls) {
  control::AccessList access;
  access.identities = {{"crm", "crm.example", {"calls.read"}}};
  Serve(/*wants_certificates=*/true, access);
  EXPECT_EQ(Get().code(), absl::StatusCode::kUnavailable) << "it shows none";
  const testing::Certificate crm = testing::Issue("crm", "DNS:crm.example", &ca_);
  options_.certificate = crm.CertPem();
  options_.private_key = crm.KeyPem();
  EXPECT_TRUE(Get().ok()) << Get();
  EXPECT_EQ(Explain(Client(options_).Ask(&Calls::EndCall, v1::EndCallRequest()).status()).reason, "SCOPE_REQUIRED");
}

}  // namespace
}  // namespace callbridge::client
