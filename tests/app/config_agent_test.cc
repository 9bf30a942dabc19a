#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "src/app/config.h"

namespace callbridge::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A file in the test's own folder; returns its name there.
std::string Put(const std::string& name, const std::string& content) {
  std::ofstream(::testing::TempDir() + "/" + name, std::ios::binary) << content;
  return name;
}

// One agent with these fields, and a destination.
absl::StatusOr<session::Settings> Read(const std::string& fields) {
  return ParseConfig(absl::StrCat("agents { key: 'a' instructions: 'x' ", fields, " }\n",
                                  "destinations { key: 'sales' number: '+14155550142' }"),
                     "f", ::testing::TempDir());
}

session::Agent ReadGood(const std::string& fields) {
  const auto settings = Read(fields);
  EXPECT_TRUE(settings.ok()) << settings.status();
  return settings.ok() ? settings->agents.at("a") : session::Agent();
}

// ---- How a call is conducted ----

TEST(ConfigAgentTest, WhatIsNotSaid) {
  const session::Agent agent = ReadGood("");
  const call::CallOptions& conduct = agent.conduct;
  EXPECT_EQ(conduct.barge_in, call::BargeInMode::kImmediate);
  EXPECT_TRUE(conduct.server_cancels);
  EXPECT_EQ(conduct.idle_after, absl::Seconds(20));
  EXPECT_EQ(conduct.idle_reprompts, 2);
  EXPECT_THAT(conduct.idle_prompt, HasSubstr("silent"));
  EXPECT_EQ(conduct.model_attempts, 4);
  EXPECT_EQ(conduct.hold_after, absl::Seconds(2));
  EXPECT_EQ(conduct.answer_limit, absl::Seconds(4));
  EXPECT_EQ(conduct.fallback, call::FallbackKind::kGoodbye);
  EXPECT_FALSE(conduct.hold_prompt.base64.empty()) << "the line is held by a tone ...";
  EXPECT_EQ(conduct.hold_prompt.text, "") << "... which says nothing";
  EXPECT_EQ(conduct.goodbye_prompt.base64, "");
  EXPECT_EQ(conduct.voicemail, call::VoicemailPolicy::kOff);
  EXPECT_EQ(conduct.max_transfers, 3);
  EXPECT_FALSE(conduct.summary_in_session);
  EXPECT_EQ(agent.after_call.summary, session::AfterCall::Summary::kText);
  EXPECT_EQ(agent.after_call.model, "gpt-5.6-luna");
  EXPECT_EQ(agent.after_call.max_attempts, 8);
  EXPECT_TRUE(agent.end_call_tool);
  EXPECT_FALSE(agent.send_dtmf_tool);
  EXPECT_THAT(agent.tools, IsEmpty());
  EXPECT_EQ(DefaultConfig().agents.at("default").conduct.idle_after, absl::Seconds(20))
      << "without a file it is the same";
}

