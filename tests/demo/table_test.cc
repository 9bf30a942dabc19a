#include "src/demo/table.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::demo {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(TableTest, FindsARowByAColumn) {
  const Table table{{"id", "name"}, {{"1", "a"}, {"2", "b"}}};
  EXPECT_THAT(table.Find("id", "2"), UnorderedElementsAre(Pair("id", "2"), Pair("name", "b")));
  EXPECT_THAT(table.Find("id", "3"), IsEmpty());
  EXPECT_THAT(table.Find("key", "2"), IsEmpty());
}

TEST(FormatRecordsTest, PutsRecordsSideBySide) {
  EXPECT_EQ(FormatRecords({{"id", "name"}, {{"1", "a"}, {"2", "b"}}}, 20),
            "  id   │ 1                │ 2\n"
            "  name │ a                │ b\n");
}

TEST(FormatRecordsTest, BreaksLongValuesAtSpacesAndLineEnds) {
  EXPECT_EQ(FormatRecords({{"t"}, {{"one two three four five\nsix"}, {"0123456789abcdefX"}}}, 0),
            "  t │ one two three    │ 0123456789abcdef\n"
            "    │ four five        │ X\n"
            "    │ six              │\n");
}

TEST(FormatRecordsTest, AWordThatJustFitsStays) {
  EXPECT_EQ(FormatRecords({{"t"}, {{"one two three 45 six"}}}, 0),
            "  t │ one two three 45\n"
            "    │ six\n");
}

TEST(FormatRecordsTest, CountsCharactersNotBytes) {
  EXPECT_EQ(FormatRecords({{"t"}, {{"ééé"}, {"éééééééééééééééé"}}}, 0), "  t │ ééé              │ éééééééééééééééé\n");
}

TEST(FormatRecordsTest, SaysThatThereAreNone) { EXPECT_EQ(FormatRecords({{"id"}, {}}, 80), "  (no rows)\n"); }

}  // namespace
}  // namespace callbridge::demo
