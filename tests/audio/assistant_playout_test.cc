#include "src/audio/assistant_playout.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/audio/virtual_phone.h"

namespace callbridge::audio {
namespace {

const absl::Time kBegin = absl::FromUnixSeconds(1700000000);
absl::Time At(int64_t ms) { return kBegin + absl::Milliseconds(ms); }
int64_t Bytes(int64_t ms) { return ms * kBytesPerMs; }

// Writes down what it is told to do.
class Notes final : public AssistantPlayout::Carrier {
 public:
  void Play(absl::string_view item_id, absl::string_view base64) override {
    EXPECT_EQ(base64.size() % 4, 0u);
    EXPECT_LE(base64.size(), 2136u);
    EXPECT_GT(base64.size(), 0u);
    text += absl::StrCat(item_id, base64.size(), " ");
    audio.append(base64.data(), base64.size());
    ++pieces;
  }
  void Checkpoint(int64_t number) override { text += absl::StrCat("#", number, " "); }

  std::string Take() { return std::exchange(text, ""); }

  std::string text;   // "a216 #1 ": a piece of item "a" with 216 characters, a checkpoint.
  std::string audio;  // All of it, one behind the other.
  int pieces = 0;
};

AssistantPlayout::Options TestOptions() {
  AssistantPlayout::Options options;
  options.lead = absl::Milliseconds(400);
  options.max_piece_chars = 2136;
  options.checkpoint_bytes = Bytes(400);
  return options;
}

class AssistantPlayoutTest : public testing::Test {
 protected:
  void Audio(const std::string& item, int64_t ms, int64_t at) {
    playout_.OnAudio(item, CountingSound(Bytes(ms), &counter_), Bytes(ms), At(at));
  }
  void PumpAllTo(int64_t from, int64_t to) {
    for (int64_t at = from; at <= to; ++at) playout_.Pump(At(at));
  }