TEST(ConfigAgentTest, WhatIsSaid) {
  const session::Agent agent = ReadGood(R"(
      idle { after { seconds: 30 } reprompts: 0 prompt: "Ask." goodbye: "Bye." }
      recovery { attempts: 2 hold_after { seconds: 1 } answer_limit { seconds: 6 } fallback: TRANSFER
                 fallback_destination: "sales" }
      end_call_tool: false send_dtmf_tool: true max_transfers: 0
      voicemail { policy: LEAVE_MESSAGE message: "Call us." detection_time { seconds: 4 } }
      after_call { summary: SESSION model: "m" instructions: "Be brief." dispositions: "won" dispositions: "lost"
                   fields_schema_json: '{"type":"object"}' max_attempts: 3 })");
  const call::CallOptions& conduct = agent.conduct;
  EXPECT_EQ(conduct.idle_after, absl::Seconds(30));
  EXPECT_EQ(conduct.idle_reprompts, 0);
  EXPECT_EQ(conduct.idle_prompt, "Ask.");
  EXPECT_EQ(conduct.idle_goodbye, "Bye.");
  EXPECT_EQ(conduct.model_attempts, 2);
  EXPECT_EQ(conduct.hold_after, absl::Seconds(1));
  EXPECT_EQ(conduct.answer_limit, absl::Seconds(6));
  EXPECT_EQ(conduct.fallback, call::FallbackKind::kTransfer);
  EXPECT_EQ(conduct.fallback_destination, "sales");
  EXPECT_FALSE(agent.end_call_tool);
  EXPECT_TRUE(agent.send_dtmf_tool);
  EXPECT_EQ(conduct.max_transfers, 0);
  EXPECT_EQ(conduct.voicemail, call::VoicemailPolicy::kLeaveMessage);
  EXPECT_EQ(conduct.voicemail_message, "Call us.");
  EXPECT_EQ(agent.machine_detection_time, absl::Seconds(4));
  EXPECT_TRUE(conduct.summary_in_session);
  EXPECT_EQ(agent.after_call.summary, session::AfterCall::Summary::kSession);
  EXPECT_EQ(agent.after_call.model, "m");
  EXPECT_EQ(agent.after_call.instructions, "Be brief.");
  EXPECT_THAT(agent.after_call.dispositions, ElementsAre("won", "lost"));
  EXPECT_EQ(agent.after_call.fields_schema_json, R"({"type":"object"})");
  EXPECT_EQ(agent.after_call.max_attempts, 3);
  EXPECT_EQ(ReadGood("idle { after { seconds: 0 } }").conduct.idle_after, absl::InfiniteDuration());
  EXPECT_EQ(ReadGood("recovery { fallback: CALLBACK }").conduct.fallback, call::FallbackKind::kCallback);
  EXPECT_EQ(ReadGood("after_call { summary: NONE }").after_call.summary, session::AfterCall::Summary::kOff);
  EXPECT_EQ(ReadGood("voicemail { policy: CONTINUE }").conduct.voicemail, call::VoicemailPolicy::kContinue);
  EXPECT_EQ(ReadGood("voicemail { policy: HANG_UP }").conduct.voicemail, call::VoicemailPolicy::kHangUp);
}

TEST(ConfigAgentTest, BargeIn) {
  const struct {
    const char* fields;
    call::BargeInMode mode;
    bool interrupts;
    bool creates;
  } rows[] = {
      {"", call::BargeInMode::kImmediate, true, true},
      {"barge_in: IMMEDIATE", call::BargeInMode::kImmediate, true, true},
      {"barge_in: IMMEDIATE server_vad { interrupt_response: false }", call::BargeInMode::kImmediate, false, true},
      {"barge_in: REVERSIBLE", call::BargeInMode::kReversible, false, false},
      {"barge_in: REVERSIBLE server_vad { interrupt_response: false }", call::BargeInMode::kReversible, false, false},
      {"barge_in: PROTECTED_GREETING", call::BargeInMode::kProtectedGreeting, true, true},
  };
  for (const auto& row : rows) {
    const session::Agent agent = ReadGood(row.fields);
    const auto& vad = std::get<openai::ServerVad>(agent.session.turn_detection);
    EXPECT_EQ(agent.conduct.barge_in, row.mode) << row.fields;
    EXPECT_EQ(vad.interrupt_response, row.interrupts) << row.fields;
    EXPECT_EQ(vad.create_response, row.creates) << row.fields;
    EXPECT_EQ(agent.conduct.server_cancels, row.interrupts) << row.fields;
  }
  EXPECT_EQ(ReadGood("barge_in: REVERSIBLE barge_in_evidence { nanos: 300000000 }").conduct.evidence_time,
            absl::Milliseconds(300));
}

