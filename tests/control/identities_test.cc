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
    ControlServerOptions options;
    options.tls_cert_file = Write("cert", own_.CertPem());
    options.tls_key_file = Write("key", own_.KeyPem());
    options.tls_client_ca_file = Write("ca", ca_.CertPem());
    options.access = std::move(access);
    server_ = std::make_unique<ServerUnderTest>(std::move(options));
    server_->Create(kCall);
    return *server_;
  }

  // The server's files, as they are next.
  static void WriteOwn(const testing::Certificate& own, const testing::Certificate& ca) {
    Write("cert", own.CertPem());
    Write("key", own.KeyPem());
    Write("ca", ca.CertPem());
  }

  // Of a client with this certificate (null: with none) that trusts this authority. Connections of its own.
  std::shared_ptr<grpc::Channel> Channel(const testing::Certificate* certificate, const testing::Certificate& trusted) {
    grpc::SslCredentialsOptions ssl;
    ssl.pem_root_certs = trusted.CertPem();
    if (certificate != nullptr) {
      ssl.pem_private_key = certificate->KeyPem();
      ssl.pem_cert_chain = certificate->CertPem();
    }
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(server_->server().address(), grpc::SslCredentials(ssl), arguments);
  }
  grpc::Status Get(const testing::Certificate* certificate, const std::string& token = "") {
    return Get(Channel(certificate, ca_), token);
  }
  static grpc::Status Get(const std::shared_ptr<grpc::Channel>& channel, const std::string& token = "") {
    const auto stub = v1::CallService::NewStub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    v1::GetCallRequest request;
    request.set_call(kCall);
    v1::GetCallResponse response;
    return stub->GetCall(&context, request, &response);
  }
  static std::string ReasonOf(const grpc::Status& status) { return DetailsOf(status).info.reason(); }

  const testing::Certificate ca_ = testing::Issue("authority", "", nullptr);
  const testing::Certificate own_ = testing::Issue("server", "DNS:localhost,IP:127.0.0.1", &ca_);
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

// ---- Certificates that are renewed ----

TEST_F(IdentitiesTest, RenewedFilesAreUsedFromTheNextHandshakeOn) {
  AccessList access;
  access.identities = {{"reader", "crm.example", {"calls.read"}}};
  Server(access);
  const auto standing = Channel(&crm_, ca_);
  ASSERT_TRUE(Get(standing).ok());
  // Everything is another authority's now, clients' certificates too.
  const testing::Certificate next = testing::Issue("next authority", "", nullptr);
  const testing::Certificate crm = testing::Issue("crm", "DNS:crm.example", &next);
  WriteOwn(testing::Issue("server", "DNS:localhost,IP:127.0.0.1", &next), next);
  EXPECT_FALSE(Get(Channel(&crm, next)).ok()) << "nobody has read them";
  const absl::Status loaded = server_->server().LoadCertificates();
  ASSERT_TRUE(loaded.ok()) << loaded;
  const grpc::Status renewed = Get(Channel(&crm, next));
  EXPECT_TRUE(renewed.ok()) << renewed.error_message();
  EXPECT_EQ(Get(Channel(&crm_, ca_)).error_code(), StatusCode::UNAVAILABLE) << "the former authority is no more";
  EXPECT_EQ(Get(Channel(&crm_, next)).error_code(), StatusCode::UNAVAILABLE) << "nor are its clients";
  EXPECT_TRUE(Get(standing).ok()) << "what stands goes on";
}

TEST_F(IdentitiesTest, FilesThatCannotBeUsedChangeNothing) {
  Server({});
  const testing::Certificate other = testing::Issue("server", "DNS:localhost,IP:127.0.0.1", &ca_);
  const std::string key = own_.KeyPem();
  const struct {
    const char* name;
    std::string cert, key, ca, complaint;
  } rows[] = {
      {"another's key", own_.CertPem(), other.KeyPem(), ca_.CertPem(), "--grpc_tls_key: "},
      {"a key for a certificate", key, key, ca_.CertPem(), "--grpc_tls_cert: "},
      {"a certificate for a key", own_.CertPem(), own_.CertPem(), ca_.CertPem(), "--grpc_tls_key: "},
      {"half a file", own_.CertPem().substr(0, 100), key, ca_.CertPem(), "--grpc_tls_cert: "},
      {"no authority", own_.CertPem(), key, key, "--grpc_tls_client_ca: "},
      {"an empty file", own_.CertPem(), "", ca_.CertPem(), "--grpc_tls_key: "},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Write("cert", row.cert);
    Write("key", row.key);
    Write("ca", row.ca);
    const absl::Status status = server_->server().LoadCertificates();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(std::string(status.message()).rfind(row.complaint, 0), 0) << status;
    EXPECT_EQ(std::string(status.message()).find('\n'), std::string::npos) << status;
    EXPECT_TRUE(Get(&crm_).ok());
  }
}

TEST_F(IdentitiesTest, HandshakesThatFail) {
  Server({});
  const testing::Certificate foreign = testing::Issue("foreign authority", "", nullptr);
  const testing::Certificate stranger = testing::Issue("crm", "DNS:crm.example", &foreign);
  const testing::Certificate late = testing::Issue("crm", "DNS:crm.example", &ca_, /*days=*/1);
  EXPECT_TRUE(Get(Channel(&crm_, ca_)).ok());
  EXPECT_EQ(Get(Channel(&stranger, ca_)).error_code(), StatusCode::UNAVAILABLE) << "another authority's";
  EXPECT_EQ(Get(Channel(&late, ca_)).error_code(), StatusCode::UNAVAILABLE) << "expired";
  EXPECT_EQ(Get(Channel(nullptr, ca_)).error_code(), StatusCode::UNAVAILABLE) << "shows none";
  EXPECT_EQ(Get(Channel(&crm_, foreign)).error_code(), StatusCode::UNAVAILABLE) << "the client trusts another";
  EXPECT_EQ(Get(grpc::CreateChannel(server_->server().address(), grpc::InsecureChannelCredentials())).error_code(),
            StatusCode::UNAVAILABLE)
      << "plaintext";
}

}  // namespace
}  // namespace callbridge::control
