#include "src/events/event_pump.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::events {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = EventPump::Step::Kind;

// A log of all calls, and a hub that is told of it later or not at all.
class Log {
 public:
  StoredEvent Add(const std::string& call_id, call::EventBody body = call::DtmfReceived{"1"}, int64_t skip = 1) {
    position_ += skip;
    events_.push_back({position_, {call_id, ++heads_[call_id], absl::UnixEpoch(), std::move(body)}});
    return events_.back();
  }
  std::vector<StoredEvent> Read(const std::string& call_id, int64_t after, int limit) const {
    std::vector<StoredEvent> found;
    for (const StoredEvent& event : events_) {
      const bool mine =
          call_id.empty() ? event.position > after : event.event.call_id == call_id && event.event.sequence > after;
      if (mine && found.size() < static_cast<size_t>(limit)) found.push_back(event);
    }
    return found;
  }
  const std::vector<StoredEvent>& events() const { return events_; }

 private:
  int64_t position_ = 0;
  std::map<std::string, int64_t> heads_;
  std::vector<StoredEvent> events_;
};

struct Seen {
  std::vector<int64_t> positions;
  int caught_up = 0;
  int store_reads = 0;
};

// Carries out the plan until the pump waits.
void Drain(EventPump& pump, const Log& log, const std::string& call_id, Seen* seen) {
  for (int i = 0; i < 100000; ++i) {
    const EventPump::Step step = pump.Plan();
    switch (step.kind) {
      case Kind::kSend:
        EXPECT_FALSE(step.events.empty());
        for (const StoredEvent& event : step.events) seen->positions.push_back(event.position);
        break;
      case Kind::kReadStore:
        ++seen->store_reads;
        EXPECT_EQ(pump.Plan().kind, Kind::kWait) << "one read at a time";
        pump.OnStoreEvents(log.Read(call_id, step.after, step.limit));
        break;
      case Kind::kCaughtUp: ++seen->caught_up; break;
      case Kind::kWait: return;
    }
  }
  FAIL() << "the pump never waits";
}

EventPump::Options For(const std::string& call_id, int64_t after = 0, int batch = 256) {
  return {call_id, after, {}, batch};
}

TEST(EventPump, FollowsTheRingWithoutTheStore) {
  Log log;
  EventHub hub(0);
  EventPump pump(hub, For(""));
  Seen seen;
  Drain(pump, log, "", &seen);
  EXPECT_EQ(seen.caught_up, 1);
  hub.Publish({log.Add("a"), log.Add("b")});
  Drain(pump, log, "", &seen);
  hub.Publish({log.Add("a")});
  Drain(pump, log, "", &seen);
  EXPECT_THAT(seen.positions, ElementsAre(1, 2, 3));
  EXPECT_EQ(seen.store_reads, 0);
  EXPECT_EQ(seen.caught_up, 1);
  EXPECT_EQ(pump.cursor(), 3);
}

