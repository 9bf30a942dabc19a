#include "src/sim/vad.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

using Kind = Vad::Event::Kind;

std::string Quiet(int ms) { return std::string(static_cast<size_t>(ms) * 8, '\xff'); }
std::string Loud(int ms) { return std::string(static_cast<size_t>(ms) * 8, '\x9f'); }   // 8031
std::string Faint(int ms) { return std::string(static_cast<size_t>(ms) * 8, '\xef'); }  // 132: noise of a line

std::vector<Vad::Event> Listen(Vad& vad, absl::string_view audio, size_t piece = 160) {
  std::vector<Vad::Event> events;
  for (size_t at = 0; at < audio.size(); at += piece) {
    absl::string_view rest = audio.substr(at, piece);
    while (!rest.empty()) {
      Vad::Event event;
      rest.remove_prefix(vad.Feed(rest, &event));
      if (event.kind != Kind::kNone) events.push_back(event);
    }
  }
  return events;
}

Vad Made(double threshold = 0.5, int prefix = 300, int silence = 500) {
  Vad vad;
  vad.Configure({threshold, prefix, silence});
  return vad;
}

TEST(VadTest, FindsATurnWithPaddingAndSilence) {
  // Pieces of any size find the same: positions are of audio, not of messages.
  for (size_t piece : {160, 7, 4000, 100000}) {
    Vad vad = Made();
    const std::vector<Vad::Event> events = Listen(vad, Quiet(1000) + Loud(600) + Quiet(800), piece);
    ASSERT_EQ(events.size(), 2u) << piece;
    EXPECT_EQ(events[0].kind, Kind::kStarted);
    EXPECT_EQ(events[0].audio_ms, 700);
    EXPECT_EQ(events[1].kind, Kind::kStopped);
    EXPECT_EQ(events[1].audio_ms, 2100);
  }
}

TEST(VadTest, PaddingDoesNotReachBeforeTheStartOrTheTurnBefore) {
  Vad vad = Made(0.5, 300, 100);
  const std::vector<Vad::Event> events = Listen(vad, Quiet(100) + Loud(400) + Quiet(120) + Loud(400) + Quiet(200));
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].audio_ms, 0);
  EXPECT_EQ(events[1].audio_ms, 600);
  EXPECT_EQ(events[2].audio_ms, 600);
}

TEST(VadTest, ClicksNoiseAndShortPausesDoNotCount) {
  Vad vad = Made();
  EXPECT_TRUE(Listen(vad, Loud(40) + Quiet(500) + Faint(3000)).empty());
  EXPECT_EQ(Listen(vad, Loud(300) + Quiet(400) + Loud(300)).size(), 1u);
}

TEST(VadTest, AHighThresholdNeedsLouderSpeech) {
  const std::string soft(8000, '\xcf');  // 924
  Vad low = Made(0.5), high = Made(1.0);
  EXPECT_EQ(Listen(low, soft).size(), 1u);
  const std::string softer(8000, '\xd9');  // 556
  EXPECT_EQ(Listen(low, Quiet(600) + softer).size(), 2u);
  EXPECT_TRUE(Listen(high, softer).empty());
}

TEST(VadTest, SkippedAudioCounts) {
  Vad vad = Made();
  vad.Skip(8000);
  const std::vector<Vad::Event> events = Listen(vad, Quiet(400) + Loud(200));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].audio_ms, 1100);
}

}  // namespace
}  // namespace callbridge::sim
