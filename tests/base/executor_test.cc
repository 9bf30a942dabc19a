#include "src/base/executor.h"

#include <pthread.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace callbridge::base {
namespace {

constexpr auto kDeadline = std::chrono::seconds(20);

TEST(ThreadExecutorTest, RunsInTheOrderPosted) {
  std::vector<int> ran;  // Unprotected on purpose: only the executor's thread writes, and joining makes it visible.
  {
    ThreadExecutor executor("order");
    for (int i = 0; i < 1000; ++i) executor.Post([&ran, i] { ran.push_back(i); });
  }
  ASSERT_EQ(ran.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ran[i], i);
}

TEST(ThreadExecutorTest, KeepsTheOrderOfEachOfSeveralPosters) {
  std::vector<std::pair<int, int>> ran;
  {
    ThreadExecutor executor("posters");
    std::vector<std::thread> posters;
    for (int poster = 0; poster < 4; ++poster) {
      posters.emplace_back([&executor, &ran, poster] {
        for (int i = 0; i < 500; ++i) executor.Post([&ran, poster, i] { ran.emplace_back(poster, i); });
      });
    }
    for (std::thread& poster : posters) poster.join();
  }
  ASSERT_EQ(ran.size(), 2000u);
  std::vector<int> next(4, 0);
  for (const auto& [poster, i] : ran) EXPECT_EQ(i, next[poster]++);
}

TEST(ThreadExecutorTest, NeverRunsInsidePost) {
  std::promise<void> done;
  std::vector<std::string> order;
  ThreadExecutor executor("inside");
  executor.Post([&] {
    executor.Post([&] {
      order.push_back("posted");
      done.set_value();
    });
    order.push_back("poster");
  });
  ASSERT_EQ(done.get_future().wait_for(kDeadline), std::future_status::ready);
  EXPECT_EQ(order, (std::vector<std::string>{"poster", "posted"}));
}

TEST(ThreadExecutorTest, CountsWhatWaits) {
  std::promise<void> begun, release;
  ThreadExecutor executor("count");
  executor.Post([&] {
    begun.set_value();
    release.get_future().wait();
  });
  ASSERT_EQ(begun.get_future().wait_for(kDeadline), std::future_status::ready);
  EXPECT_EQ(executor.queued(), 0u);  // The one that runs does not wait.
  executor.Post([] {});
  executor.Post([] {});
  EXPECT_EQ(executor.queued(), 2u);
  release.set_value();
}

// What a stopping executor's own tasks post is dropped, and what such a task holds is freed.
TEST(ThreadExecutorTest, DropsWhatIsPostedWhileItStops) {
  auto held = std::make_shared<int>(1);
  bool ran = false;
  {
    std::promise<void> begun;
    ThreadExecutor executor("stop");
    executor.Post([&, held] {
      begun.set_value();
      // Until the destructor has begun, every task posted is kept; one of these is the first that is not.
      const auto deadline = std::chrono::steady_clock::now() + kDeadline;
      while (std::chrono::steady_clock::now() < deadline) {
        const size_t before = executor.queued();
        executor.Post([] {});
        if (executor.queued() == before) break;
        std::this_thread::yield();
      }
      executor.Post([&ran, held] { ran = true; });
    });
    ASSERT_EQ(begun.get_future().wait_for(kDeadline), std::future_status::ready);
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ThreadExecutorTest, NamesItsThread) {
  std::promise<std::string> name;
  ThreadExecutor executor("a name far too long for a thread");
  // The name is set beside the start of the thread, so it is awaited.
  executor.Post([&name] {
    char text[16] = "";
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (std::string(text) != "a name far too " && std::chrono::steady_clock::now() < deadline) {
      pthread_getname_np(pthread_self(), text, sizeof(text));
      std::this_thread::yield();
    }
    name.set_value(text);
  });
  EXPECT_EQ(name.get_future().get(), "a name far too ");
}

TEST(ManualExecutorTest, RunsOnDemandWithWhatIsPostedMeanwhile) {
  ManualExecutor executor;
  std::vector<int> ran;
  executor.Post([&] {
    ran.push_back(1);
    executor.Post([&] { ran.push_back(3); });
  });
  executor.Post([&] { ran.push_back(2); });
  EXPECT_TRUE(ran.empty());
  EXPECT_EQ(executor.RunAll(), 3);
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(executor.RunAll(), 0);
}

}  // namespace
}  // namespace callbridge::base
