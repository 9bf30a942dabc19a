#include "src/session/dial_limits.h"

#include <gtest/gtest.h>

#include "src/base/error.h"

namespace callbridge::session {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

absl::Time At(double seconds) { return kNow + absl::Seconds(seconds); }

TEST(DialMeterTest, AsManyAsMayBeInAnyMinute) {
  DialMeter meter(2);
  EXPECT_EQ(meter.Wait(At(0)), absl::ZeroDuration());
  meter.Count(At(0));
  EXPECT_EQ(meter.Wait(At(10)), absl::ZeroDuration());
  meter.Count(At(10));
  EXPECT_EQ(meter.Wait(At(15)), absl::Seconds(45));
  EXPECT_EQ(meter.Wait(At(59.5)), absl::Milliseconds(500));
  EXPECT_EQ(meter.Wait(At(60)), absl::ZeroDuration());
  meter.Count(At(60));
  EXPECT_EQ(meter.Wait(At(60)), absl::Seconds(10)) << "a window that slides, not one that begins anew";
}

TEST(DialMeterTest, WhatDidNotHappenDoesNotCount) {
  DialMeter meter(2);
  meter.Count(At(0));
  meter.Count(At(50));
  meter.TakeBack(At(0));
  EXPECT_EQ(meter.Wait(At(51)), absl::ZeroDuration());
  meter.Count(At(51));
  EXPECT_EQ(meter.Wait(At(60)), absl::Seconds(50)) << "the one at 50 still counts";
  meter.TakeBack(At(7));
  EXPECT_EQ(meter.Wait(At(60)), absl::Seconds(50)) << "nothing was counted then";
}

TEST(DialMeterTest, NoLimit) {
  DialMeter meter(0);
  for (int i = 0; i < 1000; ++i) meter.Count(At(0));
  EXPECT_EQ(meter.Wait(At(0)), absl::ZeroDuration());
}

TEST(DialMeterTest, AClockThatIsSetBackKeepsNobodyForLongerThanAMinute) {
  DialMeter meter(1);
  meter.Count(At(3600));
  EXPECT_EQ(meter.Wait(At(0)), absl::Minutes(1));
}

TEST(DialRateTest, SaysHowLong) {
  EXPECT_TRUE(CheckDialRate(absl::ZeroDuration(), "calls_per_minute", 5).ok());
  const absl::Status status = CheckDialRate(absl::Seconds(7), "calls_per_minute", 5);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(base::GetErrorInfo(status).reason, "DIAL_RATE_LIMIT");
  EXPECT_EQ(base::GetErrorInfo(status).metadata.at("limit"), "calls_per_minute");
  EXPECT_EQ(base::GetRetryDelay(status), absl::Seconds(7));
}

TEST(NumberLimitTest, CountsOutboundCallsOfTheLastDay) {
  const store::CallFilter filter = DialsOfTheDay("+14155550123", kNow);
  EXPECT_EQ(filter.direction, call::Direction::kOutbound);
  EXPECT_EQ(filter.number, "+14155550123");
  EXPECT_GT(filter.created_after, kNow - absl::Hours(24)) << "the wait that is told is over then";
  EXPECT_LT(filter.created_after, kNow - absl::Hours(24) + absl::Milliseconds(1));
}

TEST(NumberLimitTest, SaysWhenTheOldestIsADayAgo) {
  DialLimits limits;
  std::vector<store::CallRecord> dials(3);
  const std::string number = "+14155550123";
  for (int i = 0; i < 3; ++i) dials[i].create_time = kNow - absl::Hours(i + 1), dials[i].to = number;  // Newest first.
  EXPECT_TRUE(CheckNumberLimit(limits, "to", number, dials, kNow).ok()) << "no limit";
  limits.calls_per_number_per_day = 4;
  EXPECT_TRUE(CheckNumberLimit(limits, "to", number, dials, kNow).ok());
  limits.calls_per_number_per_day = 2;
  const absl::Status status = CheckNumberLimit(limits, "to", number, dials, kNow);
  EXPECT_EQ(base::GetErrorInfo(status).reason, "NUMBER_LIMIT");
  EXPECT_EQ(base::GetErrorInfo(status).field, "to");
  EXPECT_EQ(base::GetRetryDelay(status), absl::Hours(22)) << "when the second newest is a day old, one may follow";
  for (store::CallRecord& call : dials) call.from = number, call.to = "+14155550199";
  EXPECT_TRUE(CheckNumberLimit(limits, "to", number, dials, kNow).ok()) << "calls from it";
}

}  // namespace
}  // namespace callbridge::session
