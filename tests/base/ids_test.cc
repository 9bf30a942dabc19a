#include "src/base/ids.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace callbridge::base {
namespace {

TEST(IdsTest, UuidsAreCanonicalVersionFourAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = NewUuid();
    ASSERT_TRUE(IsCanonicalUuid(id)) << id;
    EXPECT_EQ(id[14], '4') << id;
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(IdsTest, TokensAreHexAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string token = NewToken();
    ASSERT_EQ(token.size(), 32u);
    EXPECT_EQ(token.find_first_not_of("0123456789abcdef"), std::string::npos) << token;
    seen.insert(token);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(IdsTest, CanonicalUuid) {
  struct Row {
    const char* name;
    const char* text;
    bool canonical;
  };
  const Row rows[] = {
      {"canonical", "01234567-89ab-4def-8123-456789abcdef", true},
      {"any version", "00000000-0000-0000-0000-000000000000", true},
      {"upper case", "01234567-89AB-4def-8123-456789abcdef", false},
      {"no dashes", "0123456789ab4def8123456789abcdef", false},
      {"36 without dashes", "0123456789ab4def8123456789abcdef0123", false},
      {"dash elsewhere", "0123456-789ab-4def-8123-456789abcdef", false},
      {"dash too many", "01234567-89ab-4def-8123-4567-9abcdef", false},
      {"short", "01234567-89ab-4def-8123-456789abcde", false},
      {"long", "01234567-89ab-4def-8123-456789abcdef0", false},
      {"no hex", "01234567-89ab-4def-8123-456789abcdeg", false},
      {"between digits and letters", "01234567-89ab-4def-8123-456789abcde:", false},
      {"empty", "", false},
  };
  for (const Row& row : rows) EXPECT_EQ(IsCanonicalUuid(row.text), row.canonical) << row.name;
}

}  // namespace
}  // namespace callbridge::base
