#include "src/call/input_text.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace callbridge::call {
namespace {

// Each input with every field set to what is not its default, and its line.
std::vector<std::pair<input::Input, std::string>> Inputs() {
  namespace in = input;
  return {
      {in::DialAccepted{"r"}, R"(dial_accepted request_id="r")"},
      {in::DialRefused{EndReason::kBusy, "d"}, R"(dial_refused reason=busy detail="d")"},
      {in::DialUnknown{"d"}, R"(dial_unknown detail="d")"},
      {in::Rang{"c"}, R"(rang carrier_call_id="c")"},
      {in::Answered{"c"}, R"(answered carrier_call_id="c")"},
      {in::HungUp{EndReason::kNoAnswer, Party::kCallee, "d"}, R"(hung_up reason=no_answer party=callee detail="d")"},
      {in::StreamOpened{"s"}, R"(stream_opened stream_id="s")"},
      {in::StreamClosed{false, "d"}, R"(stream_closed clean=false detail="d")"},
      {in::CallerAudio{"AA=="}, R"(caller_audio base64="AA==")"},
      {in::CheckpointPlayed{-9223372036854775807}, "checkpoint_played number=-9223372036854775807"},
      {in::AudioCleared{}, "audio_cleared"},
      {in::Dtmf{"#"}, R"(dtmf digit="#")"},
      {in::ModelCreated{"s", "m", 3600000}, R"(model_created session_id="s" model="m" lifetime_ms=3600000)"},
      {in::ModelConfigured{}, "model_configured"},
      {in::ResponseStarted{"r", "q"}, R"(response_started response_id="r" request_id="q")"},
      {in::ItemAdded{"i", "p", Role::kTool, "r"},
       R"(item_added item_id="i" previous_item_id="p" role=tool response_id="r")"},
      {in::ModelAudio{"r", "i", "AAAA"}, R"(model_audio response_id="r" item_id="i" base64="AAAA")"},
      {in::ModelAudioDone{"i"}, R"(model_audio_done item_id="i")"},
      {in::AssistantText{"i", " d"}, R"(assistant_text item_id="i" delta=" d")"},
      {in::AssistantTextDone{"i", "t"}, R"(assistant_text_done item_id="i" text="t")"},
      {in::ResponseEnded{"r", "failed", "c", "d"},
       R"(response_ended response_id="r" status="failed" code="c" detail="d")"},
      {in::SpeechStarted{"u"}, R"(speech_started item_id="u")"},
      {in::SpeechStopped{"u"}, R"(speech_stopped item_id="u")"},
      {in::TurnCommitted{"u", "p"}, R"(turn_committed item_id="u" previous_item_id="p")"},
      {in::CallerText{"u", "t"}, R"(caller_text item_id="u" text="t")"},
      {in::CallerTextFailed{"u", "d"}, R"(caller_text_failed item_id="u" detail="d")"},
      {in::TransferAsked{"x", "t", "sales", "w", "{\"a\":1}"},
       R"(transfer_asked transfer_id="x" tool_call_id="t" destination="sales" reason="w" arguments="{\"a\":1}")"},
      {in::EndAsked{"t", "w", "{}"}, R"(end_asked tool_call_id="t" reason="w" arguments="{}")"},
      {in::DtmfAsked{"t", "1#", "{}"}, R"(dtmf_asked tool_call_id="t" digits="1#" arguments="{}")"},
      {in::ToolAsked{"t", "n", "{}"}, R"(tool_asked tool_call_id="t" name="n" arguments="{}")"},
      {in::ToolFinished{"t", true, "{\"a\":1}"}, R"(tool_finished tool_call_id="t" ok=true output="{\"a\":1}")"},
      {in::ToolRefused{"t", "n", "p"}, R"(tool_refused tool_call_id="t" name="n" problem="p")"},
      {in::SummaryMade{"t"}, R"(summary_made text="t")"},
      {in::SummaryUnavailable{"d"}, R"(summary_unavailable detail="d")"},
      {in::ModelError{"c", "m", true, EndReason::kModelQuota},
       R"(model_error code="c" message="m" fatal=true reason=model_quota)"},
      {in::ModelClosed{EndReason::kModelRefused, "d"}, R"(model_closed reason=model_refused detail="d")"},
      {in::CallerVoice{true, 40}, "caller_voice voiced=true ms=40"},
      {in::BeepHeard{}, "beep_heard"},
      {in::MachineDetected{"d"}, R"(machine_detected detail="d")"},
      {in::TransferTaken{"x"}, R"(transfer_taken transfer_id="x")"},
      {in::TransferRefused{"x", "d"}, R"(transfer_refused transfer_id="x" detail="d")"},
      {in::TransferFetched{"x", 1}, R"(transfer_fetched transfer_id="x" target=1)"},
      {in::HumanAnswered{"x", 2}, R"(human_answered transfer_id="x" target=2)"},
      {in::TransferDone{"x", 1, TransferOutcome::kBusy, "d"},
       R"(transfer_done transfer_id="x" target=1 outcome=busy detail="d")"},
      {in::EndRequested{EndReason::kServerDrain, "d", "g"},
       R"(end_requested reason=server_drain detail="d" goodbye="g")"},
      {in::TransferRequested{"x", "sales", "r", "+1"},
       R"(transfer_requested transfer_id="x" destination="sales" reason="r" number="+1")"},
      {in::TransferCancelRequested{"x"}, R"(transfer_cancel_requested transfer_id="x")"},
      {in::SayRequested{"q", "t", "p", true, "w"},
       R"(say_requested request_id="q" text="t" prompt="p" interrupt=true principal="w")"},
      {in::ContextGiven{"q", "t", true, "w"}, R"(context_given request_id="q" text="t" respond=true principal="w")"},
      {in::InstructionsGiven{"i", "w"}, R"(instructions_given instructions="i" principal="w")"},
      {in::DtmfRequested{"q", "1#", "w"}, R"(dtmf_requested request_id="q" digits="1#" principal="w")"},
      {in::MuteRequested{true, false, "w"}, R"(mute_requested caller_muted=true assistant_muted=false principal="w")"},
      {in::TakeoverRequested{"r", "w"}, R"(takeover_requested reason="r" principal="w")"},
      {in::ReleaseRequested{"c", true, "w"}, R"(release_requested context="c" respond=true principal="w")"},
      {in::ToolResultGiven{"t", true, "{}"}, R"(tool_result_given tool_call_id="t" ok=true output="{}")"},
      {in::Tick{}, "tick"},
  };
}

TEST(InputTextTest, EveryInputIsWrittenAndReadBack) {
  const auto inputs = Inputs();
  ASSERT_EQ(inputs.size(), std::variant_size_v<input::Input>);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto& [input, line] = inputs[i];
    ASSERT_EQ(input.index(), i) << line;
    EXPECT_EQ(FormatInput(input), line);
    const auto back = ParseInput(line);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->index(), i) << line;
    EXPECT_EQ(FormatInput(*back), line);
  }
}

TEST(InputTextTest, AnyBytesSurvive) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (const std::string& text :
       {bytes, std::string("\"quoted\" \\ back"), std::string("ü 🎤"), std::string("a=b c=d"), std::string(" ")}) {
    const auto back = ParseInput(FormatInput(input::CallerText{"u", text}));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(std::get<input::CallerText>(*back).text, text);
  }
}

TEST(InputTextTest, ALineOfAnInputIsOneLine) {
  EXPECT_FALSE(absl::StrContains(FormatInput(input::CallerText{"u", "two\nlines\r"}), "\n"));
}

TEST(InputTextTest, FieldsMayBeLeftOutUnquotedAndInAnyOrder) {
  const auto input = ParseInput("  hung_up   detail=4000 party=carrier  ");
  ASSERT_TRUE(input.ok()) << input.status();
  const auto& hung_up = std::get<input::HungUp>(*input);
  EXPECT_EQ(hung_up.reason, EndReason::kNormalHangup);
  EXPECT_EQ(hung_up.party, Party::kCarrier);
  EXPECT_EQ(hung_up.detail, "4000");
  EXPECT_EQ(std::get<input::CallerAudio>(*ParseInput("caller_audio base64=AA==")).base64, "AA==");
  EXPECT_EQ(std::get<input::Dtmf>(*ParseInput("dtmf digit=")).digit, "");
}

TEST(InputTextTest, ErrorsNameTheWord) {
  const std::pair<std::string, std::string> rows[] = {
      {"", "no input is named ''"},
      {"open_model", "no input is named 'open_model'"},
      {"Tick", "no input is named 'Tick'"},
      {"tick now=1", "tick: no field 'now'"},
      {"dtmf digits=1", "dtmf: no field 'digits'"},
      {"dtmf 5", "expected name=value, found '5'"},
      {"dtmf =5", "expected name=value, found '=5'"},
      {R"(dtmf digit="5)", "digit: the closing quote is missing"},
      {R"(dtmf digit="5\)", "digit: the closing quote is missing"},
      {R"(dtmf digit="\q")", "digit: "},
      {R"(dtmf digit="5"digit="6")", "digit: a blank is missing behind the closing quote"},
      {"dtmf digit=1 digit=2", "digit: given twice"},
      {"checkpoint_played number=one", "checkpoint_played: number: not a number"},
      {"checkpoint_played number=9223372036854775808", "checkpoint_played: number: not a number"},
      {"stream_closed clean=yes", "stream_closed: clean: neither true nor false"},
      {"hung_up reason=bored", "hung_up: reason: 'bored' is none of its words"},
      {"hung_up reason=busy party=nobody", "hung_up: party: 'nobody' is none of its words"},
  };
  for (const auto& [line, problem] : rows) {
    const auto input = ParseInput(line);
    ASSERT_FALSE(input.ok()) << line;
    EXPECT_EQ(input.status().code(), absl::StatusCode::kInvalidArgument) << line;
    EXPECT_TRUE(absl::StrContains(input.status().message(), problem)) << line << ": " << input.status();
  }
}

TEST(InputTextTest, CommandsAreWritten) {
  namespace c = command;
  TranscriptItem item;
  item.item_id = "a1";
  item.position = 2;
  item.role = Role::kAssistant;
  item.status = ItemStatus::kCut;
  item.text_generated = "Hello there.";
  item.text_heard = "Hello";
  item.generated_ms = 900;
  item.heard_ms = 400;
  item.basis = HeardBasis::kPaced;
  c::HistoryItem said{Role::kCaller, "h1", "Hi.", "", "", ""};
  c::HistoryItem done{Role::kTool, "h2", "{}", "t", "n", "{\"a\":1}"};
  c::NextStep dial;
  dial.kind = c::NextStep::Kind::kDial;
  dial.transfer_id = "x";
  dial.targets = {{"+1", absl::Seconds(20)}, {"sip:a@b", absl::Milliseconds(1500)}};
  dial.first_target = 1;
  dial.whisper = "w";
  dial.confirm_key = "5";
  const std::pair<c::Command, std::string> rows[] = {
      {c::OpenModel{}, "open_model"},
      {c::ConfigureModel{true}, "configure_model protect_greeting=true"},
      {c::ReleaseGreeting{}, "release_greeting"},
      {c::RestoreConversation{{said, done}},
       R"(restore_conversation role=caller item_id="h1" text="Hi.")"
       R"( role=tool item_id="h2" text="{}" tool_call_id="t" name="n" arguments="{\"a\":1}")"},
      {c::RewriteItem{"h1", "h0", "H"}, R"(rewrite_item item_id="h1" previous_item_id="h0" text="H")"},
      {c::AddSystemText{"t"}, R"(add_system_text text="t")"},
      {c::AddCallerText{"t"}, R"(add_caller_text text="t")"},
      {c::CreateResponse{"i", "q"}, R"(create_response instructions="i" request_id="q")"},
      {c::CancelResponse{"r"}, R"(cancel_response response_id="r")"},
      {c::TruncateItem{"a", 5}, R"(truncate_item item_id="a" audio_end_ms=5)"},
      {c::DeleteItem{"a"}, R"(delete_item item_id="a")"},
      {c::AnswerTool{"t", true, "m"}, R"(answer_tool tool_call_id="t" ok=true message="m")"},
      {c::RunTool{"t", "n", "{}"}, R"(run_tool tool_call_id="t" name="n" arguments="{}")"},
      {c::RequestSummary{}, "request_summary"},
      {c::CloseModel{}, "close_model"},
      {c::SendCheckpoint{7}, "send_checkpoint number=7"},
      {c::ClearAudio{}, "clear_audio"},
      {c::SendDtmf{"1#"}, R"(send_dtmf digits="1#")"},
      {c::CloseStream{}, "close_stream"},
      {c::TransferCarrier{"x"}, R"(transfer_carrier transfer_id="x")"},
      {c::HangUpCarrier{}, "hang_up_carrier"},
      {dial,
       R"(next_step kind=dial transfer_id="x" number="+1" ring_ms=20000 number="sip:a@b" ring_ms=1500 first_target=1)"
       R"( whisper="w" confirm_key="5")"},
      {c::SaveItem{item},
       R"(save_item item_id="a1" position=2 role=assistant status=cut text="Hello there." heard="Hello")"
       R"( generated_ms=900 heard_ms=400 basis=paced)"},
      {c::SaveTranscript{"t"}, R"(save_transcript transcript="t")"},
      {c::Finished{}, "finished"},
      {c::SetInstructions{"i"}, R"(set_instructions instructions="i")"},
      {c::LetAnswer{false}, "let_answer on=false"},
  };
  ASSERT_EQ(std::size(rows), std::variant_size_v<c::Command>);
  for (size_t i = 0; i < std::size(rows); ++i) {
    EXPECT_EQ(rows[i].first.index(), i) << rows[i].second;
    EXPECT_EQ(FormatCommand(rows[i].first), rows[i].second);
  }
  EXPECT_EQ(FormatCommand(c::NextStep{}), "next_step kind=stream");
  c::NextStep hang_up;
  hang_up.kind = c::NextStep::Kind::kHangUp;
  EXPECT_EQ(FormatCommand(hang_up), "next_step kind=hang_up");
  EXPECT_EQ(FormatCommand(c::SaveItem{}), "save_item position=0 role=caller status=in_progress");
}

}  // namespace
}  // namespace callbridge::call
