#include "src/nodes/turn_thread.h"

#include <atomic>
#include <functional>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace callbridge::nodes {
namespace {

bool Until(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

TEST(TurnThreadTest, PausesAsLongAsTheTurnSays) {
  std::atomic<int> turns{0};
  TurnThread thread("test", [&] { return ++turns < 5 ? absl::Milliseconds(1) : absl::InfiniteDuration(); });
  EXPECT_TRUE(Until([&] { return turns == 5; }));
  absl::SleepFor(absl::Milliseconds(20));
  EXPECT_EQ(turns, 5);
}

TEST(TurnThreadTest, AWakeEndsThePause) {
  std::atomic<int> turns{0};
  TurnThread thread("test", [&] {
    ++turns;
    return absl::Hours(1);
  });
  for (int i = 1; i < 20; ++i) {
    ASSERT_TRUE(Until([&] { return turns >= i; }));
    thread.Wake();
  }
  EXPECT_TRUE(Until([&] { return turns == 20; }));
}

TEST(TurnThreadTest, AWakeDuringATurnMakesAnother) {
  std::atomic<int> turns{0};
  std::atomic<bool> go{false};
  TurnThread thread("test", [&] {
    ++turns;
    while (!go) absl::SleepFor(absl::Milliseconds(1));
    return absl::Hours(1);
  });
  ASSERT_TRUE(Until([&] { return turns == 1; }));
  thread.Wake();
  go = true;
  EXPECT_TRUE(Until([&] { return turns == 2; }));
}

TEST(TurnThreadTest, NothingRunsAfterStop) {
  std::atomic<int> turns{0};
  TurnThread thread("test", [&] {
    ++turns;
    return absl::Milliseconds(1);
  });
  ASSERT_TRUE(Until([&] { return turns > 2; }));
  thread.Stop();
  const int stopped = turns;
  thread.Wake();
  thread.Stop();
  absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(turns, stopped);
}

}  // namespace
}  // namespace callbridge::nodes