// 8 bytes a millisecond, in quanta of three bytes that are four characters.
TEST(ConfigAgentTest, PlayoutIsMeasuredUnlessItIsGiven) {
  EXPECT_EQ(ReadGood("").conduct.playout.lead, absl::Milliseconds(400));
  EXPECT_EQ(ReadGood("").conduct.playout.max_piece_chars, 2136);
  const auto given = ReadGood("playout { lead { nanos: 250000000 } longest_piece { nanos: 60000000 } }");
  EXPECT_EQ(given.conduct.playout.lead, absl::Milliseconds(250));
  EXPECT_EQ(given.conduct.playout.max_piece_chars, 640);
}

TEST(ConfigAgentTest, MistakesAreNamedWithTheirField) {
  const struct {
    const char* name;
    std::string fields;
    const char* says;  // Behind "f: agents[0]."
  } rows[] = {
      {"evidence too short", "barge_in: REVERSIBLE barge_in_evidence { nanos: 299000000 }",
       "barge_in_evidence: 300ms to 600ms"},
      {"evidence of nothing", "barge_in_evidence { nanos: 400000000 }", "barge_in_evidence: only with"},
      {"reversible by the server", "barge_in: REVERSIBLE server_vad { interrupt_response: true }",
       "server_vad.interrupt_response: REVERSIBLE needs it false"},
      {"no such barge-in", "barge_in: 9", "barge_in: IMMEDIATE"},
      {"lead too small", "playout { lead { nanos: 99000000 } }", "playout.lead: 100ms to 2s"},
      {"piece too long", "playout { longest_piece { nanos: 501000000 } }", "playout.longest_piece: 20ms to 500ms"},
      {"impatient", "idle { after { seconds: 4 } }", "idle.after: 5s to 10m"},
      {"negative", "idle { after { seconds: -1 } }", "idle.after: 5s to 10m"},
      {"reprompts", "idle { reprompts: 11 }", "idle.reprompts: 0 to 10"},
      {"attempts", "recovery { attempts: 11 }", "recovery.attempts: 1 to 10"},
      {"negative attempts", "recovery { attempts: -1 }", "recovery.attempts: 1 to 10"},
      {"hold", "recovery { hold_after { nanos: 400000000 } }", "recovery.hold_after: 500ms to 10s"},
      {"answer", "recovery { answer_limit { seconds: 31 } }", "recovery.answer_limit: 2s to 30s"},
      {"no such fallback", "recovery { fallback: 7 }", "recovery.fallback: GOODBYE"},
      {"nowhere", "recovery { fallback: TRANSFER }", "recovery.fallback_destination: missing"},
      {"no such destination", "recovery { fallback: TRANSFER fallback_destination: 'x' }",
       "recovery.fallback_destination: no destination 'x'"},
      {"destination of nothing", "recovery { fallback_destination: 'sales' }",
       "recovery.fallback_destination: only with"},
      {"transfers", "max_transfers: 21", "max_transfers: 0 to 20"},
      {"no message", "voicemail { policy: LEAVE_MESSAGE }", "voicemail.message: missing"},
      {"no such policy", "voicemail { policy: 8 }", "voicemail.policy: OFF"},
      {"detection", "voicemail { policy: HANG_UP detection_time { seconds: 11 } }",
       "voicemail.detection_time: 2s to 10s"},
      {"no such summary", "after_call { summary: 6 }", "after_call.summary: NONE"},
      {"disposition", "after_call { dispositions: 'two words' }", "after_call.dispositions[0]"},
      {"disposition twice", "after_call { dispositions: 'a' dispositions: 'a' }", "after_call.dispositions[1]: 'a'"},
      {"fields", "after_call { fields_schema_json: '[]' }", "after_call.fields_schema_json: must be a JSON object"},
      {"tries", "after_call { max_attempts: 51 }", "after_call.max_attempts: 1 to 50"},
  };
  for (const auto& row : rows) {
    const auto settings = Read(row.fields);
    ASSERT_FALSE(settings.ok()) << row.name;
    EXPECT_THAT(std::string(settings.status().message()), StartsWith(absl::StrCat("f: agents[0].", row.says)))
        << row.name;
  }
}

