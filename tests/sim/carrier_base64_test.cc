#include "src/sim/carrier_base64.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

TEST(CarrierBase64Test, AgreesWithAbseilForEveryLength) {
  std::string bytes;
  for (int length = 0; length < 200; ++length) {
    std::string encoded, decoded;
    AppendBase64(bytes, encoded);
    EXPECT_EQ(encoded, absl::Base64Escape(bytes));
    ASSERT_TRUE(DecodeBase64Strict(encoded, decoded));
    EXPECT_EQ(decoded, bytes);
    bytes += static_cast<char>(length * 37);
  }
}

TEST(CarrierBase64Test, RefusesWhatIsNotStrict) {
  std::string out;
  for (const char* text : {"QQ", "QQ=", "Q===", "QQ==QQ==", "QUJ\n", "QU J", "Q-_=", "=QQQ", "QQ=Q", "===="}) {
    EXPECT_FALSE(DecodeBase64Strict(text, out)) << text;
  }
}

}  // namespace
}  // namespace callbridge::sim
