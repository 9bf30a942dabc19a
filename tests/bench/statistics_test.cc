#include "src/bench/statistics.h"

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

}  // namespace
}  // namespace callbridge::bench