// ---- Prompts ----

std::string Little(uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> 8 * i));
  return out;
}

std::string Wav(int format, int channels, int rate, const std::string& audio, const std::string& before_data = "") {
  const std::string body = absl::StrCat("WAVEfmt ", Little(18, 4), Little(format, 2), Little(channels, 2),
                                        Little(rate, 4), Little(rate * channels, 4), Little(channels, 2), Little(8, 2),
                                        Little(0, 2), before_data, "data", Little(audio.size(), 4), audio);
  return absl::StrCat("RIFF", Little(body.size(), 4), body);
}

TEST(ConfigPromptTest, RawAndWavFiles) {
  const std::string audio(800, '\x7f');
  const std::string list = absl::StrCat("LIST", Little(3, 4), "abc", std::string(1, '\0'));
  const struct {
    const char* name;
    std::string file;
  } rows[] = {
      {"raw", Put("a.ulaw", audio)},
      {"raw, in capitals", Put("a.ULAW", audio)},
      {"wav", Put("b.wav", Wav(7, 1, 8000, audio))},
      {"wav by content", Put("c.ulaw", Wav(7, 1, 8000, audio))},
      {"other chunks of odd length before", Put("d.wav", Wav(7, 1, 8000, audio, list))},
      {"absolute", ::testing::TempDir() + "/" + Put("e.ulaw", audio)},
  };
  for (const auto& row : rows) {
    const session::Agent agent =
        ReadGood(absl::StrCat("prompts { hold { file: '", row.file, "' text: 'One moment.' } }"));
    EXPECT_EQ(agent.conduct.hold_prompt.base64, absl::Base64Escape(audio)) << row.name;
    EXPECT_EQ(agent.conduct.hold_prompt.text, "One moment.") << row.name;
  }
  const session::Agent agent = ReadGood(
      "prompts { goodbye { file: 'a.ulaw' text: 'g' } callback { file: 'a.ulaw' text: 'c' }"
      " voicemail { file: 'a.ulaw' text: 'v' } } voicemail { policy: LEAVE_MESSAGE }");
  EXPECT_EQ(agent.conduct.goodbye_prompt.text, "g");
  EXPECT_EQ(agent.conduct.callback_prompt.text, "c");
  EXPECT_EQ(agent.conduct.voicemail_prompt.text, "v") << "a stored message needs no other";
}

