#include "src/audio/spell_clock.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace callbridge::audio {
namespace {

absl::Time At(int64_t ms) { return absl::FromUnixSeconds(1700000000) + absl::Milliseconds(ms); }

struct Row {
  const char* name;
  std::vector<int> acknowledged;  // "It began at this ms or earlier", in the order of arrival.
  int start;
  bool sure;
};

class SpellClockTest : public testing::TestWithParam<Row> {};

TEST_P(SpellClockTest, BelievesTheEarliestThatIsConfirmed) {
  SpellClock clock(At(110), At(150));
  for (const int ms : GetParam().acknowledged) clock.OnAcknowledged(At(ms));
  EXPECT_EQ(clock.start(), At(GetParam().start));
  EXPECT_EQ(clock.sure(), GetParam().sure);
  EXPECT_EQ(clock.heard_of(), !GetParam().acknowledged.empty());
}

INSTANTIATE_TEST_SUITE_P(Table, SpellClockTest,
                         testing::Values(Row{"Nothing", {}, 110, false}, Row{"OneThatIsEarlier", {70}, 70, false},
                                         Row{"OneThatIsLaterMayBeLate", {140}, 115, false},
                                         Row{"TwoThatAgree", {140, 138}, 138, true},
                                         Row{"TwoThatAgreeTheOtherWay", {138, 140}, 138, true},
                                         Row{"TwoThatDoNot", {140, 120}, 115, false},
                                         Row{"HeldUpAndComingAtOnce", {300, 280, 240}, 115, false},
                                         Row{"TheLastOfThoseThatCameAtOnceIsRight", {200, 180, 80, 82}, 80, true},
                                         Row{"TwoBeyondWhatIsUsual", {180, 180}, 115, false},
                                         Row{"ThreeBeyondWhatIsUsual", {180, 190, 182}, 180, true},
                                         Row{"LateOnesChangeNothing", {80, 81, 300, 200, 350, 260}, 80, true},
                                         Row{"AGapMovesAllThatFollows", {80, 81, 180, 175, 185, 180}, 175, true},
                                         Row{"ThreeWitnessesAreNoGap", {80, 81, 180, 175, 180}, 80, true},
                                         Row{"AWitnessAgainstAGap", {80, 81, 180, 175, 185, 82, 180}, 80, true},
                                         Row{"AnEarlierOneStandsAloneAgain", {140, 141, 60}, 60, false}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(StartDelaysTest, ExpectsTheUsualUntilTheCarrierHasShownItsOwn) {
  StartDelays delays;
  EXPECT_EQ(delays.Guess(), absl::Milliseconds(110));
  EXPECT_EQ(delays.Latest(), absl::Milliseconds(150));
  for (int spell = 0; spell < 14; ++spell) delays.Learn(absl::Milliseconds(80), false);
  EXPECT_EQ(delays.Guess(), absl::Milliseconds(110));
  for (int spell = 0; spell < 2; ++spell) delays.Learn(absl::Milliseconds(80), false);
  EXPECT_EQ(delays.Guess(), absl::Milliseconds(80));
  EXPECT_EQ(delays.Latest(), absl::Milliseconds(80));
}

TEST(StartDelaysTest, WhatIsBetterKnownReplacesTheLast) {
  StartDelays delays;
  delays.Learn(absl::Milliseconds(300), false);
  EXPECT_EQ(delays.Latest(), absl::Milliseconds(330)) << "a little beyond what was seen";
  delays.Learn(absl::Milliseconds(90), true);
  EXPECT_EQ(delays.Latest(), absl::Milliseconds(150));
}

}  // namespace
}  // namespace callbridge::audio
