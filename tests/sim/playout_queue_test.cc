#include "src/sim/playout_queue.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

using testing::ElementsAre;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);
absl::Time At(int ms) { return kStart + absl::Milliseconds(ms); }

// Writes down what happens: "sound 100 +160" (from ms 100, 160 bytes), "played name".
class Script final : public PlayoutQueue::Sink {
 public:
  void OnSound(absl::Time start, absl::string_view bytes) override {
    lines.push_back(absl::StrCat("sound ", absl::ToInt64Milliseconds(start - kStart), " +", bytes.size()));
    heard.append(bytes.data(), bytes.size());
  }
  void OnCheckpoint(const std::string& name) override { lines.push_back(absl::StrCat("played ", name)); }

  std::vector<std::string> Take() { return std::move(lines); }
  std::vector<std::string> lines;
  std::string heard;
};

std::string Audio(int ms, char fill = 'a') { return std::string(ms * 8, fill); }

TEST(PlayoutQueueTest, DrainsInRealTimeAfterTheDelay) {
  PlayoutQueue queue({8000, absl::Milliseconds(80)});
  Script script;
  ASSERT_TRUE(queue.Push(At(0), Audio(100)));
  queue.Advance(At(80), script);
  EXPECT_THAT(script.Take(), ElementsAre());
  queue.Advance(At(100), script);
  EXPECT_THAT(script.Take(), ElementsAre("sound 80 +160"));
  queue.Advance(At(500), script);
  EXPECT_THAT(script.Take(), ElementsAre("sound 100 +640"));
  EXPECT_EQ(queue.queued_bytes(), 0);
}

TEST(PlayoutQueueTest, PlaysCheckpointsInOrderAfterTheirAudio) {
  PlayoutQueue queue({});
  Script script;
  queue.Checkpoint("first");
  queue.Push(At(0), Audio(40));
  queue.Checkpoint("second");
  queue.Push(At(0), Audio(20));
  queue.Checkpoint("third");
  queue.Advance(At(30), script);
  EXPECT_THAT(script.Take(), ElementsAre("played first", "sound 0 +240"));
  queue.Advance(At(40), script);
  EXPECT_THAT(script.Take(), ElementsAre("sound 30 +80", "played second"));
  queue.Advance(At(100), script);
  EXPECT_THAT(script.Take(), ElementsAre("sound 40 +160", "played third"));
}

TEST(PlayoutQueueTest, APauseIsNotCaughtUp) {
  PlayoutQueue queue({});
  Script script;
  queue.Push(At(0), Audio(20));
  queue.Advance(At(500), script);
  script.Take();
  queue.Push(At(500), Audio(20));
  queue.Advance(At(510), script);
  EXPECT_THAT(script.Take(), ElementsAre("sound 500 +80"));
}

TEST(PlayoutQueueTest, ClearThrowsAwayAudioAndCheckpointsButWhatIsOnTheLine) {
  PlayoutQueue queue({});
  Script script;
  queue.Push(At(0), Audio(1000));
  queue.Checkpoint("gone");
  queue.Push(At(0), Audio(500));
  queue.Advance(At(100), script);
  script.Take();
  EXPECT_EQ(queue.Clear(At(100)), (1500 - 100 - 20) * 8);
  queue.Checkpoint("after");
  queue.Advance(At(2000), script);
  EXPECT_THAT(script.Take(), ElementsAre("sound 100 +160", "played after"));
  EXPECT_EQ(queue.queued_bytes(), 0);
}

TEST(PlayoutQueueTest, ClearBeforeAnySoundLeavesNothing) {
  PlayoutQueue queue({8000, absl::Milliseconds(80)});
  Script script;
  queue.Push(At(0), Audio(100));
  queue.Advance(At(40), script);
  EXPECT_EQ(queue.Clear(At(40)), 800);
  queue.Advance(At(1000), script);
  EXPECT_THAT(script.Take(), ElementsAre());
  EXPECT_EQ(queue.Clear(At(1000)), 0);
}

TEST(PlayoutQueueTest, AudioAfterAClearPlays) {
  PlayoutQueue queue({});
  Script script;
  queue.Push(At(0), Audio(1000, 'a'));
  queue.Advance(At(100), script);
  queue.Clear(At(100));
  queue.Push(At(100), Audio(20, 'b'));
  queue.Advance(At(1000), script);
  EXPECT_EQ(script.heard, Audio(120, 'a') + Audio(20, 'b'));
}

TEST(PlayoutQueueTest, RefusesWhatDoesNotFit) {
  PlayoutQueue queue({});
  Script script;
  EXPECT_TRUE(queue.Push(At(0), Audio(39'990)));
  EXPECT_FALSE(queue.Push(At(0), Audio(20)));
  EXPECT_TRUE(queue.Push(At(0), Audio(10)));
  queue.Advance(At(100), script);
  EXPECT_TRUE(queue.Push(At(100), Audio(20)));
}

TEST(PlayoutQueueTest, KnowsOtherFormats) {
  PlayoutQueue queue({32000});
  Script script;
  queue.Push(At(0), std::string(640, 'x'));
  queue.Advance(At(10), script);
  EXPECT_THAT(script.Take(), ElementsAre("sound 0 +320"));
}

}  // namespace
}  // namespace callbridge::sim
