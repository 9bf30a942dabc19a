#include "src/base/certificate.h"

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/fakes/certificates.h"

namespace callbridge::base {
namespace {

TEST(CertificateTest, TellsWhatIsInATextAndWhatFits) {
  const testing::Certificate ca = testing::Issue("authority", "", nullptr);
  const testing::Certificate own = testing::Issue("server", "DNS:localhost", &ca, /*days=*/10);
  const auto end = CertificateExpireTime(own.CertPem() + ca.CertPem());
  ASSERT_TRUE(end);
  EXPECT_GT(*end, absl::Now() + absl::Hours(24 * 7));
  EXPECT_LT(*end, absl::Now() + absl::Hours(24 * 11));
  EXPECT_TRUE(HasPrivateKey(own.KeyPem()));
  EXPECT_TRUE(IsKeyOf(own.KeyPem(), own.CertPem() + ca.CertPem())) << "the first of a chain is the server's";
  EXPECT_FALSE(IsKeyOf(ca.KeyPem(), own.CertPem()));
}

TEST(CertificateTest, TakesAnyText) {
  const testing::Certificate own = testing::Issue("server", "", nullptr);
  for (const std::string& text : {std::string(), std::string("text"), own.CertPem().substr(0, 200), own.KeyPem(),
                                  std::string("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")}) {
    EXPECT_FALSE(CertificateExpireTime(text)) << text;
    EXPECT_FALSE(IsKeyOf(own.KeyPem(), text)) << text;
  }
  for (const std::string& text : {std::string(), own.CertPem(), own.KeyPem().substr(0, 100)}) {
    EXPECT_FALSE(HasPrivateKey(text)) << text;
    EXPECT_FALSE(IsKeyOf(text, own.CertPem())) << text;
  }
}

}  // namespace
}  // namespace callbridge::base
