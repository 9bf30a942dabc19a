#include "src/tape/replay.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "src/tape/reader.h"
#include "tests/tape/tape_of.h"

namespace callbridge::tape {
namespace {

call::CallOptions Options() {
  call::CallOptions options;
  options.call_id = "call-1";
  options.from = "+14155550100";
  options.to = "+14155550199";
  options.greeting_prompt = "Greet the caller, who calls from +14155550100.";
  options.destinations["sales"].targets = {{"+14155550142"}};
  return options;
}

// A greeting, a barge-in, a hang-up.
std::string ATape(const TapeWriter::Options& form = {}) {
  std::string sound = R"(model_audio response_id="r1" item_id="a1" base64=")";
  for (int i = 0; i < 2136 / 4; ++i) sound += "AAAA";
  sound += "\"";
  return TapeOf(Options(),
                {{1000, R"(stream_opened stream_id="s1")"},
                 {2000, R"(model_created session_id="sess_1" model="gpt-realtime")"},
                 {3000, "model_configured"},
                 {4000, R"(caller_audio base64="AAAA")"},
                 {5000, R"(response_started response_id="r1")"},
                 {5000, R"(item_added item_id="a1" role=assistant response_id="r1")"},
                 {5100, R"(assistant_text item_id="a1" delta="Call 415")"},
                 {5200, R"(assistant_text item_id="a1" delta="5550100 now.")"},
                 {6000, sound},
                 {6100, sound},
                 {150000, "tick"},
                 {190000, R"(speech_started item_id="u1")"},
                 {200000, R"(response_ended response_id="r1" status="cancelled")"},
                 {800000, R"(speech_stopped item_id="u1")"},
                 {810000, R"(turn_committed item_id="u1")"},
                 {900000, R"(caller_text item_id="u1" text="No, +1 415 555 0142.")"},
                 {1000000, R"(hung_up reason=normal_hangup party=caller detail="4000")"},
                 {9500000, "tick"}},
                form);
}

Tape Read(absl::string_view text) {
  auto tape = ReadTape(text);
  EXPECT_TRUE(tape.ok()) << tape.status();
  return tape.ok() ? *std::move(tape) : Tape();
}

TEST(ReplayTest, ACallGoesTheSameWay) {
  const std::string text = ATape();
  std::vector<std::string> lines;
  const Verdict verdict = Replay(Read(text), [&lines](absl::string_view line) { lines.emplace_back(line); });
  EXPECT_TRUE(verdict.same) << verdict.difference;
  EXPECT_TRUE(verdict.complete);
  EXPECT_EQ(verdict.inputs, 18);
  EXPECT_GT(verdict.results, 15);
  EXPECT_EQ(lines.size(), static_cast<size_t>(verdict.inputs + verdict.results));
  EXPECT_EQ(lines[0], "  0.000000 > open_model");
  EXPECT_TRUE(absl::StrContains(verdict.Summary(), "the same: 18 inputs")) << verdict.Summary();
}

TEST(ReplayTest, ATapeWithItsSoundsGoesTheSameWayToo) {
  TapeWriter::Options form;
  form.audio = true;
  const std::string text = ATape(form);
  ASSERT_TRUE(absl::StrContains(text, "> audio_to_carrier base64=\"AAAA"));
  const Verdict verdict = Replay(Read(text));
  EXPECT_TRUE(verdict.same) << verdict.difference;
  EXPECT_TRUE(verdict.complete);
}

TEST(ReplayTest, NoNumberIsOnATape) {
  const std::string text = ATape();
  for (const char* number : {"4155550", "5550100", "555 0142"}) EXPECT_FALSE(absl::StrContains(text, number)) << text;
}

// Each command and event, one after the other, is made another one, or left out, or said twice: the guard sees it.
TEST(ReplayTest, EveryDifferenceIsSeen) {
  const std::string text = ATape();
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  int changed = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!absl::StartsWith(lines[i], "T+") || absl::StrContains(lines[i], " < ") || absl::EndsWith(lines[i], " end"))
      continue;
    const size_t mark = lines[i].find_first_of(">=");
    const std::string other_name = absl::StrCat(lines[i].substr(0, mark + 2), "x", lines[i].substr(mark + 2));
    const std::string other_kind =
        absl::StrCat(lines[i].substr(0, mark), lines[i][mark] == '>' ? "=" : ">", lines[i].substr(mark + 1));
    for (const std::string& instead : {other_name, other_kind, std::string(), lines[i] + "\n" + lines[i]}) {
      std::vector<std::string> copy = lines;
      copy[i] = instead;
      const auto tape = ReadTape(absl::StrJoin(copy, "\n"));
      if (!tape.ok()) continue;  // A sound without its length.
      const Verdict verdict = Replay(*tape);
      EXPECT_FALSE(verdict.same) << "not seen: " << lines[i] << " -> " << instead;
      EXPECT_GT(verdict.line, 0);
      ++changed;
    }
  }
  EXPECT_GT(changed, 60);
}

TEST(ReplayTest, ADifferenceIsShownWithBothLinesAndWhatCameBefore) {
  const std::string text = absl::StrReplaceAll(ATape(), {{"audio_end_ms=", "audio_end_ms=1"}});
  const Verdict verdict = Replay(Read(text));
  ASSERT_FALSE(verdict.same);
  EXPECT_TRUE(absl::StrContains(verdict.difference, "  tape: > truncate_item item_id=\"a1\" audio_end_ms=1"));
  EXPECT_TRUE(absl::StrContains(verdict.difference, "  now:  > truncate_item item_id=\"a1\" audio_end_ms="));
  EXPECT_TRUE(absl::StrContains(verdict.difference, "  0.190000 < speech_started")) << verdict.difference;
  EXPECT_TRUE(absl::StrContains(verdict.Summary(), absl::StrCat("different at line ", verdict.line)));
}

TEST(ReplayTest, ATapeThatBreaksOffIsTheSameSoFar) {
  const std::string text = ATape();
  int truncated = 0;
  for (size_t end = text.find("\nT+") + 4; end < text.size(); end += 7) {
    const auto tape = ReadTape(absl::string_view(text).substr(0, end));
    ASSERT_TRUE(tape.ok()) << tape.status();
    const Verdict verdict = Replay(*tape);
    EXPECT_TRUE(verdict.same) << verdict.difference;
    EXPECT_FALSE(verdict.complete) << end;
    EXPECT_TRUE(absl::StrContains(verdict.Summary(), "ends before its call"));
    ++truncated;
  }
  EXPECT_GT(truncated, 100);
}

TEST(ReplayTest, ATapeWithoutItsEndMayNotHaveOneEither) {
  const Verdict verdict = Replay(Read("callbridge tape 1\nbegin=2026-11-22T19:00:00Z\nT+0 end\n"));
  EXPECT_FALSE(verdict.same);
  EXPECT_TRUE(absl::StrContains(verdict.difference, "now:  > open_model")) << verdict.difference;
}

}  // namespace
}  // namespace callbridge::tape