  int counter_ = 0;
  Notes carrier_;
  AssistantPlayout playout_{TestOptions(), carrier_};
};

TEST_F(AssistantPlayoutTest, KeepsBackWhatTheLeadDoesNotAllow) {
  Audio("a", 2000, 0);
  EXPECT_EQ(playout_.ledger().sent(), 3246) << "one piece before it was still less than 400 ms ahead";
  EXPECT_EQ(playout_.queued_bytes(), Bytes(2000) - 3246);
  const absl::Time due = playout_.NextWake();
  const int pieces = carrier_.pieces;
  playout_.Pump(due - absl::Milliseconds(2));
  EXPECT_EQ(carrier_.pieces, pieces);
  playout_.Pump(due);
  EXPECT_EQ(carrier_.pieces, pieces + 1);
  EXPECT_GT(playout_.NextWake(), due);
  PumpAllTo(0, 3000);
  EXPECT_EQ(playout_.ledger().sent(), Bytes(2000));
  EXPECT_EQ(playout_.queued_bytes(), 0);
}

TEST_F(AssistantPlayoutTest, CutsAtQuantaAndLosesNothing) {
  std::string whole;
  int counter = 0;
  for (const int64_t bytes : {1, 2, 3, 1601, 1602, 1603, 5000, 7}) {
    const std::string sound = CountingSound(bytes, &counter);
    whole += sound;
    playout_.OnAudio("a", sound, bytes, At(0));
  }
  PumpAllTo(0, 4000);
  EXPECT_EQ(carrier_.audio, whole);
}

TEST_F(AssistantPlayoutTest, CheckpointsAreDenseWhereASpellBegins) {
  Audio("a", 3000, 0);
  PumpAllTo(0, 4000);
  // At 20, 40, 60, 90 ms and so on, then behind the piece in which it is due, and behind each 400 ms.
  EXPECT_EQ(carrier_.Take(),
            "a216 #1 a216 #2 a216 #3 a324 #4 a488 #5 a732 #6 a2136 #7 a2136 a2136 #8 a2136 a2136 #9 a2136 a2136 #10 "
            "a2136 a2136 #11 a2136 a2136 #12 a2136 a2136 #13 a2040 ");
  Audio("b", 200, 8000);
  EXPECT_EQ(carrier_.Take(), "b216 #14 b216 #15 b216 #16 b324 #17 b488 #18 b676 ") << "behind a silence";
}

TEST_F(AssistantPlayoutTest, ACheckpointFollowsTheEndOfAnItem) {
  Audio("a", 30, 0);
  carrier_.Take();
  playout_.OnItemComplete("a", At(100));
  EXPECT_EQ(carrier_.Take(), "#2 ");
  playout_.OnItemComplete("a", At(100));
  playout_.OnItemComplete("b", At(100));
  EXPECT_EQ(carrier_.Take(), "");
}

TEST_F(AssistantPlayoutTest, TheEndOfAQueuedItemIsCheckpointedWhenItIsSent) {
  Audio("a", 200, 0);
  Audio("a", 500, 0);
  playout_.OnItemComplete("a", At(0));
  playout_.OnItemComplete("a", At(0));
  Audio("b", 100, 0);
  carrier_.Take();
  PumpAllTo(0, 700);
  EXPECT_EQ(carrier_.Take(), "a2136 #7 a1064 #8 b1068 ");
}

TEST_F(AssistantPlayoutTest, SilentOnlyWhenAllWasHeard) {
  EXPECT_TRUE(playout_.Silent(At(0)));
  EXPECT_FALSE(playout_.Interruptible(At(0)));
  Audio("a", 1000, 0);
  EXPECT_FALSE(playout_.Silent(At(0)));
  EXPECT_TRUE(playout_.Interruptible(At(0)));
  PumpAllTo(0, 900);
  EXPECT_FALSE(playout_.Silent(At(1109)));
  EXPECT_TRUE(playout_.Silent(At(1110)));
  EXPECT_FALSE(playout_.Interruptible(At(1110)));
}

TEST_F(AssistantPlayoutTest, CutDropsTheQueueAndBeginsAnew) {
  Audio("a", 2000, 0);
  const auto cut = playout_.Cut(At(210));
  ASSERT_EQ(cut.size(), 1u);
  EXPECT_EQ(cut[0].heard, Bytes(100));
  EXPECT_EQ(cut[0].received, Bytes(2000));
  EXPECT_EQ(playout_.queued_bytes(), 0);
  EXPECT_EQ(playout_.kept_bytes(), 0);
  EXPECT_EQ(playout_.NextWake(), absl::InfiniteFuture());
  const int pieces = carrier_.pieces;
  playout_.Pump(At(500));
  EXPECT_EQ(carrier_.pieces, pieces);
  Audio("b", 20, 600);
  EXPECT_EQ(carrier_.pieces, pieces + 1);
}

TEST_F(AssistantPlayoutTest, CompletesAllItems) {
  Audio("a", 100, 0);
  Audio("b", 100, 0);
  playout_.CompleteAll(At(0));
  EXPECT_EQ(playout_.TakeFinished(At(1000)).size(), 2u);
  EXPECT_EQ(playout_.kept_bytes(), 0);
}

TEST_F(AssistantPlayoutTest, PlaysAPromptOfHalfAMinute) {
  Audio("prompt", 30000, 0);
  playout_.OnItemComplete("prompt", At(0));
  absl::Time now = At(0);
  int wakes = 0;
  for (; playout_.TakeFinished(now).empty() && wakes < 1000; ++wakes) {
    now = std::max(now, playout_.NextWake());
    playout_.Pump(now);
  }
  EXPECT_GE(now, At(30110));
  EXPECT_LE(now, At(30140));
  EXPECT_LT(wakes, 250);
}

TEST_F(AssistantPlayoutTest, KeepsOnlyWhatMayBeTakenBack) {
  int64_t most = 0;
  for (int at = 0; at < 10000; at += 20) {
    Audio("a", 20, at);
    playout_.Pump(At(at));
    most = std::max(most, playout_.kept_bytes());
  }
  EXPECT_LE(most, Bytes(260)) << "a start delay, a fifth of a second, and a piece";
}

// ---- Pauses ----

TEST_F(AssistantPlayoutTest, APauseTakesBackWhatWasNotHeard) {
  Audio("a", 2000, 0);
  carrier_.Take();
  const auto sounding = playout_.Pause(At(210));
  ASSERT_TRUE(sounding.has_value());
  EXPECT_EQ(sounding->item_id, "a");
  EXPECT_EQ(sounding->heard, Bytes(100));
  EXPECT_TRUE(playout_.paused());
  EXPECT_EQ(playout_.queued_bytes(), Bytes(1900) + 2) << "from a quantum on";
  PumpAllTo(210, 3000);
  EXPECT_EQ(carrier_.Take(), "") << "nothing is sent";
  EXPECT_FALSE(playout_.Silent(At(3000)));
  EXPECT_TRUE(playout_.Interruptible(At(3000)));
  EXPECT_EQ(playout_.NextWake(), absl::InfiniteFuture());
  EXPECT_FALSE(playout_.OnCheckpointPlayed(1, At(3000))) << "the clear has swallowed it";
}

TEST_F(AssistantPlayoutTest, ResumeGoesOnWhereItStopped) {
  Audio("a", 1000, 0);
  playout_.OnItemComplete("a", At(0));
  playout_.Pause(At(410));
  const std::string before = carrier_.audio.substr(0, 2400 / 3 * 4);
  carrier_.audio.clear();
  playout_.Resume(At(3000));
  EXPECT_FALSE(playout_.paused());
  PumpAllTo(3000, 5000);
  int counter = 0;
  EXPECT_EQ(before + carrier_.audio, CountingSound(Bytes(1000), &counter));
  EXPECT_TRUE(playout_.TakeFinished(At(3000 + 110 + 699)).empty());
  const auto finished = playout_.TakeFinished(At(3000 + 110 + 700));
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].heard, Bytes(1000));
  EXPECT_EQ(finished[0].first_sound, At(110));
}

