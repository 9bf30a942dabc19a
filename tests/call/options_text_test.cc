#include "src/call/options_text.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "src/audio/base64_check.h"

namespace callbridge::call {
namespace {

// How many fields an aggregate has: as many as it can be initialised with.
struct Anything {
  template <typename T>
  operator T() const;  // NOLINT(google-explicit-constructor): never called, only looked up.
};
template <typename T, typename... Args>
auto TakesArgs(int) -> decltype(T{std::declval<Args>()...}, std::true_type());
template <typename T, typename... Args>
std::false_type TakesArgs(...);
template <typename T, typename... Args>
constexpr int FieldsOf() {
  if constexpr (decltype(TakesArgs<T, Args..., Anything>(0))::value) {
    return FieldsOf<T, Args..., Anything>();
  } else {
    return sizeof...(Args);
  }
}

TEST(OptionsTextTest, EveryFieldIsKnownHere) {
  const char* what =
      "a field came or went: tell src/call/options_text.cc of it, set it in EverySet() below, and count again";
  EXPECT_EQ(FieldsOf<CallOptions>(), 54) << what;
  EXPECT_EQ(FieldsOf<Prompt>(), 2) << what;
  EXPECT_EQ(FieldsOf<Destination>(), 5) << what;
  EXPECT_EQ(FieldsOf<Destination::Target>(), 2) << what;
  EXPECT_EQ(FieldsOf<audio::AssistantPlayout::Options>(), 4) << what;
}

// Each option with a value that is not its default.
CallOptions EverySet() {
  CallOptions o;
  o.call_id = "call-1";
  o.direction = Direction::kOutbound;
  o.from = "+15550100";
  o.to = "+15550199";
  o.agent = "reception";
  o.lead_id = "lead";
  o.greeting_prompt = "Greet \"them\".\nTwice.";
  o.server_cancels = false;
  Destination sales;
  o.client_tools["quote"] = absl::Milliseconds(2500);
  sales.targets = {{"+15550111", absl::Seconds(20)}, {"sip:sales@example.com", absl::Milliseconds(1500)}};
  sales.announcement = "a";
  sales.failure_text = "f";
  sales.whisper = "w";
  sales.confirm_key = "5";
  o.destinations = {{"sales", sales}, {"sup-port_2", Destination()}};
  o.max_transfers = 4;
  o.barge_in = BargeInMode::kReversible;
  o.hold_prompt = {"One moment.", SilentBase64(800)};
  o.goodbye_prompt = {"Bye.", SilentBase64(801)};
  o.callback_prompt = {"We call you.", SilentBase64(802)};
  o.voicemail_prompt = {"Message.", SilentBase64(803)};
  o.model_attempts = 5;
  o.fallback = FallbackKind::kTransfer;
  o.fallback_destination = "sales";
  o.fallback_transfer_id = "f-1";
  o.idle_reprompts = 3;
  o.idle_prompt = "p";
  o.idle_goodbye = "g";
  o.voicemail = VoicemailPolicy::kLeaveMessage;
  o.voicemail_message = "m";
  o.summary_in_session = false;
  o.early_frames = 251;
  o.playout.lead = absl::Milliseconds(123);
  o.playout.max_piece_chars = 320;
  o.playout.first_checkpoint_bytes = 161;
  o.playout.checkpoint_bytes = 1603;
  int64_t next = 1;
  for (absl::Duration* duration : {&o.evidence_time,      &o.evidence_quiet,       &o.hold_after,   &o.answer_limit,
                                   &o.model_pause,        &o.model_renewal,        &o.gap_after,    &o.gap_limit,
                                   &o.farewell_limit,     &o.last_words_limit,     &o.idle_after,   &o.tool_patience,
                                   &o.tool_limit,         &o.keys_pause,           &o.beep_limit,   &o.ring_limit,
                                   &o.stream_limit,       &o.model_limit,          &o.stream_grace, &o.max_duration,
                                   &o.announcement_limit, &o.transfer_fetch_limit, &o.dial_limit,   &o.hangup_limit,
                                   &o.late_text_limit,    &o.summary_limit}) {
    *duration = absl::Microseconds(next += 500);
  }
  return o;
}

std::vector<std::string> Lines(const CallOptions& options) {
  return absl::StrSplit(FormatOptions(options), '\n', absl::SkipEmpty());
}

TEST(OptionsTextTest, EveryOptionIsWrittenAndReadBack) {
  const CallOptions options = EverySet();
  CallOptions back;
  for (const std::string& line : Lines(options)) {
    const absl::Status status = ParseOption(line, &back);
    EXPECT_TRUE(status.ok()) << line << ": " << status;
  }
  EXPECT_EQ(FormatOptions(back), FormatOptions(options));
  ASSERT_EQ(back.destinations["sales"].targets.size(), 2u);
  EXPECT_EQ(back.destinations["sales"].targets[1].ring_time, absl::Milliseconds(1500));
  EXPECT_EQ(back.greeting_prompt, options.greeting_prompt);
  EXPECT_EQ(back.hold_prompt.base64, options.hold_prompt.base64);
  EXPECT_EQ(back.beep_limit, options.beep_limit);
}

// A line that the default has too is a field that EverySet() forgot, and the test above says nothing of it.
TEST(OptionsTextTest, EveryOptionIsSetAbove) {
  const std::vector<std::string> defaults = Lines(CallOptions());
  const std::set<std::string> known(defaults.begin(), defaults.end());
  for (const std::string& line : Lines(EverySet())) EXPECT_EQ(known.count(line), 0u) << line;
}

TEST(OptionsTextTest, DefaultsAreWrittenToo) {
  const std::string text = FormatOptions(CallOptions());
  for (const char* line : {"idle_after_ms=never\n", "answer_limit_ms=4000\n", "direction=inbound\n",
                           "hold_prompt.text=\"\"\n", "hold_prompt.bytes=0\n", "server_cancels=true\n"}) {
    EXPECT_TRUE(absl::StrContains(text, line)) << line;
  }
}

TEST(OptionsTextTest, ErrorsNameTheOption) {
  const std::pair<std::string, std::string> rows[] = {
      {"", "expected name=value"},
      {"volume=11", "volume: there is no such option"},
      {"destination.=1", "destination.: there is no such option"},
      {"destination.sales=1", "destination.sales: there is no such option"},
      {"destination.sales.colour=1", "destination.sales.colour: there is no such option"},
      {"destination.sales.target.2.number=1", "destination.sales.target.2.number: the next target is number 1"},
      {"destination.sales.target.x.number=1", "the next target is number 1"},
      {"destination.sales.target.1.ring_ms=1", "there is no such option"},
      {"call_id=a b", "call_id: nothing may follow its value"},
      {"server_cancels=yes", "server_cancels: neither true nor false"},
      {"max_transfers=many", "max_transfers: not a number"},
      {"early_frames=-1", "early_frames: not a number"},
      {"hold_prompt.bytes=99999999999", "hold_prompt.bytes: at most"},
      {"hold_after_ms=-5", "hold_after_ms: not milliseconds"},
      {"hold_after_ms=1.2345678", "hold_after_ms: not milliseconds"},
      {"barge_in=sometimes", "barge_in: 'sometimes' is none of its words"},
  };
  for (const auto& [line, problem] : rows) {
    CallOptions options;
    const absl::Status status = ParseOption(line, &options);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << line;
    EXPECT_TRUE(absl::StrContains(status.message(), problem)) << line << ": " << status;
  }
}

TEST(OptionsTextTest, SilenceHasTheLengthAskedFor) {
  for (int64_t bytes = 0; bytes < 10; ++bytes) EXPECT_EQ(audio::DecodedSize(SilentBase64(bytes)), bytes);
}

}  // namespace
}  // namespace callbridge::call
