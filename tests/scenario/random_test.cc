#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/call/scenario_runner.h"

// Inputs in orders that nobody thought of: whatever comes, the runner's promises hold and the call comes to its end.
namespace callbridge::call {
namespace {

// The carrier, the API and the clock do anything at any time; the model keeps only to what one socket gives: no sound
// of a response behind its end, and its items one behind the other. The carrier acknowledges nothing that it did not
// play.
class Chaos {
 public:
  explicit Chaos(uint32_t seed) : random_(seed) {}

  std::string Line() {
    static const char* const kAnything[] = {
        "dial_accepted request_id=q",
        "dial_unknown detail=late",
        "rang carrier_call_id=c",
        "answered carrier_call_id=c",
        "stream_opened stream_id=s",
        "stream_opened stream_id=s",
        "stream_closed clean=true",
        "stream_closed clean=false",
        "caller_audio base64=AAAA",
        "checkpoint_played number=9999",
        "audio_cleared",
        "dtmf digit=1",
        "machine_detected",
        "beep_heard",
        "caller_voice voiced=true",
        "caller_voice voiced=false",
        "tool_asked tool_call_id=h$ name=lookup",
        "tool_finished tool_call_id=h$ ok=true output=o",
        "dtmf_asked tool_call_id=d$ digits=1",
        "end_asked tool_call_id=e$",
        "speech_started item_id=u$",
        "speech_stopped item_id=u$",
        "turn_committed item_id=u$ previous_item_id=a$",
        "caller_text item_id=u$ text=words",
        "caller_text_failed item_id=u$",
        "transfer_asked transfer_id=x$ tool_call_id=t$ destination=sales",
        "transfer_asked transfer_id=x$ tool_call_id=t$ destination=moon",
        "transfer_requested transfer_id=x$ destination=support",
        "transfer_taken transfer_id=x$",
        "transfer_refused transfer_id=x$",
        "transfer_fetched transfer_id=x$",
        "human_answered transfer_id=x$",
        "transfer_done transfer_id=x$ outcome=bridged",
        "transfer_done transfer_id=x$ outcome=busy",
        "tool_refused tool_call_id=t$ name=n problem=p",
        "summary_made text=s",
        "summary_unavailable detail=d",
        "model_error code=e",
        "acks on",
        "acks off",
    };
    static const char* const kDeadly[] = {"model_closed", "model_error code=e fatal=true", "end_requested", "hung_up"};
    const int kind = Pick(0, 99);
    if (kind < 40) return absl::StrCat("+", Pick(0, 700));
    if (kind < 60) return ModelLine();
    if (kind == 60 && Pick(0, 3) == 0) {
      running_ = false;  // A session takes its response with it, and the next one takes a while.
      return absl::StrCat(kDeadly[Pick(0, 3)], "\n+", Pick(600, 3000), "\nsession m2");
    }
    std::string line = kAnything[Pick(0, static_cast<int>(std::size(kAnything)) - 1)];
    for (size_t at = line.find('$'); at != std::string::npos; at = line.find('$'))
      line.replace(at, 1, absl::StrCat(Pick(1, 3)));
    return line;
  }

 private:
  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  std::string ModelLine() {
    if (!running_) {
      running_ = true;
      item_ = 0;
      return absl::StrCat("response_started response_id=r", ++response_);
    }
    if (Pick(0, 9) == 0) ++item_;  // A response's items come one behind the other.
    const std::string item = absl::StrCat("i", response_, "_", item_);
    switch (Pick(0, 6)) {
      case 0: return absl::StrCat("item_added item_id=", item, " previous_item_id=u1 response_id=r", response_);
      case 1: return absl::StrCat("assistant_text item_id=", item, " delta=\"some words \"");
      case 2: return absl::StrCat("assistant_text_done item_id=", item, " text=\"some words of it\"");
      case 3:
        running_ = false;
        return absl::StrCat("response_ended response_id=r", response_,
                            Pick(0, 3) == 0 ? " status=failed" : " status=completed");
      default: return absl::StrCat("audio r", response_, " ", item, " ", Pick(1, 1500), " 300");
    }
  }

  std::mt19937 random_;
  bool running_ = false;
  int response_ = 0;
  int item_ = 0;
};

TEST(RandomTest, WhateverComesTheCallKeepsItsPromises) {
  for (uint32_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Chaos chaos(seed);
    std::string text = seed % 2 == 0 ? "option outbound\nrang\nsession m1\n" : "ready\n";
    if (seed % 5 == 0) absl::StrAppend(&text, "option reversible\n");
    if (seed % 7 == 0)
      absl::StrAppend(&text, "option hold_prompt=300\noption goodbye_prompt=600\noption idle_after=4\n");
    if (seed % 11 == 0) absl::StrAppend(&text, "option voicemail=leave_message\n");
    if (seed % 3 == 0) absl::StrAppend(&text, "option we_cancel\n");
    for (int i = 0; i < 150; ++i) absl::StrAppend(&text, chaos.Line(), "\n");
    const Script script = ReadScript(text);
    ScenarioRunner runner(script);
    for (const ScriptStep& step : script.steps) runner.Do(step, false);
    ASSERT_FALSE(HasFailure()) << text;
    runner.Feed(input::HungUp{});
    runner.AdvanceTo(runner.now_ms() + 60000);
    ASSERT_TRUE(runner.finished()) << runner.Timeline();
    ASSERT_EQ(runner.Count("call_ended"), 1);
    ASSERT_FALSE(HasFailure()) << text;
    ScenarioRunner again(script);
    again.Replay(runner.recorded());
    ASSERT_EQ(again.Results(), runner.Results());
  }
}

}  // namespace
}  // namespace callbridge::call
