#include "src/plivo/utf8.h"

#include "gtest/gtest.h"

namespace callbridge::plivo {
namespace {

TEST(Utf8Test, SequenceLength) {
  const struct {
    const char* name;
    absl::string_view text;
    size_t length;
  } rows[] = {
      {"empty", "", 0},
      {"ascii", "ab", 1},
      {"nul", absl::string_view("\0", 1), 1},
      {"two_bytes_first", "\xC2\x80", 2},
      {"two_bytes_last", "\xDF\xBFz", 2},
      {"three_bytes_first", "\xE0\xA0\x80", 3},
      {"three_bytes_last", "\xEF\xBF\xBF", 3},
      {"before_surrogates", "\xED\x9F\xBF", 3},
      {"after_surrogates", "\xEE\x80\x80", 3},
      {"four_bytes_first", "\xF0\x90\x80\x80", 4},
      {"four_bytes_last", "\xF4\x8F\xBF\xBF", 4},
      {"lone_continuation", "\x80", 0},
      {"overlong_slash", "\xC0\xAF", 0},
      {"overlong_c1", "\xC1\xBF", 0},
      {"overlong_three", "\xE0\x9F\xBF", 0},
      {"overlong_four", "\xF0\x8F\xBF\xBF", 0},
      {"surrogate", "\xED\xA0\x80", 0},
      {"above_the_last", "\xF4\x90\x80\x80", 0},
      {"f5", "\xF5\x80\x80\x80", 0},
      {"ff", "\xFF", 0},
      {"two_cut", "\xC3", 0},
      {"three_cut", "\xE2\x82", 0},
      {"four_cut", "\xF0\x9F\x98", 0},
      {"two_broken", "\xC3(", 0},
      {"three_broken", "\xE2(\xA1", 0},
      {"three_broken_late", "\xE2\x82(", 0},
      {"four_broken_late", "\xF0\x9F\x98(", 0},
  };
  for (const auto& row : rows) EXPECT_EQ(Utf8SequenceLength(row.text), row.length) << row.name;
}

}  // namespace
}  // namespace callbridge::plivo