TEST(EventPump, ReplaysFromTheStoreThenFollows) {
  Log log;
  for (int i = 0; i < 5; ++i) log.Add("a");
  EventHub hub(5);
  EventPump pump(hub, For("", 1, 2));
  Seen seen;
  Drain(pump, log, "", &seen);
  EXPECT_THAT(seen.positions, ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(seen.caught_up, 1);
  const int reads = seen.store_reads;
  hub.Publish({log.Add("a")});
  Drain(pump, log, "", &seen);
  EXPECT_EQ(seen.positions.back(), 6);
  EXPECT_EQ(seen.store_reads, reads) << "the ring has it";
}

TEST(EventPump, OneCallIsFollowedBySequence) {
  Log log;
  log.Add("a");
  log.Add("b");
  log.Add("a");
  EventHub hub(3);
  EventPump pump(hub, For("a", 1));
  Seen seen;
  Drain(pump, log, "a", &seen);
  EXPECT_THAT(seen.positions, ElementsAre(3));
  EXPECT_EQ(pump.cursor(), 2) << "a sequence";
  hub.Publish({log.Add("b"), log.Add("a")});
  Drain(pump, log, "a", &seen);
  EXPECT_THAT(seen.positions, ElementsAre(3, 5));
  EXPECT_EQ(seen.store_reads, 1);
  EXPECT_EQ(seen.caught_up, 1);
}

TEST(EventPump, EventsThatComeDuringTheReadAreNotSentTwice) {
  Log log;
  log.Add("a");
  EventHub hub(1);
  EventPump pump(hub, For("a"));
  ASSERT_EQ(pump.Plan().kind, Kind::kReadStore);
  hub.Publish({log.Add("a")});
  pump.OnStoreEvents(log.Read("a", 0, 256));  // The read saw it as well.
  Seen seen;
  Drain(pump, log, "a", &seen);
  EXPECT_THAT(seen.positions, ElementsAre(1, 2));
}

TEST(EventPump, EventsThatComeAfterTheReadAreNotMissed) {
  Log log;
  log.Add("a");
  EventHub hub(1);
  EventPump pump(hub, For("a"));
  ASSERT_EQ(pump.Plan().kind, Kind::kReadStore);
  const auto read = log.Read("a", 0, 256);
  hub.Publish({log.Add("a")});
  pump.OnStoreEvents(read);
  Seen seen;
  Drain(pump, log, "a", &seen);
  EXPECT_THAT(seen.positions, ElementsAre(1, 2));
}

TEST(EventPump, ASequenceThatTheRingLacksComesFromTheStore) {
  Log log;
  EventHub hub(0);
  EventPump pump(hub, For("a"));
  Seen seen;
  Drain(pump, log, "a", &seen);
  hub.Publish({log.Add("a")});
  log.Add("a");  // The hub never hears of it.
  hub.Publish({log.Add("a")});
  Drain(pump, log, "a", &seen);
  EXPECT_THAT(seen.positions, ElementsAre(1, 2, 3));
}

TEST(EventPump, AFailedReadIsAskedForAgain) {
  Log log;
  log.Add("a");
  EventHub hub(1);
  EventPump pump(hub, For(""));
  const EventPump::Step first = pump.Plan();
  ASSERT_EQ(first.kind, Kind::kReadStore);
  pump.OnStoreFailed();
  const EventPump::Step second = pump.Plan();
  EXPECT_EQ(second.kind, Kind::kReadStore);
  EXPECT_EQ(second.after, first.after);
}

TEST(EventPump, TheFilterMovesTheCursorOverWhatItHides) {
  Log log;
  log.Add("a");
  log.Add("a", call::StreamLost{"x"});
  log.Add("a");
  EventHub hub(2);
  hub.Publish({log.events()[2]});
  EventPump::Options options = For("");
  options.types = {"stream_lost"};
  EventPump pump(hub, options);
  Seen seen;
  Drain(pump, log, "", &seen);
  EXPECT_THAT(seen.positions, ElementsAre(2));
  EXPECT_EQ(pump.cursor(), 3);
  EXPECT_EQ(seen.caught_up, 1);
}

TEST(EventPump, TheCursorDoesNotPassWhatIsNotSentYet) {
  Log log;
  for (int i = 0; i < 3; ++i) log.Add("a");
  EventHub hub(3);
  EventPump pump(hub, For("a", 1));
  ASSERT_EQ(pump.Plan().kind, Kind::kReadStore);
  pump.OnStoreEvents(log.Read("a", 1, 256));
  EXPECT_EQ(pump.cursor(), 1);
  ASSERT_EQ(pump.Plan().kind, Kind::kSend);
  EXPECT_EQ(pump.cursor(), 3);
}

TEST(EventPump, ABeginInTheFutureWaits) {
  Log log;
  EventHub hub(0);
  EventPump pump(hub, For("", 2));
  Seen seen;
  Drain(pump, log, "", &seen);
  EXPECT_EQ(seen.caught_up, 1);
  hub.Publish({log.Add("a"), log.Add("a"), log.Add("a")});
  Drain(pump, log, "", &seen);
  EXPECT_THAT(seen.positions, ElementsAre(3));
}

// Subscribers with small batches over a small ring, publishes at random between their steps: none misses or repeats
// one.
TEST(EventPump, NothingIsMissedAcrossEviction) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto pick = [&random](int below) { return static_cast<int>(random() % below); };
    const std::vector<std::string> calls = {"a", "b", "c"};
    Log log;
    for (int i = pick(20); i > 0; --i) log.Add(calls[pick(3)], call::DtmfReceived{"1"}, 1 + pick(3));
    EventHub hub(log.events().empty() ? 0 : log.events().back().position, 1 + pick(8));
    const std::string call_id = pick(2) == 0 ? "" : calls[pick(3)];
    const int64_t after = pick(10);
    EventPump pump(hub, For(call_id, after, 1 + pick(5)));
    Seen seen;
    absl::optional<std::pair<EventPump::Step, std::vector<StoredEvent>>> reading;
    for (int turn = 0; turn < 200; ++turn) {
      if (pick(3) == 0) {
        std::vector<StoredEvent> fresh;
        for (int i = 1 + pick(6); i > 0; --i)
          fresh.push_back(log.Add(calls[pick(3)], call::DtmfReceived{"1"}, 1 + pick(3)));
        hub.Publish(fresh);
      } else if (reading && pick(2) == 0) {
        pick(5) == 0 ? pump.OnStoreFailed() : pump.OnStoreEvents(reading->second);
        reading.reset();
      } else {
        EventPump::Step step = pump.Plan();
        for (const StoredEvent& event : step.events) seen.positions.push_back(event.position);
        if (step.kind == Kind::kReadStore) reading.emplace(step, log.Read(call_id, step.after, step.limit));
      }
    }
    if (reading) pump.OnStoreEvents(reading->second);
    Drain(pump, log, call_id, &seen);
    std::vector<int64_t> expected;
    for (const StoredEvent& event : log.Read(call_id, after, 1'000'000)) expected.push_back(event.position);
    ASSERT_EQ(seen.positions, expected);
  }
}

}  // namespace
}  // namespace callbridge::events
