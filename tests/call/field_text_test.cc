#include "src/call/field_text.h"

#include <limits>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace callbridge::call {
namespace {

TEST(FieldTextTest, FieldsAreTakenOneByOne) {
  std::string line;
  AppendText("a", "two words, \"quoted\"\n", &line);
  line += " b=7 c=";
  absl::string_view rest = line;
  std::string name;
  std::string value;
  ASSERT_TRUE(TakeField(&rest, &name, &value).ok());
  EXPECT_EQ(name, "a");
  EXPECT_EQ(value, "two words, \"quoted\"\n");
  rest.remove_prefix(1);
  ASSERT_TRUE(TakeField(&rest, &name, &value).ok());
  EXPECT_EQ(name + "=" + value, "b=7");
  rest.remove_prefix(1);
  ASSERT_TRUE(TakeField(&rest, &name, &value).ok());
  EXPECT_EQ(name + "=" + value, "c=");
  EXPECT_EQ(rest, "");
  EXPECT_FALSE(TakeField(&rest, &name, &value).ok());
}

TEST(FieldTextTest, DecimalsAreExactAndShort) {
  const std::pair<int64_t, std::string> rows[] = {
      {0, "0"},
      {1, "0.001"},
      {1000, "1"},
      {20013204, "20013.204"},
      {20013200, "20013.2"},
      {100, "0.1"},
      {std::numeric_limits<int64_t>::max(), "9223372036854775.807"},
  };
  for (const auto& [value, text] : rows) {
    EXPECT_EQ(FormatDecimal(value, 3), text);
    int64_t back = -1;
    EXPECT_TRUE(ParseDecimal(text, 3, &back)) << text;
    EXPECT_EQ(back, value) << text;
  }
}

TEST(FieldTextTest, OtherThingsAreNoDecimals) {
  int64_t value = 0;
  for (const char* text : {"", ".", ".5", "5.", "-1", "+1", "1.2.3", "1.2345", "1e3", " 1", "9223372036854775.808"}) {
    EXPECT_FALSE(ParseDecimal(text, 3, &value)) << text;
  }
}

}  // namespace
}  // namespace callbridge::call