TEST(ConfigPromptTest, MistakesNameFileAndField) {
  Put("good.ulaw", "xxxx");
  Put("pcm.wav", Wav(1, 1, 8000, "xx"));
  Put("fast.wav", Wav(7, 1, 16000, "xx"));
  Put("stereo.wav", Wav(7, 2, 8000, "xx"));
  Put("silent.wav", Wav(7, 1, 8000, ""));
  Put("formless.wav", "RIFF1234WAVEdata");
  Put("song.mp3", "ID3xxxx");
  Put("empty.ulaw", "");
  Put("long.ulaw", std::string(240'001, 'x'));
  Put("longer.ulaw", std::string(2'000'000, 'x'));
  const struct {
    const char* prompt;
    const char* field;
    const char* says;
  } rows[] = {
      {"file: 'good.ulaw'", "text", "missing"},
      {"text: 't'", "file", "missing"},
      {"file: 'none.ulaw' text: 't'", "file", "none.ulaw: No such file"},
      {"file: '.' text: 't'", "file", "cannot read"},
      {"file: 'empty.ulaw' text: 't'", "file", "empty.ulaw is empty"},
      {"file: 'long.ulaw' text: 't'", "file", "long.ulaw: longer than 30 s"},
      {"file: 'longer.ulaw' text: 't'", "file", "longer.ulaw is larger than"},
      {"file: 'pcm.wav' text: 't'", "file", "pcm.wav: a WAV file of format 1, 8000 Hz, 1 channel; raw mu-law"},
      {"file: 'fast.wav' text: 't'", "file", "16000 Hz"},
      {"file: 'stereo.wav' text: 't'", "file", "2 channels"},
      {"file: 'silent.wav' text: 't'", "file", "no sound"},
      {"file: 'formless.wav' text: 't'", "file", "does not say its format"},
      {"file: 'song.mp3' text: 't'", "file", "song.mp3: neither a WAV file nor named .ulaw"},
  };
  for (const auto& row : rows) {
    const auto settings = Read(absl::StrCat("prompts { callback { ", row.prompt, " } }"));
    ASSERT_FALSE(settings.ok()) << row.prompt;
    const std::string message(settings.status().message());
    EXPECT_THAT(message, StartsWith(absl::StrCat("f: agents[0].prompts.callback.", row.field, ": "))) << row.prompt;
    EXPECT_THAT(message, HasSubstr(row.says)) << row.prompt;
  }
}

// ---- Tools ----

TEST(ConfigToolTest, AToolArrives) {
  Put("token", "  Bearer abc\n");
  const session::Agent agent = ReadGood(R"(http_tools { name: "lookup" description: "Look up." parameters_json:
      '{"type":"object","properties":{"day":{"type":"string"}}}' url: "https://example.com/lookup"
      timeout { seconds: 3 } secret_header: "Authorization" secret_file: "token" }
      http_tools { name: "ping" description: "Ping." url: "http://127.0.0.1:8080/" })");
  ASSERT_THAT(agent.tools, SizeIs(2));
  EXPECT_EQ(agent.tools[0].name, "lookup");
  EXPECT_EQ(agent.tools[0].description, "Look up.");
  EXPECT_THAT(agent.tools[0].parameters_json, HasSubstr("day"));
  EXPECT_EQ(agent.tools[0].url, "https://example.com/lookup");
  EXPECT_EQ(agent.tools[0].timeout, absl::Seconds(3));
  EXPECT_EQ(agent.tools[0].secret_header, "Authorization");
  EXPECT_EQ(agent.tools[0].secret, "Bearer abc");
  EXPECT_EQ(agent.tools[1].timeout, absl::Seconds(10));
  EXPECT_EQ(agent.tools[1].secret, "");
}

TEST(ConfigToolTest, AToolThatClientsAnswerArrives) {
  const session::Agent agent = ReadGood(R"(client_tools { name: "quote" description: "A price." timeout { seconds: 3 }
      parameters_json: '{"type":"object","properties":{"item":{"type":"string"}}}' }
      client_tools { name: "note" description: "A note." })");
  ASSERT_THAT(agent.client_tools, SizeIs(2));
  EXPECT_EQ(agent.client_tools[0].name, "quote");
  EXPECT_EQ(agent.client_tools[0].description, "A price.");
  EXPECT_THAT(agent.client_tools[0].parameters_json, HasSubstr("item"));
  EXPECT_EQ(agent.conduct.client_tools.at("quote"), absl::Seconds(3));
  EXPECT_EQ(agent.conduct.client_tools.at("note"), absl::Seconds(30));
  const struct {
    const char* tools;
    const char* says;
  } rows[] = {
      {"client_tools { description: 'd' }", "client_tools[0].name"},
      {"client_tools { name: 'end_call' description: 'd' }", "client_tools[0].name"},
      {"client_tools { name: 'n' }", "client_tools[0].description"},
      {"client_tools { name: 'n' description: 'd' parameters_json: '[]' }", "client_tools[0].parameters_json"},
      {"client_tools { name: 'n' description: 'd' timeout { seconds: 301 } }", "client_tools[0].timeout"},
      {"http_tools { name: 'n' description: 'd' url: 'https://e.com' } client_tools { name: 'n' description: 'd' }",
       "client_tools[0].name: 'n' is there twice"},
  };
  for (const auto& row : rows) EXPECT_THAT(std::string(Read(row.tools).status().message()), HasSubstr(row.says));
}

