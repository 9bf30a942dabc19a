#include "src/bench/statistics.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace callbridge::bench {
namespace {

TEST(PercentileTest, NearestRankOfUnsortedValues) {
  std::vector<double> hundred;
  for (int i = 100; i >= 1; --i) hundred.push_back(i);
  EXPECT_EQ(Percentile(hundred, 50), 50);
  EXPECT_EQ(Percentile(hundred, 99), 99);
  EXPECT_EQ(Percentile(hundred, 100), 100);
  EXPECT_EQ(Percentile(hundred, 0), 1);
}

TEST(PercentileTest, FewValues) {
  std::vector<double> none, one = {7}, two = {9, 3};
  EXPECT_EQ(Percentile(none, 99), 0);
  EXPECT_EQ(Percentile(one, 1), 7);
  EXPECT_EQ(Percentile(one, 99), 7);
  EXPECT_EQ(Percentile(two, 50), 3);
  EXPECT_EQ(Percentile(two, 51), 9);
}

TEST(MedianTest, OddEvenAndNone) {
  EXPECT_EQ(Median({5, 1, 3}), 3);
  EXPECT_EQ(Median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(Median({}), 0);
}

// 100 values: 97 of at most 1 ms, one up to 2 ms, two beyond.
TEST(HistogramBoundTest, LeastBucketThatHoldsEnough) {
  const char text[] =
      "# TYPE x_seconds histogram\n"
      "x_seconds_count 100\n"
      "x_seconds_bucket{le=\"0.001\"} 97\n"
      "x_seconds_bucket{le=\"0.002\"} 98\n"
      "x_seconds_bucket{le=\"+Inf\"} 100\n"
      "y_seconds_bucket{le=\"+Inf\"} 0\n";
  EXPECT_EQ(HistogramBound(text, "x_seconds", 50), 0.001);
  EXPECT_EQ(HistogramBound(text, "x_seconds", 97), 0.001);
  EXPECT_EQ(HistogramBound(text, "x_seconds", 98), 0.002);
  EXPECT_TRUE(std::isinf(HistogramBound(text, "x_seconds", 99)));
  EXPECT_EQ(HistogramBound(text, "y_seconds", 50), 0);
  EXPECT_EQ(HistogramBound(text, "z_seconds", 50), 0);
}

}  // namespace
}  // namespace callbridge::bench
