#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/net/event_loop.h"
#include "tests/fakes/certificates.h"
#include "tests/net/peers.h"

namespace callbridge::net {
namespace {

using ::callbridge::testing::Certificate;
using ::callbridge::testing::Issue;
using ::callbridge::testing::OnLoop;
using ::callbridge::testing::RawListener;
using ::callbridge::testing::RawPeer;
using ::callbridge::testing::RecordingListener;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A TLS server for one connection that performs the upgrade, sends one message, expects one and ends.
class TlsServer {
 public:
  TlsServer(const Certificate& certificate, int max_version = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    SSL_CTX_set_max_proto_version(context_.get(), max_version);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_use_certificate(context_.get(), certificate.cert.get());
    SSL_CTX_use_PrivateKey(context_.get(), certificate.key.get());
    thread_ = std::thread([this] { Serve(); });
  }
  ~TlsServer() { thread_.join(); }

  int port() const { return listener_.port(); }
  // After the connection has ended.
  const std::string& server_name() const { return server_name_; }
  const std::string& received() const { return received_; }
  void Join() {
    thread_.join();
    thread_ = std::thread([] {});
  }

 private:
  void Serve() {
    RawPeer peer = listener_.Accept();
    std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(ssl.get(), peer.fd());
    if (SSL_accept(ssl.get()) != 1) return;
    const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
    server_name_ = name == nullptr ? "none" : name;
    std::string head;
    char byte;
    while (head.find("\r\n\r\n") == std::string::npos && SSL_read(ssl.get(), &byte, 1) == 1) head.push_back(byte);
    const size_t at = head.find("Sec-WebSocket-Key: ");
    if (at == std::string::npos) return;
    const std::string key = head.substr(at + 19, 24) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(key.data(), key.size(), digest, &size, EVP_sha1(), nullptr);
    unsigned char accept[64];
    EVP_EncodeBlock(accept, digest, static_cast<int>(size));
    const std::string answer =
        absl::StrCat("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
                     "Sec-WebSocket-Accept: ", reinterpret_cast<const char*>(accept), "\r\n\r\n") +
        std::string("\x81\x05hello", 7);
    SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size()));
    char frame[6 + 2];
    int got = 0;
    while (got < 8) {
      const int n = SSL_read(ssl.get(), frame + got, 8 - got);
      if (n <= 0) return;
      got += n;
    }
    for (int i = 0; i < 2; ++i) received_.push_back(static_cast<char>(frame[6 + i] ^ frame[2 + i]));
    // Ends without a close frame.
  }

  RawListener listener_;
  std::shared_ptr<SSL_CTX> context_;
  std::string server_name_;
  std::string received_;
  std::thread thread_;
};

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    char path[] = "/tmp/callbridge_tls_test_XXXXXX";
    close(mkstemp(path));
    ca_file_ = path;
    BIO* bio = BIO_new_file(path, "w");
    PEM_write_bio_X509(bio, ca_.cert.get());
    BIO_free(bio);
  }
  ~TlsTest() override {
    loop_->Stop();
    unlink(ca_file_.c_str());
  }

  void Connect(const std::string& host, int port, bool trusting_our_ca = true) {
    WsClientOptions options;
    options.url = absl::StrCat("wss://", host, ":", port, "/");
    if (trusting_our_ca) options.ca_file = ca_file_;
    OnLoop(*loop_, [&] { connection_ = loop_->connector().Connect(options, listener_); });
  }
  std::string FailureWith(const Certificate& certificate, const std::string& host, bool trusting_our_ca = true) {
    TlsServer server(certificate);
    Connect(host, server.port(), trusting_our_ca);
    EXPECT_TRUE(listener_.WaitForClosed());
    EXPECT_FALSE(listener_.opened());
    EXPECT_EQ(listener_.close().http_status, 0);
    return listener_.close().error;
  }

  const Certificate ca_ = Issue("our test CA", "", nullptr);
  std::string ca_file_;
  RecordingListener listener_;
  std::unique_ptr<EventLoop> loop_ = EventLoop::Start("loop");
  std::shared_ptr<WsConnection> connection_;
};