TEST_F(AssistantPlayoutTest, ACutInAPauseReportsWhatWasHeardBeforeIt) {
  Audio("a", 1000, 0);
  Audio("b", 1000, 0);
  playout_.Pause(At(410));
  const auto cut = playout_.Cut(At(900));
  ASSERT_EQ(cut.size(), 2u);
  EXPECT_EQ(cut[0].heard, Bytes(300));
  EXPECT_EQ(cut[1].heard, 0);
  EXPECT_FALSE(playout_.paused());
  EXPECT_TRUE(playout_.Silent(At(900)));
  Audio("c", 20, 1000);
  EXPECT_EQ(playout_.queued_bytes(), 0);
}

TEST_F(AssistantPlayoutTest, WhatComesInAPauseWaitsForItsEnd) {
  Audio("a", 100, 0);
  playout_.OnItemComplete("a", At(0));
  playout_.Pause(At(160));
  Audio("b", 100, 200);
  playout_.OnItemComplete("b", At(200));
  carrier_.Take();
  EXPECT_TRUE(playout_.TakeFinished(At(1000)).empty());
  playout_.Resume(At(1000));
  EXPECT_EQ(carrier_.Take(), "a216 #6 a216 #7 a104 #8 b268 #9 b404 #10 b396 #11 ");
  const auto finished = playout_.TakeFinished(At(1000 + 110 + 151));
  ASSERT_EQ(finished.size(), 2u);
  EXPECT_EQ(finished[0].item_id, "a");
  EXPECT_EQ(finished[1].item_id, "b");
}

TEST_F(AssistantPlayoutTest, APauseOfSilenceHoldsWhatIsToCome) {
  EXPECT_FALSE(playout_.Pause(At(0)).has_value());
  EXPECT_TRUE(playout_.Silent(At(0)));
  Audio("a", 20, 10);
  EXPECT_EQ(carrier_.Take(), "");
  playout_.Resume(At(20));
  EXPECT_EQ(carrier_.Take(), "a216 #1 ");
}

TEST_F(AssistantPlayoutTest, APauseBehindTheLastSoundTakesNothingBack) {
  Audio("a", 100, 0);
  EXPECT_EQ(playout_.Pause(At(5000))->heard, Bytes(100)) << "more of it may come";
  EXPECT_EQ(playout_.queued_bytes(), 0);
  carrier_.Take();
  playout_.OnItemComplete("a", At(5000));
  EXPECT_EQ(playout_.TakeFinished(At(5000)).size(), 1u);
  playout_.Resume(At(6000));
  EXPECT_EQ(carrier_.Take(), "");
}

