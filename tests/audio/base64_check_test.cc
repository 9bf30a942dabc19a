#include "src/audio/base64_check.h"

#include <string>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace callbridge::audio {
namespace {

TEST(DecodedSizeTest, AgreesWithAnEncoderForEveryLength) {
  std::string bytes;
  for (int size = 0; size <= 300; ++size) {
    EXPECT_EQ(DecodedSize(absl::Base64Escape(bytes)), size);
    bytes.push_back(static_cast<char>(size * 37));
  }
}

TEST(DecodedSizeTest, OnlyTheAlphabetPassesAtEveryPosition) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t position = 0; position < 8; ++position) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = "AAAAAAAA";
      text[position] = static_cast<char>(byte);
      const bool padding = byte == '=' && position == 7;
      const bool valid = padding || alphabet.find(static_cast<char>(byte)) != std::string::npos;
      EXPECT_EQ(DecodedSize(text) >= 0, valid) << "byte " << byte << " at " << position;
    }
  }
}

TEST(DecodedSizeTest, LengthMustBeAMultipleOfFour) {
  EXPECT_EQ(DecodedSize("A"), -1);
  EXPECT_EQ(DecodedSize("AA"), -1);
  EXPECT_EQ(DecodedSize("AAA"), -1);
  EXPECT_EQ(DecodedSize("AAAAA"), -1);
  EXPECT_EQ(DecodedSize("="), -1);
  EXPECT_EQ(DecodedSize("AAA=A"), -1);
}

TEST(DecodedSizeTest, PaddingIsOneOrTwoAtTheEnd) {
  EXPECT_EQ(DecodedSize("AAA="), 2);
  EXPECT_EQ(DecodedSize("AA=="), 1);
  EXPECT_EQ(DecodedSize("A==="), -1);
  EXPECT_EQ(DecodedSize("===="), -1);
  EXPECT_EQ(DecodedSize("AA=A"), -1);
  EXPECT_EQ(DecodedSize("AA==AAAA"), -1);
  EXPECT_EQ(DecodedSize("AAA=AAA="), -1);
}

TEST(DecodedSizeTest, NothingThatBreaksOutOfJsonPasses) {
  EXPECT_EQ(DecodedSize(R"(AAA")"), -1);
  EXPECT_EQ(DecodedSize(R"(AA\n)"), -1);
  EXPECT_EQ(DecodedSize(R"(\u0041AA)"), -1);
  EXPECT_EQ(DecodedSize("AA A"), -1);
  EXPECT_EQ(DecodedSize("AAA\n"), -1);
  EXPECT_EQ(DecodedSize(absl::string_view("AA\0A", 4)), -1);
  EXPECT_EQ(DecodedSize("AA-_"), -1) << "the URL alphabet";
}

TEST(DecodedSizeTest, UnusedBitsOfTheLastGroupAreNotLookedAt) { EXPECT_EQ(DecodedSize("AB=="), 1); }

}  // namespace
}  // namespace callbridge::audio
