#include "src/tape/reader.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/call/options_text.h"

namespace callbridge::tape {
namespace {

constexpr char kHead[] = "callbridge tape 1\nbegin=2026-11-22T19:00:00.000000005+00:00\n";

TEST(ReaderTest, ATapeIsReadBack) {
  const auto tape = ReadTape(absl::StrCat(kHead,
                                          "# a comment\n"
                                          "call_id=\"call-1\"\n"
                                          "answer_limit_ms=4500\n"
                                          "\n"
                                          "T+0 > open_model\n"
                                          "T+20.5 < caller_audio bytes=160 passed=true then_us=20000,19987.5\n"
                                          "T+40008 < caller_audio bytes=160\n"
                                          "T+50000 < model_audio response_id=\"r\" item_id=\"a\" bytes=1600\n"
                                          "T+50000 < model_audio as_input=true item_id=\"a\" base64=\"AAAA\"\n"
                                          "T+60000 = call_ended reason=\"x\"\n"
                                          "T+60000 end\n"));
  ASSERT_TRUE(tape.ok()) << tape.status();
  EXPECT_TRUE(tape->complete);
  EXPECT_EQ(tape->options.call_id, "call-1");
  EXPECT_EQ(tape->options.answer_limit, absl::Milliseconds(4500));
  EXPECT_EQ(absl::ToUnixNanos(tape->begin) % 1000, 5);
  struct Row {
    Entry::Kind kind;
    double us;
    const char* text;
  };
  const Row rows[] = {
      {Entry::Kind::kCommand, 0, "open_model"},
      {Entry::Kind::kFrame, 20.5, "caller_audio bytes=160"},
      {Entry::Kind::kCommand, 20.5, "audio_to_model bytes=160"},
      {Entry::Kind::kFrame, 20020.5, "caller_audio bytes=160"},
      {Entry::Kind::kCommand, 20020.5, "audio_to_model bytes=160"},
      {Entry::Kind::kFrame, 40008, "caller_audio bytes=160"},
      {Entry::Kind::kCommand, 40008, "audio_to_model bytes=160"},
      {Entry::Kind::kFrame, 40008, "caller_audio bytes=160"},
      {Entry::Kind::kSound, 50000, R"(model_audio response_id="r" item_id="a" bytes=1600)"},
      {Entry::Kind::kInput, 50000, R"(model_audio as_input=true item_id="a" base64="AAAA")"},
      {Entry::Kind::kEvent, 60000, R"(call_ended reason="x")"},
  };
  ASSERT_EQ(tape->entries.size(), std::size(rows));
  for (size_t i = 0; i < std::size(rows); ++i) {
    EXPECT_EQ(tape->entries[i].kind, rows[i].kind) << i;
    EXPECT_EQ(tape->entries[i].at, absl::Nanoseconds(static_cast<int64_t>(rows[i].us * 1000))) << i;
    EXPECT_EQ(tape->entries[i].text, rows[i].text) << i;
  }
  EXPECT_EQ(tape->entries[8].bytes, 1600);
  EXPECT_EQ(std::get<call::input::ModelAudio>(tape->entries[8].input).base64, call::SilentBase64(1600));
  EXPECT_EQ(std::get<call::input::ModelAudio>(tape->entries[9].input).base64, "AAAA");
}

TEST(ReaderTest, ErrorsNameTheLineAndWhatWouldBeRight) {
  const std::pair<std::string, std::string> rows[] = {
      {"", "line 1: 'callbridge tape 1' is needed"},
      {"callbridge tape 2\n", "line 1: this is no tape of a call: 'callbridge tape 1' is needed"},
      {"callbridge tape 1\n", "line 2: begin=TIME is needed"},
      {"callbridge tape 1\nT+0 < tick\n", "line 2: begin=TIME is needed first"},
      {"callbridge tape 1\nbegin=yesterday\n", "line 2: begin: 2026-11-22T19:00:00.5Z or the like is needed"},
      {absl::StrCat(kHead, "volume=11\n"), "line 3: volume: there is no such option"},
      {absl::StrCat(kHead, "T+0 < tick\nagent=\"a\"\n"), "line 4: options stand before what happened"},
      {absl::StrCat(kHead, "T+x < tick\n"), "line 3: T+MICROSECONDS is needed"},
      {absl::StrCat(kHead, "T+-1 < tick\n"), "line 3: T+MICROSECONDS is needed"},
      {absl::StrCat(kHead, "T+99999999999999999999 < tick\n"), "line 3: T+MICROSECONDS is needed"},
      {absl::StrCat(kHead, "T+2 < tick\nT+1 < tick\n"), "line 4: the time goes backwards"},
      {absl::StrCat(kHead, "T+1 tick\n"), "line 3: behind the time '< INPUT'"},
      {absl::StrCat(kHead, "T+1 ? tick\n"), "line 3: behind the time '< INPUT'"},
      {absl::StrCat(kHead, "T+1\n"), "line 3: behind the time '< INPUT'"},
      {absl::StrCat(kHead, "T+1 end\nT+1 < tick\n"), "line 4: nothing may follow the end"},
      {absl::StrCat(kHead, "T+1 < sneezed\n"), "line 3: no input is named 'sneezed'"},
      {absl::StrCat(kHead, "T+1 < dtmf digits=5\n"), "line 3: dtmf: no field 'digits'"},
      {absl::StrCat(kHead, "T+1 < caller_audio\n"), "line 3: bytes: a number from -1 to"},
      {absl::StrCat(kHead, "T+1 < caller_audio bytes=-2\n"), "line 3: bytes: a number from -1 to"},
      {absl::StrCat(kHead, "T+1 < caller_audio bytes=999999999\n"), "line 3: bytes: a number from -1 to"},
      {absl::StrCat(kHead, "T+1 < caller_audio bytes=1 colour=red\n"), "line 3: caller_audio: no field 'colour'"},
      {absl::StrCat(kHead, "T+1 < caller_audio bytes=1 then_us=1,x\n"), "line 3: then_us: microseconds are needed"},
      {absl::StrCat(kHead, "T+1 < model_audio bytes=1 colour=red\n"), "line 3: model_audio: no field 'colour'"},
      {absl::StrCat(kHead, "T+1 > audio_to_model loud=true\n"), "line 3: bytes: a number from -1 to"},
  };
  for (const auto& [text, problem] : rows) {
    const auto tape = ReadTape(text);
    ASSERT_FALSE(tape.ok()) << text;
    EXPECT_TRUE(absl::StrContains(tape.status().message(), problem)) << text << ": " << tape.status();
  }
}

TEST(ReaderTest, ALineThatWasNotFinishedIsLeftOut) {
  const auto tape = ReadTape(absl::StrCat(kHead, "T+0 < tick\nT+1 < checkpoint_pl"));
  ASSERT_TRUE(tape.ok()) << tape.status();
  EXPECT_EQ(tape->entries.size(), 1u);
  EXPECT_FALSE(tape->complete);
}

TEST(ReaderTest, AFileThatIsNotThereIsAnError) {
  const auto tape = ReadTapeFile(testing::TempDir() + "/none.tape");
  EXPECT_EQ(tape.status().code(), absl::StatusCode::kNotFound) << tape.status();
  EXPECT_FALSE(ReadTapeFile(testing::TempDir()).ok());
}

}  // namespace
}  // namespace callbridge::tape
