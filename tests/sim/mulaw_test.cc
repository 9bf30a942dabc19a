#include "src/sim/mulaw.h"

#include <cstdlib>

#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

// Decision values of G.711, table 2a: both ends of each segment, both signs. 16-bit values are the standard's 14-bit
// ones times four.
TEST(MulawTest, EncodesTheStandardsPoints) {
  struct Row {
    const char* name;
    int linear;
    int code;
  } rows[] = {
      {"zero", 0, 0xff},           {"below first step", 3, 0xff},
      {"first step", 4, 0xfe},     {"end of segment 1", 123, 0xf0},
      {"segment 2", 124, 0xef},    {"end of segment 2", 379, 0xe0},
      {"segment 3", 380, 0xdf},    {"segment 4", 892, 0xcf},
      {"segment 5", 1916, 0xbf},   {"segment 6", 3964, 0xaf},
      {"segment 7", 8060, 0x9f},   {"segment 8", 16252, 0x8f},
      {"loudest", 32635, 0x80},    {"clipped", 32767, 0x80},
      {"minus one", -1, 0x7f},     {"minus first step", -4, 0x7e},
      {"minus 1916", -1916, 0x3f}, {"minus clipped", -32768, 0x00},
  };
  for (const Row& row : rows) EXPECT_EQ(MulawFromLinear(static_cast<int16_t>(row.linear)), row.code) << row.name;
}

TEST(MulawTest, DecodesTheStandardsPoints) {
  EXPECT_EQ(LinearFromMulaw(0xff), 0);
  EXPECT_EQ(LinearFromMulaw(0x7f), 0);
  EXPECT_EQ(LinearFromMulaw(0xfe), 8);
  EXPECT_EQ(LinearFromMulaw(0x80), 32124);
  EXPECT_EQ(LinearFromMulaw(0x00), -32124);
  EXPECT_EQ(LinearFromMulaw(0xef), 132);
}

TEST(MulawTest, EveryCodeSurvivesARoundTrip) {
  for (int code = 0; code < 256; ++code) {
    const uint8_t again = MulawFromLinear(LinearFromMulaw(static_cast<uint8_t>(code)));
    EXPECT_EQ(again, code == 0x7f ? 0xff : code);  // Minus zero is zero.
  }
}

TEST(MulawTest, LoudnessIsTheMagnitude) {
  EXPECT_EQ(MulawLoudness()[0xff], 0);
  EXPECT_EQ(MulawLoudness()[0x80], 32124 >> 5);
  EXPECT_EQ(MulawLoudness()[0x00], 32124 >> 5);
}

}  // namespace
}  // namespace callbridge::sim