TEST(ConfigToolTest, MistakesAreNamedWithTheirField) {
  Put("secret", "abc");
  Put("two_lines", "abc\nX-Evil: 1\n");
  Put("blank", " \n");
  const std::string rest = "description: 'd' url: 'https://e.com'";
  const struct {
    const char* name;
    std::string tool;
    const char* says;  // Behind "f: agents[0].http_tools[0]."
  } rows[] = {
      {"no name", rest, "name: 1 to 64"},
      {"name with a blank", "name: 'a b' " + rest, "name: 1 to 64"},
      {"ours", "name: 'end_call' " + rest, "name: 'end_call' is a tool of callbridge's own"},
      {"no description", "name: 'n' url: 'https://e.com'", "description: missing"},
      {"schema", "name: 'n' parameters_json: '{\"type\":\"string\"}' " + rest,
       "parameters_json: must be a JSON object"},
      {"broken schema", "name: 'n' parameters_json: '{' " + rest, "parameters_json: must be a JSON object"},
      {"no url", "name: 'n' description: 'd'", "url: https://"},
      {"plain", "name: 'n' description: 'd' url: 'http://example.com/'", "url: https://"},
      {"looks like this machine", "name: 'n' description: 'd' url: 'http://127.0.0.1@example.com/'", "url: https://"},
      {"really not", "name: 'n' description: 'd' url: 'http://localhost:80@example.com/'", "url: https://"},
      {"name of this machine's", "name: 'n' description: 'd' url: 'http://localhost.example.com/'", "url: https://"},
      {"user", "name: 'n' description: 'd' url: 'https://a:b@e.com/'", "url: https://"},
      {"no host", "name: 'n' description: 'd' url: 'https:///x'", "url: https://"},
      {"blank", "name: 'n' description: 'd' url: 'https://e.com/a b'", "url: https://"},
      {"file", "name: 'n' description: 'd' url: 'file:///etc/passwd'", "url: https://"},
      {"timeout", "name: 'n' timeout { seconds: 61 } " + rest, "timeout: 100ms to 1m"},
      {"header without a file", "name: 'n' secret_header: 'X' " + rest, "secret_file: missing"},
      {"file without a header", "name: 'n' secret_file: 'secret' " + rest, "secret_header: missing"},
      {"no such file", "name: 'n' secret_header: 'X' secret_file: 'none' " + rest, "secret_file: cannot read"},
      {"two lines", "name: 'n' secret_header: 'X' secret_file: 'two_lines' " + rest, "secret_file: one line"},
      {"nothing in it", "name: 'n' secret_header: 'X' secret_file: 'blank' " + rest, "secret_file: one line"},
      {"no header", "name: 'n' secret_header: 'X:' secret_file: 'secret' " + rest, "secret_header: a header's name"},
      {"not that header", "name: 'n' secret_header: 'Host' secret_file: 'secret' " + rest,
       "secret_header: a header's name"},
  };
  for (const auto& row : rows) {
    const auto settings = Read(absl::StrCat("http_tools { ", row.tool, " }"));
    ASSERT_FALSE(settings.ok()) << row.name;
    const std::string message(settings.status().message());
    EXPECT_THAT(message, StartsWith(absl::StrCat("f: agents[0].http_tools[0].", row.says))) << row.name;
    EXPECT_THAT(message, ::testing::Not(HasSubstr("abc"))) << row.name << ": a secret is never shown";
  }
  const std::string tool = "http_tools { name: 'n' " + rest + " } ";
  EXPECT_THAT(std::string(Read(tool + tool).status().message()), HasSubstr("http_tools[1].name: 'n' is there twice"));
}

// ---- Destinations ----

