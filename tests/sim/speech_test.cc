#include "src/sim/speech.h"

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/sim/mulaw.h"
#include "src/sim/speech_words.h"

namespace callbridge::sim {
namespace {

const SpeechLibrary& Library() {
  static const std::shared_ptr<const SpeechLibrary> library = [] {
    absl::StatusOr<std::shared_ptr<const SpeechLibrary>> loaded = SpeechLibrary::Load();
    if (!loaded.ok()) {
      ADD_FAILURE() << loaded.status();
      std::abort();
    }
    return *loaded;
  }();
  return *library;
}

const std::string& Audio(absl::string_view name) { return Library().Find(name)->mulaw; }

std::vector<std::string> Heard(absl::string_view mulaw) {
  std::vector<std::string> names;
  for (const Clip* clip : Library().Recognize(mulaw)) names.push_back(clip->name);
  return names;
}

using Names = std::vector<std::string>;

TEST(SpeechTest, LoadsRecordingsWithWords) {
  const Clip* clip = Library().Find("vm-goodbye");
  ASSERT_NE(clip, nullptr);
  EXPECT_EQ(clip->words, "Goodbye.");
  EXPECT_GT(clip->mulaw.size(), 6000u);
  EXPECT_EQ(Library().Find("digits/1")->words, "one");
  EXPECT_EQ(Library().Find("conf-roll-callcomplete")->words, "conf roll callcomplete");
  EXPECT_EQ(Library().Find("no-such-clip"), nullptr);
}

TEST(SpeechTest, KnowsWhatManyRecordingsSay) {
  int known = 0;
  for (const Clip* clip : Library().All()) known += HasWords(clip->name) ? 1 : 0;
  EXPECT_GE(known, 60);
}

TEST(SpeechTest, MakesTonesAndSilence) {
  const Clip* tone = Library().Find("tone:500");
  ASSERT_NE(tone, nullptr);
  EXPECT_EQ(tone->mulaw.size(), 4000u);
  EXPECT_EQ(tone->words, "");
  EXPECT_EQ(Library().Find("tone:500"), tone);
  EXPECT_EQ(Library().Find("silence:20")->mulaw, std::string(160, kMulawSilence));
  for (const char* wrong : {"tone:", "tone:0", "tone:-1", "tone:60001", "tone:x", "beep:0", "noise:5", ":5", ""}) {
    EXPECT_EQ(Library().Find(wrong), nullptr) << wrong;
  }
}

TEST(SpeechTest, RecognizesEveryRecordingThatSounds) {
  for (const Clip* clip : Library().All()) {
    if (clip->words.empty()) continue;
    const std::vector<const Clip*> heard = Library().Recognize(clip->mulaw);
    ASSERT_EQ(heard.size(), 1u) << clip->name << " heard as " << absl::StrCat(heard.size(), " clips");
    EXPECT_EQ(heard[0]->mulaw, clip->mulaw) << clip->name << " heard as " << heard[0]->name;
  }
}

TEST(SpeechTest, RecognizesAnUnalignedStream) {
  const std::string quiet(1234, kMulawSilence);
  const std::string stream = absl::StrCat(quiet, Audio("hello-world"), quiet.substr(0, 77), Audio("vm-goodbye"),
                                          Audio("tone:300"), Audio("digits/7"));
  for (int cut = 0; cut < 8; ++cut) {
    EXPECT_EQ(Heard(absl::string_view(stream).substr(cut)), (Names{"hello-world", "vm-goodbye", "digits/7"}));
  }
}

TEST(SpeechTest, HearsTheSameRecordingTwice) {
  EXPECT_EQ(Heard(absl::StrCat(Audio("hello-world"), Audio("hello-world"))), (Names{"hello-world", "hello-world"}));
}

TEST(SpeechTest, RecognizesPartsButNotScraps) {
  const absl::string_view clip = Audio("demo-congrats");
  EXPECT_EQ(Heard(clip.substr(40000, 20000)), Names{"demo-congrats"});
  EXPECT_EQ(Heard(clip.substr(40003, 1600)), Names{"demo-congrats"});
  EXPECT_EQ(Heard(clip.substr(40003, 1500)), Names{});
}

TEST(SpeechTest, LostFramesDoNotSplitARecording) {
  const absl::string_view clip = Audio("demo-congrats");
  std::string stream;
  for (size_t at = 0; at + 640 <= clip.size(); at += 640) absl::StrAppend(&stream, clip.substr(at, 480));
  EXPECT_EQ(Heard(stream), Names{"demo-congrats"});
}

TEST(SpeechTest, ChangedSoundIsNotUnderstood) {
  std::string louder = Audio("demo-congrats");
  for (char& c : louder) {
    const int sample = LinearFromMulaw(static_cast<uint8_t>(c)) * 3 / 4;
    c = static_cast<char>(MulawFromLinear(static_cast<int16_t>(sample)));
  }
  EXPECT_EQ(Heard(louder), Names{});
  EXPECT_EQ(Heard(std::string(80000, kMulawSilence)), Names{});
  EXPECT_EQ(Heard("short"), Names{});
  EXPECT_EQ(Heard(Audio("tone:900")), Names{});
}

TEST(SpeechTest, SaysWhatIsMissing) {
  const absl::Status missing = SpeechLibrary::Load("/nonexistent").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(missing.message().find("asterisk-core-sounds-en-wav"), absl::string_view::npos) << missing;
  const std::string folder = absl::StrCat(testing::TempDir(), "/speech_test_empty");
  ASSERT_EQ(std::system(absl::StrCat("mkdir -p ", folder).c_str()), 0);
  EXPECT_EQ(SpeechLibrary::Load(folder).status().code(), absl::StatusCode::kNotFound);
  std::ofstream(absl::StrCat(folder, "/bad.wav")) << "RIFF....WAVEdata....";
  const absl::Status bad = SpeechLibrary::Load(folder).status();
  EXPECT_EQ(bad.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(bad.message().find("bad.wav"), absl::string_view::npos) << bad;
}

}  // namespace
}  // namespace callbridge::sim