TEST_F(TlsTest, GoodCertificate) {
  TlsServer server(Issue("x", "DNS:localhost", &ca_));
  Connect("localhost", server.port());
  ASSERT_TRUE(listener_.WaitForOpen()) << listener_.close().error;
  ASSERT_TRUE(listener_.WaitForTexts(1));
  OnLoop(*loop_, [&] { EXPECT_TRUE(connection_->Send({"o", "k"})); });
  ASSERT_TRUE(listener_.WaitForClosed());
  server.Join();
  EXPECT_EQ(server.received(), "ok");
  EXPECT_EQ(server.server_name(), "localhost");
  EXPECT_THAT(listener_.texts(), ElementsAre("hello"));
  EXPECT_EQ(listener_.close().code, 1006);
  EXPECT_TRUE(listener_.close().opened);
}

TEST_F(TlsTest, IpLiteralWithAMatchingCertificateAndWithoutServerName) {
  TlsServer server(Issue("x", "IP:127.0.0.1", &ca_));
  Connect("127.0.0.1", server.port());
  ASSERT_TRUE(listener_.WaitForOpen()) << listener_.close().error;
  OnLoop(*loop_, [&] { connection_->Abort(); });
  ASSERT_TRUE(listener_.WaitForClosed());
  server.Join();
  EXPECT_EQ(server.server_name(), "none");
}

TEST_F(TlsTest, IpLiteralThatTheCertificateDoesNotName) {
  EXPECT_EQ(FailureWith(Issue("x", "DNS:localhost", &ca_), "127.0.0.1"),
            "certificate: it is not for the host name 127.0.0.1");
}

TEST_F(TlsTest, WrongHostName) {
  EXPECT_EQ(FailureWith(Issue("x", "DNS:elsewhere.test", &ca_), "localhost"),
            "certificate: it is not for the host name localhost");
}

TEST_F(TlsTest, SelfSigned) {
  EXPECT_THAT(FailureWith(Issue("localhost", "DNS:localhost", nullptr), "localhost"), HasSubstr("certificate: self"));
}

TEST_F(TlsTest, UnknownAuthority) {
  const Certificate other = Issue("another CA", "", nullptr);
  EXPECT_THAT(FailureWith(Issue("x", "DNS:localhost", &other), "localhost"),
              HasSubstr("certificate: unable to get local issuer certificate"));
}

TEST_F(TlsTest, OurAuthorityIsUnknownToTheSystem) {
  EXPECT_THAT(FailureWith(Issue("x", "DNS:localhost", &ca_), "localhost", /*trusting_our_ca=*/false),
              HasSubstr("certificate: unable to get local issuer certificate"));
}

TEST_F(TlsTest, Expired) {
  EXPECT_EQ(FailureWith(Issue("x", "DNS:localhost", &ca_, /*days=*/1), "localhost"),
            "certificate: certificate has expired");
}

TEST_F(TlsTest, TooOldAVersion) {
  TlsServer server(Issue("x", "DNS:localhost", &ca_), TLS1_1_VERSION);
  Connect("localhost", server.port());
  ASSERT_TRUE(listener_.WaitForClosed());
  EXPECT_THAT(listener_.close().error, HasSubstr("TLS 1.2"));
}

TEST_F(TlsTest, APeerWithoutTls) {
  RawListener plain;
  Connect("localhost", plain.port());
  RawPeer peer = plain.Accept();
  peer.Receive(1);
  peer.Send("HTTP/1.1 400 Bad Request\r\n\r\n");
  ASSERT_TRUE(listener_.WaitForClosed());
  EXPECT_THAT(listener_.close().error, HasSubstr("TLS handshake failed"));
}

TEST_F(TlsTest, CutDuringTheHandshake) {
  RawListener silent;
  Connect("localhost", silent.port());
  RawPeer peer = silent.Accept();
  peer.Receive(1);
  OnLoop(*loop_, [&] { connection_->Abort(); });
  ASSERT_TRUE(listener_.WaitForClosed());
  EXPECT_EQ(listener_.close().error, "closed before it opened");
  peer.ReceiveAll();
}

TEST_F(TlsTest, UnreadableCaFile) {
  ca_file_ = "/nowhere/ca.pem";
  Connect("localhost", 1);
  ASSERT_TRUE(listener_.WaitForClosed());
  EXPECT_THAT(listener_.close().error, HasSubstr("ca_file /nowhere/ca.pem"));
}

}  // namespace
}  // namespace callbridge::net
