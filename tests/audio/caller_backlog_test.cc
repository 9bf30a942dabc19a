#include "src/audio/caller_backlog.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace callbridge::audio {
namespace {

absl::Time At(int64_t ms) { return absl::FromUnixSeconds(1700000000) + absl::Milliseconds(ms); }

// Frames "AA00", "AA01" ..., 20 ms apart.
std::string Frame(int number) { return absl::StrCat("AA", number / 10, number % 10); }

std::string Take(CallerBacklog& backlog) {
  std::vector<std::string> taken;
  backlog.TakeUnsent([&taken](absl::string_view base64) { taken.emplace_back(base64); });
  return absl::StrJoin(taken, " ");
}

struct Row {
  const char* name;
  // u: a frame that waits, s: one that went at once, t: what is unsent is taken, c: all is forgotten, digit: back to
  // the frame with this number.
  const char* steps;
  const char* taken_at_last;
  int64_t dropped;
};

class CallerBacklogTest : public testing::TestWithParam<Row> {};

TEST_P(CallerBacklogTest, GivesBackWhatWasNotSent) {
  CallerBacklog backlog(5, 3);
  int number = 0;
  for (const char* step = GetParam().steps; *step != '\0'; ++step) {
    if (*step == 'u' || *step == 's') {
      backlog.Push(Frame(number), At(number * 20), *step == 's');
      ++number;
    } else if (*step == 't') {
      Take(backlog);
    } else if (*step == 'c') {
      backlog.Clear();
    } else {
      backlog.Rewind(At((*step - '0') * 20));
    }
  }
  EXPECT_EQ(Take(backlog), GetParam().taken_at_last);
  EXPECT_EQ(backlog.unsent(), 0u);
  EXPECT_EQ(backlog.dropped(), GetParam().dropped);
}

INSTANTIATE_TEST_SUITE_P(Table, CallerBacklogTest,
                         testing::Values(Row{"Nothing", "", "", 0}, Row{"InOrder", "uuu", "AA00 AA01 AA02", 0},
                                         Row{"OnlyOnce", "uuut", "", 0}, Row{"OnlyWhatIsNew", "uuutu", "AA03", 0},
                                         Row{"TheOldestMakeRoom", "uuuuuuu", "AA02 AA03 AA04 AA05 AA06", 2},
                                         Row{"SentIsNotGivenBack", "sss", "", 0},
                                         Row{"SentMakesRoomWithoutLoss", "ssssssss", "", 0},
                                         Row{"UnsentBehindSent", "ssuu", "AA02 AA03", 0},
                                         Row{"ALaterOneThatWasSentSettlesEarlierOnes", "uus", "", 0},
                                         Row{"BackToATime", "ssssss4", "AA04 AA05", 0},
                                         Row{"NotBeyondWhatIsKept", "ssssss0", "AA03 AA04 AA05", 0},
                                         Row{"BackAndOn", "sssss3uuu", "AA03 AA04 AA05 AA06 AA07", 0},
                                         Row{"BackIsBounded", "sssss3uuuu", "AA04 AA05 AA06 AA07 AA08", 1},
                                         Row{"BackToTheFutureChangesNothing", "sssu9", "AA03", 0},
                                         Row{"BackInsideTheUnsentChangesNothing", "suu2", "AA01 AA02", 0},
                                         Row{"BackAgainAfterTaking", "uuuuut3", "AA03 AA04", 0},
                                         Row{"Forgotten", "uuc", "", 0}, Row{"AfterForgetting", "uucu", "AA02", 0},
                                         Row{"NothingToGoBackTo", "uuc0", "", 0},
                                         Row{"SentWhileFullOfUnsent", "uuuuus0", "AA03 AA04 AA05", 1}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(CallerBacklogMemoryTest, IsSmallWhenAllIsSent) {
  CallerBacklog backlog(250, 100);
  EXPECT_EQ(backlog.memory(), 0u);
  const std::string frame(216, 'A');
  for (int i = 0; i < 300; ++i) backlog.Push(frame, At(i * 20), false);
  EXPECT_EQ(backlog.dropped(), 50);
  EXPECT_LE(backlog.memory(), 60u * 1024);
  EXPECT_EQ(backlog.TakeUnsent([](absl::string_view) {}), 250u);
  EXPECT_LE(backlog.memory(), 25u * 1024);
  for (int i = 300; i < 1000; ++i) backlog.Push(frame, At(i * 20), true);
  EXPECT_LE(backlog.memory(), 25u * 1024);
  backlog.Rewind(At(0));
  EXPECT_EQ(backlog.unsent(), 100u);
  backlog.Clear();
  EXPECT_EQ(backlog.memory(), 0u);
}

TEST(CallerBacklogMemoryTest, NeverMovesOnceWarm) {
  CallerBacklog backlog(250, 100);
  const std::string frame(216, 'A');
  for (int i = 0; i < 200; ++i) backlog.Push(frame, At(i * 20), true);
  const size_t memory = backlog.memory();
  for (int i = 200; i < 5000; ++i) {
    backlog.Push(frame, At(i * 20), true);
    ASSERT_EQ(backlog.memory(), memory);
  }
  EXPECT_LE(memory, 25u * 1024);
}

TEST(CallerBacklogMemoryTest, LongFramesComeBackInPieces) {
  CallerBacklog backlog(4, 0);
  const std::string piece(216, 'B');
  backlog.Push(absl::StrCat(std::string(216, 'A'), piece, "CCC="), At(0), false);
  EXPECT_EQ(backlog.unsent(), 3u);
  EXPECT_EQ(Take(backlog), absl::StrCat(std::string(216, 'A'), " ", piece, " CCC="));
  backlog.Push("", At(0), false);
  EXPECT_EQ(backlog.unsent(), 0u);
}

TEST(CallerBacklogMemoryTest, KeepsAtLeastOne) {
  CallerBacklog backlog(0, 7);
  backlog.Push("AAAA", At(0), false);
  backlog.Push("BBBB", At(20), false);
  EXPECT_EQ(Take(backlog), "BBBB");
}

}  // namespace
}  // namespace callbridge::audio
