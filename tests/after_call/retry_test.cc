#include "src/after_call/retry.h"

#include <gtest/gtest.h>

namespace callbridge::after_call {
namespace {

TEST(BackOffTest, DoublesUpToALimit) {
  const struct {
    int attempts;
    absl::Duration pause;
  } rows[] = {{1, absl::Seconds(30)}, {2, absl::Minutes(1)}, {3, absl::Minutes(2)},           {7, absl::Minutes(32)},
              {8, absl::Hours(1)},    {50, absl::Hours(1)},  {2'000'000'000, absl::Hours(1)}, {0, absl::Seconds(30)}};
  for (const auto& row : rows) {
    EXPECT_EQ(BackOff(row.attempts, absl::Seconds(30), absl::Hours(1), 0.5), row.pause) << row.attempts;
  }
  EXPECT_EQ(BackOff(1, absl::Seconds(30), absl::Hours(1), 0), absl::Seconds(24));
  EXPECT_EQ(BackOff(1, absl::Seconds(30), absl::Hours(1), 1), absl::Seconds(36));
}

TEST(RetryAfterTest, SecondsAndDates) {
  const absl::Time now = absl::FromUnixSeconds(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT
  const struct {
    const char* name;
    const char* header;
    absl::Duration pause;
  } rows[] = {
      {"seconds", "120", absl::Minutes(2)},
      {"none", "0", absl::ZeroDuration()},
      {"date", "Sun, 06 Nov 1994 08:50:37 GMT", absl::Minutes(1)},
      {"past", "Sun, 06 Nov 1994 08:40:37 GMT", absl::ZeroDuration()},
      {"negative", "-5", absl::ZeroDuration()},
      {"absent", "", absl::ZeroDuration()},
      {"words", "soon", absl::ZeroDuration()},
      {"for ever", "999999999999", absl::Hours(24)},
      {"too large a number", "99999999999999999999999", absl::ZeroDuration()},
      {"far date", "Sun, 06 Nov 2094 08:50:37 GMT", absl::Hours(24)},
  };
  for (const auto& row : rows) EXPECT_EQ(RetryAfter(row.header, now), row.pause) << row.name;
}

}  // namespace
}  // namespace callbridge::after_call
