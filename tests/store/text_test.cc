#include "src/store/text.h"

#include <string>

#include "gtest/gtest.h"

namespace callbridge::store {
namespace {

#define UFFFD "\xEF\xBF\xBD"

TEST(CleanText, KeepsTextAndReplacesTheRest) {
  struct Row {
    const char* name;
    std::string text;
    std::string clean;
  };
  const Row rows[] = {{"empty", "", ""},
                      {"ascii with controls", "a\t\n\x7F", "a\t\n\x7F"},
                      {"two to four bytes", "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
                       "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
                      {"NUL", std::string("\0x\0", 3), UFFFD "x" UFFFD},
                      {"lone continuation", "\x80", UFFFD},
                      {"overlong two", "\xC1\xBF", UFFFD UFFFD},
                      {"overlong three", "\xE0\x9F\xBF", UFFFD UFFFD UFFFD},
                      {"overlong four", "\xF0\x8F\xBF\xBF", UFFFD UFFFD UFFFD UFFFD},
                      {"surrogate", "\xED\xA0\x80", UFFFD UFFFD UFFFD},
                      {"beyond", "\xF4\x90\x80\x80", UFFFD UFFFD UFFFD UFFFD},
                      {"no such byte", "\xF5\xFF", UFFFD UFFFD},
                      {"cut at the end", "a\xE2\x82", "a" UFFFD UFFFD},
                      {"cut by ascii", "\xF0\x9F\x98x", UFFFD UFFFD UFFFD "x"}};
  for (const Row& row : rows) EXPECT_EQ(CleanText(row.text), row.clean) << row.name;
}

TEST(Timestamp, GoesRoundToTheMicrosecond) {
  const absl::Time time = absl::FromUnixMicros(1'700'000'000'000'001);
  EXPECT_EQ(FormatTimestamp(time + absl::Nanoseconds(999)), "2023-11-14T22:13:20.000001Z");
  EXPECT_EQ(*ParseTimestamp(FormatTimestamp(time)), time);
}

TEST(Timestamp, TextOrderIsTimeOrder) {
  const absl::Time times[] = {absl::InfinitePast(),     absl::FromUnixSeconds(-62'135'596'800),
                              absl::FromUnixMicros(-1), absl::UnixEpoch(),
                              absl::FromUnixMicros(1),  absl::FromUnixSeconds(253'402'300'799)};
  for (size_t i = 1; i < std::size(times); ++i) {
    EXPECT_LE(FormatTimestamp(times[i - 1]), FormatTimestamp(times[i])) << i;
    EXPECT_EQ(FormatTimestamp(times[i]).size(), 27) << i;
  }
  EXPECT_EQ(FormatTimestamp(absl::InfinitePast()), "0001-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatTimestamp(absl::InfiniteFuture()), "9999-12-31T23:59:59.999999Z");
}

TEST(Timestamp, SaysWhatItKeeps) {
  EXPECT_TRUE(IsStorableTime(absl::UnixEpoch()));
  EXPECT_FALSE(IsStorableTime(absl::InfinitePast()));
  EXPECT_FALSE(IsStorableTime(absl::InfiniteFuture()));
  EXPECT_FALSE(IsStorableTime(absl::FromUnixSeconds(253'402'300'800)));
}

TEST(Timestamp, RefusesOtherText) {
  for (const char* text : {"", "2023", "2023-11-14T22:13:20Z", "2023-13-14T22:13:20.000001Z",
                           "2023-11-14 22:13:20.000001Z", "infinite-past"}) {
    EXPECT_FALSE(ParseTimestamp(text).ok()) << text;
  }
}

}  // namespace
}  // namespace callbridge::store
