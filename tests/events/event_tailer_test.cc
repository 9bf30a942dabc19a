#include "src/events/event_tailer.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/base/log.h"
#include "src/events/event_pump.h"

namespace callbridge::events {
namespace {

// A log that others append to, and that can fail or show less than it has.
class FakeLog {
 public:
  int64_t Append(const std::string& call_id, int64_t sequence) {
    base::MutexLock lock(mutex_);
    const int64_t position = events_.empty() ? 1 : events_.back().position + 1 + sequence % 2;  // Not dense.
    events_.push_back({position, {call_id, sequence, absl::UnixEpoch(), call::DtmfReceived{"1"}}});
    return position;
  }
  absl::StatusOr<std::vector<StoredEvent>> Read(int64_t after, int limit) {
    base::MutexLock lock(mutex_);
    ++reads_;
    if (!error_.ok()) return error_;
    std::vector<StoredEvent> found;
    for (const StoredEvent& event : events_) {
      if (event.position > after && event.position <= fence_ && found.size() < static_cast<size_t>(limit))
        found.push_back(event);
    }
    return found;
  }
  void Fail(absl::Status error) {
    base::MutexLock lock(mutex_);
    error_ = std::move(error);
  }
  void Fence(int64_t highest) {
    base::MutexLock lock(mutex_);
    fence_ = highest;
  }
  int reads() const {
    base::MutexLock lock(mutex_);
    return reads_;
  }
  size_t size() const {
    base::MutexLock lock(mutex_);
    return events_.size();
  }

