#include "src/sim/person.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

using testing::Contains;
using testing::ElementsAre;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

// One clip, "word": 250 ms of the byte 'w'.
class OneWord final : public SpeechLibrary {
 public:
  OneWord() : clip_{"word", "Word.", std::string(2000, 'w')} {}
  const Clip* Find(absl::string_view name) const override { return name == "word" ? &clip_ : nullptr; }
  std::vector<const Clip*> All() const override { return {&clip_}; }
  std::vector<const Clip*> Recognize(absl::string_view) const override { return {}; }

 private:
  Clip clip_;
};

// A person and their phone; time moves in ticks.
class Booth final : public Person::Phone {
 public:
  explicit Booth(const std::string& steps)
      : person_(ParseScenario(absl::StrCat("call: outbound\nto: *\n[person]\n", steps))->person,
                std::make_shared<OneWord>()) {
    sight.line_open = true;
    sight.streams = 1;
  }

  // Ticks for so long; what is said is added up in `said`.
  void Run(int ms) {
    for (int passed = 0; passed < ms && !hung_up; passed += 20) {
      now_ += absl::Milliseconds(20);
      person_.Tick(now_, sight, *this);
      said.append(person_.voice().data(), person_.voice().size());
    }
  }
  // The same while the assistant sounds.
  void RunHearing(int ms, char sound = 'a') {
    for (int passed = 0; passed < ms && !hung_up; passed += 20) {
      person_.Hear(now_, std::string(160, sound));
      Run(20);
    }
  }
  bool done() const { return person_.done(); }

  void HangUp() override { hung_up = true; }
  void Press(char digit) override {
    events.push_back(absl::StrCat("key ", std::string(1, digit), " ", absl::ToInt64Milliseconds(now_ - kStart)));
  }
  void DropStream(bool reconnect) override { events.push_back(reconnect ? "drop and come back" : "drop"); }
  void SetAudio(bool on) override { events.push_back(on ? "audio on" : "audio off"); }
  void OnStep(const std::string& what) override { steps.push_back(what); }
  void OnFailed(const std::string& what) override { events.push_back(absl::StrCat("failed ", what)); }

  Person::Sight sight;
  std::vector<std::string> steps, events;
  std::string said;
  bool hung_up = false;

 private:
  Person person_;
  absl::Time now_ = kStart;
};

TEST(PersonTest, SaysAClipInFramesAndFillsTheLast) {
  Booth booth("say word\nhang up");
  booth.Run(1000);
  EXPECT_EQ(booth.said, std::string(2000, 'w') + std::string(80, '\xff'));
  EXPECT_TRUE(booth.hung_up);
}

TEST(PersonTest, WaitsForAnOpenLineBeforeSpeaking) {
  Booth booth("say word");
  booth.sight.line_open = false;
  booth.Run(400);
  EXPECT_EQ(booth.said, "");
  booth.sight.line_open = true;
  booth.Run(400);
  EXPECT_EQ(booth.said.size(), 2080u);
}

TEST(PersonTest, DoneMeansHeardAndThenSilent) {
  Booth booth("wait assistant done 400ms\nhang up");
  booth.Run(1000);
  EXPECT_FALSE(booth.hung_up);
  booth.RunHearing(500);
  booth.Run(380);
  EXPECT_FALSE(booth.hung_up);
  booth.Run(40);
  EXPECT_TRUE(booth.hung_up);
}

TEST(PersonTest, SoundFromBeforeTheLastWordsIsNoAnswer) {
  Booth booth("wait assistant done 100ms\nsay word\nwait assistant done 100ms\nhang up");
  booth.RunHearing(200);
  booth.Run(2000);
  EXPECT_FALSE(booth.hung_up);
  booth.RunHearing(200);
  booth.Run(200);
  EXPECT_TRUE(booth.hung_up);
}

TEST(PersonTest, DigitalSilenceIsNoSpeech) {
  Booth booth("wait assistant speaking 0\nhang up");
  booth.RunHearing(500, '\xff');
  EXPECT_FALSE(booth.hung_up);
  booth.RunHearing(40);
  EXPECT_TRUE(booth.hung_up);
}

TEST(PersonTest, SpeakingCountsTheCurrentUtterance) {
  Booth booth("wait assistant speaking 600ms\nhang up");
  booth.RunHearing(500);
  booth.Run(400);  // A pause: what follows is another utterance.
  booth.RunHearing(500);
  EXPECT_FALSE(booth.hung_up);
  booth.RunHearing(140);
  EXPECT_TRUE(booth.hung_up);
}

TEST(PersonTest, GivesUpWhenAWaitRunsOut) {
  Booth booth("wait connected within 500ms\nsay word");
  booth.Run(2000);
  EXPECT_THAT(booth.events, ElementsAre("failed wait connected"));
  EXPECT_TRUE(booth.hung_up);
  EXPECT_EQ(booth.said, "");
}

TEST(PersonTest, FollowsATransfer) {
  Booth booth("wait transferring\nwait returned\nwait transferring\nwait connected\nhang up");
  booth.Run(100);
  EXPECT_EQ(booth.steps.size(), 1u);
  booth.sight.transferring = true;
  booth.Run(100);
  EXPECT_EQ(booth.steps.back(), "wait returned");
  booth.sight.transferring = false;
  booth.Run(100);
  EXPECT_EQ(booth.steps.back(), "wait returned");
  booth.sight.streams = 2;
  booth.Run(100);
  EXPECT_EQ(booth.steps.size(), 3u);
  booth.sight.transferring = booth.sight.connected = true;
  booth.Run(100);
  EXPECT_TRUE(booth.hung_up);
}

TEST(PersonTest, AReconnectIsNoReturn) {
  Booth booth("drop stream and reconnect\nwait transferring\nwait returned\nhang up");
  booth.sight.streams = 2;
  booth.Run(100);
  booth.sight.transferring = true;
  booth.Run(100);
  booth.sight.transferring = false;
  booth.Run(100);
  EXPECT_FALSE(booth.hung_up);
  EXPECT_THAT(booth.events, Contains("drop and come back"));
}

TEST(PersonTest, PressesAKeyEachTenthOfASecond) {
  Booth booth("press 12#\nstop audio\nresume audio");
  booth.Run(1000);
  EXPECT_THAT(booth.events, ElementsAre("key 1 20", "key 2 120", "key # 220", "audio off", "audio on"));
  EXPECT_TRUE(booth.done());
}

}  // namespace
}  // namespace callbridge::sim
