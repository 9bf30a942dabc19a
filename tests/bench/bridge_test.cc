#include "src/bench/bridge.h"

#include "gtest/gtest.h"

namespace callbridge::bench {
namespace {

TEST(StreamUrlTest, TextOfTheStreamElement) {
  EXPECT_EQ(
      StreamUrl("<?xml version=\"1.0\"?><Response><Stream bidirectional=\"true\">ws://h/media?a=1&amp;token=2</Stream>"
                "<Redirect>http://h/x</Redirect></Response>"),
      "ws://h/media?a=1&token=2");
  EXPECT_EQ(StreamUrl("<Response><Hangup/></Response>"), "");
  EXPECT_EQ(StreamUrl("<Response><Stream"), "");
}

}  // namespace
}  // namespace callbridge::bench
