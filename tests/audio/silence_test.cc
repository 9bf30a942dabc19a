#include "src/audio/silence.h"

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace callbridge::audio {
namespace {

TEST(SilenceTest, IsWholeQuantaOfTheSilentByte) {
  for (const int64_t ms : {1, 20, 21, 22, 199, 200, 1000}) {
    std::string bytes;
    ASSERT_TRUE(absl::Base64Unescape(SilenceBase64(ms), &bytes)) << ms;
    EXPECT_EQ(bytes, std::string(static_cast<size_t>(ms * 8 / 3 * 3), '\xff')) << ms;
  }
}

TEST(SilenceTest, IsBounded) {
  EXPECT_EQ(SilenceBase64(0), "");
  EXPECT_EQ(SilenceBase64(-5), "");
  EXPECT_EQ(SilenceBase64(1'000'000).size(), SilenceBase64(1000).size());
}

}  // namespace
}  // namespace callbridge::audio
