#include "src/base/clock.h"

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace callbridge::base {
namespace {

TEST(SystemClockTest, IsTheWallClockAndNeverGoesBack) {
  absl::Time last = SystemClock().Now();
  EXPECT_LT(absl::AbsDuration(absl::Now() - last), absl::Minutes(1));
  for (int i = 0; i < 1000; ++i) {
    const absl::Time now = SystemClock().Now();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GT(last, absl::UnixEpoch());
}

TEST(SystemClockTest, Moves) {
  const absl::Time start = SystemClock().Now();
  absl::SleepFor(absl::Milliseconds(2));
  EXPECT_GE(SystemClock().Now() - start, absl::Milliseconds(2));
}

TEST(ManualClockTest, MovesOnlyByHand) {
  ManualClock clock(absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100));
  clock.Advance(absl::Milliseconds(1500));
  EXPECT_EQ(clock.Now(), absl::FromUnixMillis(101'500));
}

}  // namespace
}  // namespace callbridge::base
