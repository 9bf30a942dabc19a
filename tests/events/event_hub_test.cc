#include "src/events/event_hub.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::events {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

StoredEvent At(int64_t position, const std::string& call_id = "c1") {
  return {position, {call_id, position, absl::UnixEpoch(), call::DtmfReceived{"1"}}};
}

// The positions after `position`; {-1} if the ring does not reach back.
std::vector<int64_t> Read(const EventHub& hub, int64_t position, const std::string& call_id = "", int limit = 100,
                          int64_t* through = nullptr) {
  std::vector<StoredEvent> events;
  int64_t ignored = 0;
  if (!hub.ReadAfter(position, call_id, limit, &events, through == nullptr ? &ignored : through)) return {-1};
  std::vector<int64_t> positions;
  for (const StoredEvent& event : events) positions.push_back(event.position);
  return positions;
}

TEST(EventHub, GivesWhatWasPublished) {
  EventHub hub(0);
  hub.Publish({At(1), At(2)});
  hub.Publish({At(5)});
  EXPECT_THAT(Read(hub, 0), ElementsAre(1, 2, 5));
  EXPECT_THAT(Read(hub, 1), ElementsAre(2, 5));
  EXPECT_THAT(Read(hub, 3), ElementsAre(5));
  EXPECT_THAT(Read(hub, 5), IsEmpty());
  EXPECT_THAT(Read(hub, 100), IsEmpty());
  EXPECT_EQ(hub.head(), 5);
}

TEST(EventHub, DoesNotReachBackBeforeItsBegin) {
  EventHub hub(10);
  EXPECT_THAT(Read(hub, 9), ElementsAre(-1));
  EXPECT_THAT(Read(hub, 10), IsEmpty());
  EXPECT_EQ(hub.head(), 10);
}

TEST(EventHub, DoesNotReachBackBeyondItsCapacity) {
  EventHub hub(0, 2);
  hub.Publish({At(1), At(3), At(5)});
  EXPECT_THAT(Read(hub, 0), ElementsAre(-1));
  EXPECT_THAT(Read(hub, 1), ElementsAre(3, 5));
  hub.Publish({At(6)});
  EXPECT_THAT(Read(hub, 2), ElementsAre(-1));
  EXPECT_THAT(Read(hub, 3), ElementsAre(5, 6));
}

TEST(EventHub, LeavesRepeatsOut) {
  EventHub hub(2);
  hub.Publish({At(1), At(2), At(3)});
  hub.Publish({At(3), At(2)});
  EXPECT_THAT(Read(hub, 2), ElementsAre(3));
}

TEST(EventHub, SaysHowFarItLooked) {
  EventHub hub(0);
  hub.Publish({At(1, "a"), At(2, "b"), At(3, "a"), At(4, "b")});
  int64_t through = 0;
  EXPECT_THAT(Read(hub, 0, "a", 1, &through), ElementsAre(1));
  EXPECT_EQ(through, 1);
  EXPECT_THAT(Read(hub, 1, "a", 1, &through), ElementsAre(3));
  EXPECT_EQ(through, 4) << "nothing of a is behind 3";
  EXPECT_THAT(Read(hub, 0, "none", 1, &through), IsEmpty());
  EXPECT_EQ(through, 4);
  EXPECT_THAT(Read(hub, 0, "", 2, &through), ElementsAre(1, 2));
  EXPECT_EQ(through, 2);
  EXPECT_THAT(Read(hub, 9, "", 2, &through), IsEmpty());
  EXPECT_EQ(through, 9) << "never backwards";
}

TEST(EventHub, WakesWhomItConcerns) {
  EventHub hub(0);
  int all = 0;
  int one = 0;
  auto for_all = hub.Subscribe("", [&] { ++all; });
  auto for_one = hub.Subscribe("b", [&] { ++one; });
  hub.Publish({At(1, "a"), At(2, "a")});
  EXPECT_EQ(all, 1);
  EXPECT_EQ(one, 0);
  hub.Publish({At(3, "a"), At(4, "b")});
  EXPECT_EQ(all, 2);
  EXPECT_EQ(one, 1);
  hub.Publish({At(4, "b")});
  hub.Publish({});
  EXPECT_EQ(all, 2) << "nothing new, no wake";
}

TEST(EventHub, AHandleEndsItsSubscription) {
  EventHub hub(0);
  int wakes = 0;
  auto first = hub.Subscribe("", [&] { ++wakes; });
  {
    auto second = hub.Subscribe("", [&] { ++wakes; });
    EventHub::Subscription moved = std::move(second);
    hub.Publish({At(1)});
    EXPECT_EQ(wakes, 2);
  }
  hub.Publish({At(2)});
  EXPECT_EQ(wakes, 3);
  first = EventHub::Subscription();
  hub.Publish({At(3)});
  EXPECT_EQ(wakes, 3);
}

TEST(EventHub, AHandleMayOutliveTheHub) {
  auto hub = std::make_unique<EventHub>(0);
  auto handle = hub->Subscribe("", [] {});
  hub.reset();
}

// Under ThreadSanitizer this shows that the three sides do not meet unguarded; anywhere, that no wake follows an ended
// handle.
TEST(EventHub, PublishReadAndUnsubscribeTogether) {
  constexpr int64_t kLast = 3000;
  EventHub hub(0, 64);
  std::atomic<bool> late{false};
  std::thread publisher([&] {
    for (int64_t position = 1; position <= kLast; ++position) hub.Publish({At(position)});
  });
  std::thread reader([&] {
    int64_t seen = 0;
    while (seen < kLast) {
      std::vector<StoredEvent> events;
      int64_t through = 0;
      if (!hub.ReadAfter(seen, "", 16, &events, &through)) {
        seen = hub.head() - 1;  // Overtaken.
        continue;
      }
      for (const StoredEvent& event : events) {
        EXPECT_EQ(event.position, seen + 1);
        seen = event.position;
      }
    }
  });
  std::thread subscriber([&] {
    while (hub.head() < kLast) {
      auto alive = std::make_unique<std::atomic<bool>>(true);
      auto* flag = alive.get();
      {
        auto handle = hub.Subscribe("", [flag, &late] {
          if (!*flag) late = true;
        });
      }
      *flag = false;  // A wake from here on would see it, or freed memory.
    }
  });
  publisher.join();
  reader.join();
  subscriber.join();
  EXPECT_FALSE(late);
}

}  // namespace
}  // namespace callbridge::events