 private:
  mutable base::Mutex mutex_;
  std::vector<StoredEvent> events_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  int64_t fence_ ABSL_GUARDED_BY(mutex_) = 1'000'000'000;
  int reads_ ABSL_GUARDED_BY(mutex_) = 0;
};

bool Until(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

class EventTailerTest : public testing::Test {
 protected:
  EventTailerTest() {
    base::SetLogEnabled(false);
    // Never by itself: what a test sees, a hint has brought.
    options_.poll = absl::InfiniteDuration();
    options_.first_pause = absl::Milliseconds(1);
    options_.longest_pause = absl::Milliseconds(4);
  }
  ~EventTailerTest() override {
    tailer_.reset();
    base::SetLogEnabled(true);
  }
  EventTailer& tailer() {
    if (tailer_ == nullptr) {
      tailer_ = std::make_unique<EventTailer>([this](int64_t after, int limit) { return log_.Read(after, limit); },
                                              hub_, options_);
    }
    return *tailer_;
  }
  std::vector<StoredEvent> Published() {
    std::vector<StoredEvent> events;
    int64_t through = 0;
    EXPECT_TRUE(hub_.ReadAfter(0, "", 1'000'000, &events, &through));
    return events;
  }

  FakeLog log_;
  EventHub hub_{0, 1'000'000};
  EventTailer::Options options_;
  std::unique_ptr<EventTailer> tailer_;
};

TEST_F(EventTailerTest, AHintBringsWhatWasCommitted) {
  tailer().Hint(log_.Append("a", 1));
  EXPECT_TRUE(Until([&] { return Published().size() == 1; }));
  log_.Append("a", 2);
  tailer().Hint(log_.Append("b", 1));
  EXPECT_TRUE(Until([&] { return Published().size() == 3; }));
}

TEST_F(EventTailerTest, AHintWithoutAPositionDoesToo) {
  log_.Append("a", 1);
  tailer().Hint(0);
  EXPECT_TRUE(Until([&] { return Published().size() == 1; }));
}

TEST_F(EventTailerTest, WithoutAHintItLooksNowAndThen) {
  options_.poll = absl::Milliseconds(5);
  tailer();
  log_.Append("a", 1);
  EXPECT_TRUE(Until([&] { return Published().size() == 1; }));
}

TEST_F(EventTailerTest, IdleItReadsNothing) {
  tailer().Hint(log_.Append("a", 1));
  ASSERT_TRUE(tailer().Drain(absl::Seconds(20)));
  const int before = log_.reads();
  // Hints at what is published already, such as those of commits that one read has brought together.
  for (int64_t position : {1, 1, 1}) tailer().Hint(position);
  absl::SleepFor(absl::Milliseconds(30));
  EXPECT_EQ(log_.reads(), before);
}

TEST_F(EventTailerTest, LooksSeldomWhileNobodyListens) {
  options_.poll = absl::Milliseconds(5);
  options_.idle_poll = absl::Hours(1);
  tailer();
  log_.Append("a", 1);
  absl::SleepFor(absl::Milliseconds(30));
  EXPECT_EQ(log_.reads(), 0);
  // At once for whoever comes ...
  auto subscription = hub_.Subscribe("", [] {});
  EXPECT_TRUE(Until([&] { return Published().size() == 1; }));
  // ... and often as long as somebody is there.
  log_.Append("a", 2);
  EXPECT_TRUE(Until([&] { return Published().size() == 2; }));
  const int listened = log_.reads();
  EXPECT_TRUE(Until([&] { return log_.reads() > listened + 3; }));
  { const auto ended = std::move(subscription); }
  // One look may have been due already.
  const int left = log_.reads();
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_LE(log_.reads(), left + 2);
  EXPECT_EQ(hub_.subscribers(), 0);
}

TEST_F(EventTailerTest, ASubscriberAfterTheEndIsNoTrouble) {
  tailer().Stop();
  tailer_.reset();
  const auto subscription = hub_.Subscribe("a", [] {});
  EXPECT_EQ(hub_.subscribers(), 1);
}

TEST_F(EventTailerTest, ReadsMoreThanOneBatch) {
  options_.batch = 3;
  int64_t last = 0;
  for (int64_t sequence = 1; sequence <= 10; ++sequence) last = log_.Append("a", sequence);
  tailer().Hint(0);  // One look, and nothing that would ask for another.
  ASSERT_TRUE(Until([&] { return Published().size() == 10; }));
  EXPECT_EQ(hub_.head(), last);
}

TEST_F(EventTailerTest, AFailingStoreIsReadAgainWithPauses) {
  options_.first_pause = absl::Milliseconds(20);
  options_.longest_pause = absl::Milliseconds(40);
  log_.Fail(absl::UnavailableError("away"));
  tailer().Hint(log_.Append("a", 1));
  ASSERT_TRUE(Until([&] { return log_.reads() > 0; }));
  // Commits go on (the writes are kept elsewhere): that must not make it ask each time.
  for (int i = 0; i < 1000; ++i) tailer().Hint(i % 2 == 0 ? 0 : log_.Append("a", 2 + i));
  EXPECT_LE(log_.reads(), 20);
  log_.Fail(absl::OkStatus());
  EXPECT_TRUE(Until([&] { return Published().size() == log_.size(); }));
}

TEST_F(EventTailerTest, WhatTheLogDoesNotShowYetIsFetchedWhenItDoes) {
  options_.first_pause = options_.longest_pause = absl::Milliseconds(20);
  const int64_t first = log_.Append("a", 1);
  log_.Fence(0);
  tailer().Hint(first);
  ASSERT_TRUE(Until([&] { return log_.reads() > 1; })) << "the poll would never come";
  EXPECT_TRUE(Published().empty());
  EXPECT_FALSE(tailer().Drain(absl::Milliseconds(100)));
  EXPECT_LE(log_.reads(), 50) << "with pauses";
  log_.Fence(first);
  EXPECT_TRUE(Until([&] { return Published().size() == 1; }));
}

TEST_F(EventTailerTest, DrainBringsAllThatWasCommittedBefore) {
  for (int64_t sequence = 1; sequence <= 50; ++sequence) {
    log_.Append("a", sequence);
    ASSERT_TRUE(tailer().Drain(absl::Seconds(20)));
    ASSERT_EQ(Published().size(), static_cast<size_t>(sequence)) << "nobody hinted at it";
  }
}

TEST_F(EventTailerTest, DrainGivesUpOnAStoreThatIsAway) {
  log_.Fail(absl::UnavailableError("away"));
  EXPECT_FALSE(tailer().Drain(absl::Milliseconds(20)));
}

TEST_F(EventTailerTest, StopsWhileTheStoreIsAway) {
  options_.first_pause = absl::Hours(1);
  options_.longest_pause = absl::Hours(1);
  log_.Fail(absl::UnavailableError("away"));
  tailer().Hint(0);
  ASSERT_TRUE(Until([&] { return log_.reads() > 0; }));
  tailer().Stop();
  tailer().Stop();
  const int reads = log_.reads();
  tailer().Hint(0);
  EXPECT_FALSE(tailer().Drain(absl::Milliseconds(1)));
  EXPECT_EQ(log_.reads(), reads);
}

TEST_F(EventTailerTest, ALogThatRepeatsItselfDoesNotHoldItFast) {
  options_.batch = 1;
  EventTailer stuck(
      [](int64_t, int) {
        return std::vector<StoredEvent>{{1, {"a", 1, absl::UnixEpoch(), {}}}};
      },
      hub_, options_);
  EXPECT_TRUE(stuck.Drain(absl::Seconds(20)));
}

// A subscriber of one call beside many writers sees each of its events once and in order, with a small ring too.
TEST_F(EventTailerTest, ASubscriberOfOneCallSeesEachEventOnce) {
  constexpr int64_t kEvents = 400;
  options_.batch = 7;
  EventHub hub(0, /*capacity=*/8);
  EventTailer tailer([this](int64_t after, int limit) { return log_.Read(after, limit); }, hub, options_);
  std::vector<std::thread> writers;
  for (const char* const call : {"a", "b", "c"}) {
    writers.emplace_back([&, call] {
      for (int64_t sequence = 1; sequence <= kEvents; ++sequence) tailer.Hint(log_.Append(call, sequence));
    });
  }
  EventPump pump(hub, {"b", 0, {}, 5});
  std::vector<int64_t> seen;
  ASSERT_TRUE(Until([&] {
    EventPump::Step step = pump.Plan();
    if (step.kind == EventPump::Step::Kind::kSend) {
      for (const StoredEvent& event : step.events) seen.push_back(event.event.sequence);
    } else if (step.kind == EventPump::Step::Kind::kReadStore) {
      std::vector<StoredEvent> found;
      const auto all = log_.Read(0, 1'000'000);
      for (const StoredEvent& event : *all) {
        if (event.event.call_id == "b" && event.event.sequence > step.after &&
            found.size() < static_cast<size_t>(step.limit))
          found.push_back(event);
      }
      pump.OnStoreEvents(std::move(found));
    }
    return seen.size() >= kEvents;
  }));
  for (std::thread& writer : writers) writer.join();
  for (int64_t sequence = 1; sequence <= kEvents; ++sequence) ASSERT_EQ(seen[sequence - 1], sequence);
  EXPECT_TRUE(tailer.Drain(absl::Seconds(20)));
  EXPECT_EQ(pump.Plan().kind == EventPump::Step::Kind::kSend, false) << "nothing twice";
}

}  // namespace
}  // namespace callbridge::events
