// Clients that show a certificate: real handshakes, and what their names allow.

#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/control/server_under_test.h"
#include "tests/fakes/certificates.h"

namespace callbridge::control {
namespace {

using grpc::StatusCode;

class IdentitiesTest : public ::testing::Test {
 protected:
  static std::string Write(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(::testing::TempDir(), "/", name, ".pem");
    std::ofstream(path) << text;
    return path;
  }

  ServerUnderTest& Server(AccessList access) {
    const testing::Certificate own = testing::Issue("server", "DNS:localhost,IP:127.0.0.1", &ca_);
    ControlServerOptions options;
    options.tls_cert_file = Write("cert", own.CertPem());
    options.tls_key_file = Write("key", own.KeyPem());
    options.tls_client_ca_file = Write("ca", ca_.CertPem());
    options.access = std::move(access);
    server_ = std::make_unique<ServerUnderTest>(std::move(options));
    server_->Create(kCall);
    return *server_;
  }

  // Of a client with this certificate; null: with none.
  grpc::Status Get(const testing::Certificate* certificate, const std::string& token = "") {
    grpc::SslCredentialsOptions ssl;
    ssl.pem_root_certs = ca_.CertPem();
    if (certificate != nullptr) {
      ssl.pem_private_key = certificate->KeyPem();
      ssl.pem_cert_chain = certificate->CertPem();
    }
    const auto stub =
        v1::CallService::NewStub(grpc::CreateChannel(server_->server().address(), grpc::SslCredentials(ssl)));
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    v1::GetCallRequest request;
    request.set_call(kCall);
    v1::GetCallResponse response;
    return stub->GetCall(&context, request, &response);
  }
  static std::string ReasonOf(const grpc::Status& status) { return DetailsOf(status).info.reason(); }

  const testing::Certificate ca_ = testing::Issue("authority", "", nullptr);
  const testing::Certificate crm_ = testing::Issue("crm", "DNS:crm.example,DNS:other.example", &ca_);
  const testing::Certificate plain_ = testing::Issue("plain", "", &ca_);
  std::unique_ptr<ServerUnderTest> server_;
};

TEST_F(IdentitiesTest, ANameInTheCertificateHasItsScopes) {
  AccessList access;
  access.identities = {{"reader", "other.example", {"calls.read"}}, {"dialler", "plain", {"calls.start"}}};
  Server(access);
  const grpc::Status let_in = Get(&crm_);
  EXPECT_TRUE(let_in.ok()) << let_in.error_message();
  const grpc::Status refused = Get(&plain_);
  EXPECT_EQ(refused.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(refused), "SCOPE_REQUIRED") << "known by its common name, for something else";
}

TEST_F(IdentitiesTest, ANameThatNobodyKnowsIsLetInByNobody) {
  AccessList access;
  access.identities = {{"reader", "crm.elsewhere", {"calls.read"}}};
  Server(access);
  const grpc::Status status = Get(&crm_);
  EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(status), "IDENTITY_UNKNOWN");
}

TEST_F(IdentitiesTest, WithoutAListEveryCertificateOfTheAuthorityIsGood) {
  Server({});
  EXPECT_TRUE(Get(&plain_).ok());
  const testing::Certificate stranger = testing::Issue("stranger", "", nullptr);
  EXPECT_EQ(Get(&stranger).error_code(), StatusCode::UNAVAILABLE) << "no handshake";
  EXPECT_EQ(Get(nullptr).error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(IdentitiesTest, ATokenSaysMoreThanACertificate) {
  AccessList access;
  access.identities = {{"reader", "crm.example", {"calls.read"}}};
  access.tokens = {TokenForEverything("dial")};
  access.tokens[0].scopes = {"calls.start"};
  Server(access);
  EXPECT_TRUE(Get(&crm_).ok());
  EXPECT_EQ(ReasonOf(Get(&crm_, "dial")), "SCOPE_REQUIRED");
  EXPECT_EQ(ReasonOf(Get(&plain_)), "TOKEN_MISSING");
}

TEST_F(IdentitiesTest, AnotherListHoldsFromThenOn) {
  ServerUnderTest& server = Server({});
  AccessList access;
  access.identities = {{"reader", "crm.example", {"calls.read"}}};
  server.server().SetAccess(access);
  EXPECT_EQ(ReasonOf(Get(&plain_)), "IDENTITY_UNKNOWN");
  EXPECT_TRUE(Get(&crm_).ok());
}

// Else whoever takes the last token away, because it leaked, would open the port to everybody.
TEST_F(IdentitiesTest, AListThatBecomesEmptyLetsNobodyIn) {
  AccessList access;
  access.tokens = {TokenForEverything("leaked")};
  ServerUnderTest& server = Server(access);
  EXPECT_TRUE(Get(&crm_, "leaked").ok());
  server.server().SetAccess({});
  EXPECT_EQ(ReasonOf(Get(&crm_, "leaked")), "TOKEN_INVALID");
  EXPECT_EQ(ReasonOf(Get(&crm_)), "IDENTITY_UNKNOWN");
}

TEST_F(IdentitiesTest, AnOpenPortThatWasClosedStaysClosed) {
  ServerUnderTest& server = Server({});
  EXPECT_TRUE(Get(&crm_).ok());
  AccessList access;
  access.identities = {{"reader", "crm.example", {"calls.read"}}};
  server.server().SetAccess(access);
  EXPECT_TRUE(Get(&crm_).ok());
  server.server().SetAccess({});
  EXPECT_EQ(ReasonOf(Get(&crm_)), "IDENTITY_UNKNOWN");
}

TEST_F(IdentitiesTest, IdentitiesNeedAnAuthority) {
  ControlServerOptions options;
  options.listen = "127.0.0.1:0";
  options.access.identities = {{"reader", "crm.example", {"calls.read"}}};
  session::FakeCallControl control;
  store::MemoryCallStore store;
  events::EventHub hub(0, 64);
  base::ThreadExecutor executor("test-store");
  const auto server = ControlServer::Start(options, {control, store, executor, hub});
  EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(server.status().message().find("--grpc_tls_client_ca"), std::string::npos);
}

}  // namespace
}  // namespace callbridge::control
