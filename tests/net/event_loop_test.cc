#include "src/net/event_loop.h"

#include <pthread.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/net/peers.h"

namespace callbridge::net {
namespace {

using ::callbridge::testing::Eventually;
using ::callbridge::testing::OnLoop;
using ::testing::ElementsAre;

TEST(EventLoopTest, RunsTasksInOrderOnItsNamedThread) {
  auto loop = EventLoop::Start("a-loop-of-tests-with-a-long-name");
  std::vector<int> order;
  char name[16] = "";
  bool in_loop = false;
  for (int i = 0; i < 3; ++i) loop->Post([&, i] { order.push_back(i); });
  OnLoop(*loop, [&] {
    pthread_getname_np(pthread_self(), name, sizeof(name));
    in_loop = loop->InLoop();
  });
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
  EXPECT_EQ(std::string(name), "a-loop-of-tests");
  EXPECT_TRUE(in_loop);
  EXPECT_FALSE(loop->InLoop());
}

TEST(EventLoopTest, PostNeverRunsTheTaskInside) {
  auto loop = EventLoop::Start("loop");
  std::vector<std::string> order;
  OnLoop(*loop, [&] {
    loop->Post([&] { order.push_back("posted"); });
    order.push_back("after Post");
  });
  OnLoop(*loop, [] {});
  EXPECT_THAT(order, ElementsAre("after Post", "posted"));
}

TEST(EventLoopTest, TimersFireOnceNotEarlyAndInOrder) {
  auto loop = EventLoop::Start("loop");
  std::vector<std::string> order;
  std::atomic<int> fired{0};
  bool early = false;
  std::unique_ptr<Timer> late, soon, past;
  OnLoop(*loop, [&] {
    const absl::Time due = loop->clock().Now() + absl::Milliseconds(20);
    late = loop->NewTimer([&, due] {
      early = loop->clock().Now() < due;
      order.push_back("late");
      ++fired;
    });
    soon = loop->NewTimer([&] {
      order.push_back("soon");
      ++fired;
    });
    past = loop->NewTimer([&] {
      order.push_back("past");
      ++fired;
    });
    late->Set(due);
    soon->Set(loop->clock().Now() + absl::Milliseconds(5));
    past->Set(absl::InfinitePast());
    order.push_back("after Set");
  });
  ASSERT_TRUE(Eventually([&] { return fired == 3; }));
  OnLoop(*loop, [&] {
    EXPECT_THAT(order, ElementsAre("after Set", "past", "soon", "late"));
    EXPECT_FALSE(early);
    late.reset();
    soon.reset();
    past.reset();
  });
}

TEST(EventLoopTest, ATimerThatWasCancelledAfterItExpiredStaysSilent) {
  auto loop = EventLoop::Start("loop");
  int fired = 0;
  std::unique_ptr<Timer> cancelled, destroyed, replaced;
  OnLoop(*loop, [&] {
    const absl::Time now = loop->clock().Now();
    cancelled = loop->NewTimer([&] { ++fired; });
    destroyed = loop->NewTimer([&] { ++fired; });
    replaced = loop->NewTimer([&] { ++fired; });
    cancelled->Set(now);
    destroyed->Set(now);
    replaced->Set(now);
    // All three are due by now; the loop has queued nothing yet, or has: neither may matter.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    loop->Post([&] {
      cancelled->Cancel();
      destroyed.reset();
      replaced->Set(loop->clock().Now() + absl::Hours(1));
    });
  });
  OnLoop(*loop, [] {});
  // They may have fired before the posted task ran; whatever fires from now on is wrong.
  int before = 0;
  OnLoop(*loop, [&] { before = fired; });
  for (int i = 0; i < 20; ++i) OnLoop(*loop, [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  OnLoop(*loop, [&] {
    EXPECT_EQ(fired, before);
    cancelled.reset();
    replaced.reset();
  });
}

TEST(EventLoopTest, ATimerCancelsItsNeighbourThatExpiredWithIt) {
  auto loop = EventLoop::Start("loop");
  std::atomic<int> fired{0};
  std::unique_ptr<Timer> a, b;
  OnLoop(*loop, [&] {
    a = loop->NewTimer([&] {
      ++fired;
      b->Cancel();
    });
    b = loop->NewTimer([&] {
      ++fired;
      a->Cancel();
    });
    const absl::Time now = loop->clock().Now();
    a->Set(now);
    b->Set(now);
    // Both expire in the same turn, so that both waits have completed when the first of them runs.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
  ASSERT_TRUE(Eventually([&] { return fired > 0; }));
  OnLoop(*loop, [&] {
    a.reset();
    b.reset();
  });
  EXPECT_EQ(fired, 1);
}

TEST(EventLoopTest, ATimerMayDestroyItselfInItsTask) {
  auto loop = EventLoop::Start("loop");
  std::atomic<bool> done{false};
  std::unique_ptr<Timer> timer;
  OnLoop(*loop, [&] {
    timer = loop->NewTimer([&, kept = std::string("longer than any small string, to be read afterwards")] {
      timer.reset();
      done = kept.size() > 10;
    });
    timer->Set(loop->clock().Now());
  });
  EXPECT_TRUE(Eventually([&] { return done.load(); }));
}

TEST(EventLoopTest, StopDropsWhatHasNotRunAndWhatComesLater) {
  auto loop = EventLoop::Start("loop");
  std::atomic<bool> entered{false}, go_on{false};
  std::atomic<int> ran{0};
  auto dropped = std::make_shared<int>();
  loop->Post([&] {
    entered = true;
    while (!go_on) std::this_thread::yield();
  });
  ASSERT_TRUE(Eventually([&] { return entered.load(); }));
  for (int i = 0; i < 100; ++i) loop->Post([&, dropped] { ++ran; });
  std::thread stopper([&] { loop->Stop(); });
  // Stop() has begun once a task that was posted after it is dropped: then the use count stands still.
  ASSERT_TRUE(Eventually([&] {
    const long before = dropped.use_count();
    loop->Post([dropped] {});
    return dropped.use_count() == before;
  }));
  go_on = true;
  stopper.join();
  loop->Stop();
  loop->Post([&] { ++ran; });
  EXPECT_EQ(ran, 0);
  loop.reset();
  EXPECT_EQ(dropped.use_count(), 1);
}

}  // namespace
}  // namespace callbridge::net
