#include "src/net/manual_loop.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ManualLoopTest : public ::testing::Test {
 protected:
  base::Task Note(std::string what) {
    return [this, what = std::move(what)] { notes_.push_back(what); };
  }
  ManualLoop loop_;
  const absl::Time start_ = loop_.now();
  std::vector<std::string> notes_;
};

TEST_F(ManualLoopTest, RunsPostedTasksInOrderAndNeverInsidePost) {
  loop_.Post(Note("a"));
  loop_.Post([this] {
    loop_.Post(Note("c"));
    notes_.push_back("b");
  });
  EXPECT_THAT(notes_, IsEmpty());
  EXPECT_EQ(loop_.Run(), 3);
  EXPECT_THAT(notes_, ElementsAre("a", "b", "c"));
}

TEST_F(ManualLoopTest, TimersFireAtTheirTimeInOrderOfTimeThenOfSetting) {
  auto late = loop_.NewTimer([this] { notes_.push_back("late " + absl::FormatDuration(loop_.now() - start_)); });
  auto second = loop_.NewTimer(Note("second"));
  auto first = loop_.NewTimer(Note("first"));
  late->Set(start_ + absl::Seconds(2));
  first->Set(start_ + absl::Seconds(1));
  second->Set(start_ + absl::Seconds(1));
  EXPECT_EQ(loop_.NextTimer(), start_ + absl::Seconds(1));
  loop_.Advance(absl::Milliseconds(999));
  EXPECT_THAT(notes_, IsEmpty());
  loop_.Advance(absl::Seconds(5));
  EXPECT_THAT(notes_, ElementsAre("first", "second", "late 2s"));
  EXPECT_EQ(loop_.now() - start_, absl::Milliseconds(5999));
  EXPECT_EQ(loop_.NextTimer(), absl::nullopt);
}

TEST_F(ManualLoopTest, ATimerThatSetsItselfFiresAtEachStep) {
  std::unique_ptr<Timer> tick;
  tick = loop_.NewTimer([&] {
    notes_.push_back(absl::FormatDuration(loop_.now() - start_));
    tick->Set(loop_.now() + absl::Milliseconds(20));
  });
  tick->Set(start_ + absl::Milliseconds(20));
  loop_.Advance(absl::Milliseconds(65));
  EXPECT_THAT(notes_, ElementsAre("20ms", "40ms", "60ms"));
}

TEST_F(ManualLoopTest, APastTimeFiresNextTurnAndDoesNotTurnTimeBack) {
  auto timer = loop_.NewTimer(Note("fired"));
  timer->Set(start_ - absl::Hours(1));
  EXPECT_THAT(notes_, IsEmpty());
  loop_.Run();
  EXPECT_THAT(notes_, ElementsAre("fired"));
  EXPECT_EQ(loop_.now(), start_);
}

TEST_F(ManualLoopTest, WhatATimerPostsRunsBeforeTheNextTimer) {
  auto one = loop_.NewTimer([this] { loop_.Post(Note("posted")); });
  auto two = loop_.NewTimer(Note("two"));
  one->Set(start_ + absl::Seconds(1));
  two->Set(start_ + absl::Seconds(1));
  loop_.Advance(absl::Seconds(1));
  EXPECT_THAT(notes_, ElementsAre("posted", "two"));
}

TEST_F(ManualLoopTest, CancelledReplacedAndDestroyedTimersDoNotFire) {
  auto cancelled = loop_.NewTimer(Note("cancelled"));
  auto destroyed = loop_.NewTimer(Note("destroyed"));
  auto replaced = loop_.NewTimer(Note("replaced"));
  cancelled->Set(start_ + absl::Seconds(1));
  destroyed->Set(start_ + absl::Seconds(1));
  replaced->Set(start_ + absl::Seconds(1));
  replaced->Set(start_ + absl::Seconds(3));
  cancelled->Cancel();
  destroyed.reset();
  loop_.Advance(absl::Seconds(2));
  EXPECT_THAT(notes_, IsEmpty());
  loop_.Advance(absl::Seconds(1));
  EXPECT_THAT(notes_, ElementsAre("replaced"));
}

TEST_F(ManualLoopTest, ATimerMayDestroyItself) {
  std::unique_ptr<Timer> timer;
  timer = loop_.NewTimer([&, text = std::string("still readable afterwards, and longer than a small string")] {
    timer.reset();
    notes_.push_back(text);
  });
  timer->Set(start_);
  loop_.Run();
  EXPECT_EQ(notes_.size(), 1);
}

TEST(ManualLoopLifeTest, ATimerMayOutliveItsLoop) {
  std::unique_ptr<Timer> timer;
  {
    ManualLoop loop;
    timer = loop.NewTimer([] { FAIL(); });
    timer->Set(loop.now());
    loop.Post([] { FAIL(); });
  }
  timer->Set(absl::FromUnixSeconds(1));
  timer->Cancel();
}

}  // namespace
}  // namespace callbridge::net