TEST_F(AssistantPlayoutTest, ASecondPauseChangesNothing) {
  Audio("a", 1000, 0);
  playout_.Pause(At(410));
  EXPECT_EQ(playout_.Pause(At(500))->heard, Bytes(300));
  EXPECT_EQ(playout_.queued_bytes(), Bytes(700));
}

// However often it is paused, the ear gets each item whole and in order; where a pause was, up to `most_again` bytes
// sound twice. The phone's delay is the usual one here, so that the clock is exact.
void ExpectWhole(bool acknowledges, size_t most_again) {
  std::mt19937 random(7);
  const auto pick = [&random](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  int pauses = 0;
  for (int call = 0; call < 200; ++call) {
    VirtualPhone phone([] { return absl::Milliseconds(110); });
    AssistantPlayout::Options options;
    options.lead = absl::Milliseconds(pick(150, 600));
    options.max_piece_chars = pick(1, 20) * 108;
    AssistantPlayout playout(options, phone);
    std::vector<std::string> given;
    int counter = 0;
    for (int item = 0; item < 3; ++item) given.push_back(CountingSound(pick(1, 12000), &counter));
    std::vector<size_t> offset(given.size());
    const auto next_item = [&] {
      size_t item = 0;
      while (item < given.size() && offset[item] == given[item].size()) ++item;
      return item;
    };
    std::vector<size_t> pause_at;
    int next_audio = 0;
    int next_change = pick(0, 800);
    for (int ms = 0; ms < 60000 && !(next_item() == given.size() && playout.Silent(At(ms))); ++ms) {
      phone.now = At(ms);
      for (const int64_t number : phone.TakeReached()) {
        if (acknowledges) playout.OnCheckpointPlayed(number, phone.now);
      }
      if (ms >= next_audio && next_item() < given.size()) {
        const size_t item = next_item();
        const std::string part = given[item].substr(offset[item], pick(1, 900) * 4);
        std::string bytes;
        ASSERT_TRUE(absl::Base64Unescape(part, &bytes));
        playout.OnAudio(absl::StrCat(item), part, static_cast<int64_t>(bytes.size()), phone.now);
        offset[item] += part.size();
        if (offset[item] == given[item].size()) playout.OnItemComplete(absl::StrCat(item), phone.now);
        next_audio = ms + pick(0, acknowledges ? 20 : 200);
      }
      if (ms >= next_change) {
        next_change = ms + pick(1, 900);
        if (playout.paused()) {
          playout.Resume(phone.now);
        } else {
          playout.Pause(phone.now);
          phone.Clear();
          pause_at.push_back(phone.Heard().size());
          ++pauses;
        }
      }
      if (playout.NextWake() <= phone.now) {
        playout.Pump(phone.now);
        playout.TakeFinished(phone.now);
        ASSERT_GT(playout.NextWake(), phone.now) << "a busy loop";
      }
    }
    std::string whole;
    for (const std::string& item : given) {
      std::string bytes;
      ASSERT_TRUE(absl::Base64Unescape(item, &bytes));
      whole += bytes;
    }
    // Each stretch between pauses goes on where the one before it ended, or a little earlier.
    phone.now += absl::Milliseconds(1);
    const std::string heard = phone.Heard();
    pause_at.push_back(heard.size());
    size_t from = 0;
    size_t at = 0;
    for (const size_t to : pause_at) {
      size_t again = 0;
      const std::string stretch = heard.substr(from, to - from);
      while (again < most_again && again < at && whole.compare(at - again, stretch.size(), stretch) != 0) ++again;
      ASSERT_EQ(whole.compare(at - again, stretch.size(), stretch), 0) << "call " << call << " byte " << at;
      at += stretch.size() - again;
      from = to;
    }
    EXPECT_EQ(at, whole.size()) << "call " << call;
  }
  EXPECT_GT(pauses, 400);
}

TEST(PausePropertyTest, NothingIsLostOrDoubled) { ExpectWhole(false, 2); }

// What sounded before the first checkpoint of a spell came back is not believed in.
TEST(PausePropertyTest, NothingIsLostWhereAcknowledgementsAreAwaited) { ExpectWhole(true, 162 + 2); }

}  // namespace
}  // namespace callbridge::audio
