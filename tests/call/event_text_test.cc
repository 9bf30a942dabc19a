#include "src/call/event_text.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace callbridge::call {
namespace {

std::string Line(EventBody body) { return FormatEvent(Event{"call-1", 7, absl::UnixEpoch(), std::move(body)}); }

TEST(EventTextTest, TheTypeAndEachField) {
  EXPECT_EQ(Line(BargeIn{"a1", 420, 2000, HeardBasis::kPaced}),
            R"(barge_in item_id="a1" heard_ms=420 received_ms=2000 basis="paced")");
  EXPECT_EQ(Line(AssistantSpeechStarted{"a1", true}), R"(assistant_speech_started item_id="a1" greeting=true)");
  EXPECT_EQ(Line(CallCreated{Direction::kOutbound, "+15550100", "+15550199", "reception", "lead-1"}),
            R"(call_created direction="outbound" from="+15550100" to="+15550199" agent="reception" lead_id="lead-1")");
}

TEST(EventTextTest, WhatClientsDid) {
  EXPECT_EQ(Line(SayRequested{"q", "t", "p", true, "w"}),
            R"(say_requested request_id="q" text="t" prompt="p" interrupt=true principal="w")");
  EXPECT_EQ(Line(ContextInjected{"q", "t", true, "w"}),
            R"(context_injected request_id="q" text="t" respond=true principal="w")");
  EXPECT_EQ(Line(InstructionsUpdated{"i", "w"}), R"(instructions_updated instructions="i" principal="w")");
  EXPECT_EQ(Line(DtmfSent{"1#", "q", "w"}), R"(dtmf_sent digits="1#" request_id="q" principal="w")");
  EXPECT_EQ(Line(MuteChanged{true, false, "w"}),
            R"(mute_changed caller_muted=true assistant_muted=false principal="w")");
  EXPECT_EQ(Line(TakeoverChanged{true, "r", "w"}), R"(takeover_changed taken_over=true reason="r" principal="w")");
  EXPECT_EQ(Line(ToolCalled{"t", "n", "{}", absl::UnixEpoch()}),
            R"(tool_called tool_call_id="t" name="n" arguments="{}" for_client=true)");
}

TEST(EventTextTest, AnyTextStaysOneLine) {
  const std::string line = Line(SummaryFailed{"two\nlines, \"quoted\"\r"});
  EXPECT_EQ(line, R"(summary_failed reason="two\nlines, \"quoted\"\r")");
}

TEST(EventTextTest, EachTargetTriedIsToldApart) {
  Transfer transfer;
  transfer.transfer_id = "x";
  transfer.attempts = {{"+15550111", TransferOutcome::kBusy, "DialStatus busy", {}, {}},
                       {"sip:a@b", TransferOutcome::kPending, "", {}, {}}};
  const std::string line = Line(TransferChanged{transfer});
  EXPECT_TRUE(absl::StrContains(
      line, R"(attempt1_number="+15550111" attempt1_outcome="busy" attempt1_detail="DialStatus busy")"))
      << line;
  EXPECT_TRUE(absl::StrContains(line, R"(attempt2_number="sip:a@b" attempt2_outcome="pending")")) << line;
}

TEST(EventTextTest, TwoResultsAreTwoLines) {
  CallResult result;
  result.disposition = "interested";
  result.interest = "high";
  result.follow_up_time = "2026-11-23T10:00:00Z";
  result.fields_json = "{\"a\":1}";
  EXPECT_EQ(Line(SummaryReady{"s", result}), R"(summary_ready summary="s" disposition="interested" interest="high")"
                                             R"( follow_up_time="2026-11-23T10:00:00Z" fields="{\"a\":1}")");
}

}  // namespace
}  // namespace callbridge::call