TEST(ConfigDestinationTest, TargetsInTheirOrder) {
  const auto settings = ParseConfig(R"(agents { key: 'a' instructions: 'x' }
      destinations { key: 'desk' description: 'all' targets { number: '+14155550142' ring_time { seconds: 12 } }
                     targets { number: 'sip:desk@example.com' } announcement: 'One moment.' failure_text: 'Sorry.'
                     whisper: 'A caller.' confirm_key: '#' }
      transfer_prefixes: '+1415')",
                                    "f");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const call::Destination& desk = settings->destinations.at("desk").call;
  ASSERT_THAT(desk.targets, SizeIs(2));
  EXPECT_EQ(desk.targets[0].number, "+14155550142");
  EXPECT_EQ(desk.targets[0].ring_time, absl::Seconds(12));
  EXPECT_EQ(desk.targets[1].number, "sip:desk@example.com");
  EXPECT_EQ(desk.targets[1].ring_time, absl::Seconds(25));
  EXPECT_EQ(desk.announcement, "One moment.");
  EXPECT_EQ(desk.failure_text, "Sorry.");
  EXPECT_EQ(desk.whisper, "A caller.");
  EXPECT_EQ(desk.confirm_key, "#");
  EXPECT_THAT(settings->transfer_prefixes, ElementsAre("+1415"));
  EXPECT_THAT(settings->allowed_prefixes, IsEmpty()) << "one is not the other";
}

TEST(ConfigDestinationTest, MistakesAreNamedWithTheirField) {
  std::string eleven;
  for (int i = 0; i < 11; ++i) eleven += "targets { number: '+14155550142' } ";
  std::string umlauts;
  for (int i = 0; i < 500; ++i) umlauts += "\xC3\xA4";
  const std::string number = "number: '+14155550142' ";
  const struct {
    const char* name;
    std::string fields;
    const char* says;  // Behind "f: destinations[0]."; null: it is good.
  } rows[] = {
      {"no number", "", "number: neither E.164"},
      {"sip without a user", "number: 'sip:@host'", "number: neither E.164"},
      {"sip with a blank", "number: 'sip:a b@host'", "number: neither E.164"},
      {"both", number + "targets { number: '+14155550143' }", "number: either a number or targets"},
      {"bad target", "targets { number: '+14155550143' } targets { number: 'bob' }", "targets[1].number: neither"},
      {"ring time", "targets { number: '+14155550143' ring_time { seconds: 4 } }", "targets[0].ring_time: 5s to 2m"},
      {"too many", eleven, "targets: at most 10"},
      {"key", number + "confirm_key: '10'", "confirm_key: one of"},
      {"letter", number + "confirm_key: 'A'", "confirm_key: one of"},
      {"long whisper", number + "whisper: '" + umlauts + "x'", "whisper: at most 500"},
      {"500 letters of two bytes", number + "whisper: '" + umlauts + "'", nullptr},
  };
  for (const auto& row : rows) {
    const auto settings = ParseConfig(
        absl::StrCat("agents { key: 'a' instructions: 'x' } destinations { key: 'd' ", row.fields, " }"), "f");
    EXPECT_EQ(settings.ok(), row.says == nullptr) << row.name << ": " << settings.status();
    if (row.says == nullptr) continue;
    EXPECT_THAT(std::string(settings.status().message()), StartsWith(absl::StrCat("f: destinations[0].", row.says)))
        << row.name;
  }
}

TEST(ConfigFolderTest, FilesAreThoseOfTheConfigurationsFolder) {
  Put("hold.ulaw", "xxxx");
  Put("c.textproto", "agents { key: 'a' instructions: 'x' prompts { hold { file: 'hold.ulaw' text: 't' } } }");
  const auto settings = LoadConfig(::testing::TempDir() + "/c.textproto");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->agents.at("a").conduct.hold_prompt.base64, absl::Base64Escape("xxxx"));
}

}  // namespace
}  // namespace callbridge::app
