#include "src/net/peer_health.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Time kStart = absl::UnixEpoch();

// Looks whenever it is due, up to `seconds`; the peer is heard at the seconds in `heard`.
struct Course {
  std::vector<int> pings;
  int dead = -1;
};
Course Follow(const WsHealth& limits, const std::vector<int>& heard, int seconds) {
  PeerHealth health(limits, kStart);
  Course course;
  absl::Time look = health.Look(kStart).look_again;
  for (int s = 1; s <= seconds; ++s) {
    const absl::Time now = kStart + absl::Seconds(s);
    for (const int at : heard) {
      if (at == s) health.Heard(now);
    }
    if (look > now) continue;
    const auto verdict = health.Look(now);
    if (verdict.ping) course.pings.push_back(s);
    if (verdict.dead) {
      course.dead = s;
      break;
    }
    EXPECT_GT(verdict.look_again, now);
    look = verdict.look_again;
  }
  return course;
}

TEST(PeerHealthTest, ASilentPeerIsAskedAndThenGivenUp) {
  const Course course = Follow({}, {}, 100);
  EXPECT_THAT(course.pings, ElementsAre(4, 8));
  EXPECT_EQ(course.dead, 10);
}

TEST(PeerHealthTest, AnythingThatComesIsALife) {
  std::vector<int> media;
  for (int s = 1; s <= 60; ++s) media.push_back(s);
  EXPECT_THAT(Follow({}, media, 60).pings, IsEmpty()) << "a peer that talks need not be asked";
  EXPECT_EQ(Follow({}, media, 60).dead, -1);
  // Answers the first ping late, and never again.
  const Course course = Follow({}, {9}, 100);
  EXPECT_THAT(course.pings, ElementsAre(4, 8, 13, 17));
  EXPECT_EQ(course.dead, 19);
}

TEST(PeerHealthTest, EachPartCanBeOff) {
  const absl::Duration off = absl::ZeroDuration();
  EXPECT_EQ(Follow({off, absl::Seconds(10)}, {3}, 100).dead, 13);
  EXPECT_THAT(Follow({off, absl::Seconds(10)}, {3}, 100).pings, IsEmpty());
  EXPECT_EQ(Follow({absl::Seconds(4), off}, {}, 20).dead, -1);
  EXPECT_THAT(Follow({absl::Seconds(4), off}, {}, 20).pings, ElementsAre(4, 8, 12, 16, 20));
  EXPECT_EQ(PeerHealth({off, off}, kStart).Look(kStart).look_again, absl::InfiniteFuture());
}

TEST(PeerHealthTest, OurOwnSleepIsNotThePeersDeath) {
  PeerHealth health({}, kStart);
  health.Look(kStart);
  // Nobody looked for a minute; what the peer has sent meanwhile is still unread.
  const auto verdict = health.Look(kStart + absl::Minutes(1));
  EXPECT_TRUE(verdict.ping);
  EXPECT_FALSE(verdict.dead);
  EXPECT_FALSE(health.Look(kStart + absl::Seconds(65)).dead);
  EXPECT_TRUE(health.Look(kStart + absl::Seconds(66)).dead);
}

}  // namespace
}  // namespace callbridge::net
