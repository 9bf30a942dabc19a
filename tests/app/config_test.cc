#include "src/app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "src/session/dial_rules.h"

namespace callbridge::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kGood[] = R"(
agents { key: "desk" instructions: "Be kind." greeting_prompt: "Greet." caller_id: "+14155550100" voice: "marin"
         server_vad { threshold: 0.5 silence_duration_ms: 600 interrupt_response: false }
         transcription { language: "de" } ring_timeout { seconds: 20 } max_duration { seconds: 600 } }
agents { key: "night" instructions: "Be brief." }
default_agent: "night"
inbound_numbers { number: "+14155550100" agent: "desk" }
destinations { key: "sales" number: "+14155550142" description: "buying" }
allowed_prefixes: "+1415"
max_calls: 7
retention { event_days: 30 transcript_days: 90 call_days: 400 }
)";

TEST(ConfigTest, EveryFieldArrives) {
  const auto settings = ParseConfig(kGood, "good");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const session::Agent& desk = settings->agents.at("desk");
  EXPECT_EQ(desk.session.instructions, "Be kind.");
  EXPECT_EQ(desk.session.voice, "marin");
  EXPECT_EQ(desk.greeting_prompt, "Greet.");
  EXPECT_EQ(desk.caller_id, "+14155550100");
  EXPECT_EQ(desk.ring_timeout, absl::Seconds(20));
  EXPECT_EQ(desk.max_duration, absl::Minutes(10));
  EXPECT_EQ(desk.session.transcription->language, "de");
  const auto& vad = std::get<openai::ServerVad>(desk.session.turn_detection);
  EXPECT_EQ(vad.threshold, 0.5);
  EXPECT_EQ(vad.silence_duration_ms, 600);
  EXPECT_FALSE(vad.interrupt_response);
  EXPECT_FALSE(desk.conduct.server_cancels) << "what the server does not do is ours to do";
  EXPECT_EQ(settings->default_agent, "night");
  EXPECT_EQ(settings->inbound.at("+14155550100"), "desk");
  const session::Destination& sales = settings->destinations.at("sales");
  ASSERT_THAT(sales.call.targets, SizeIs(1));
  EXPECT_EQ(sales.call.targets[0].number, "+14155550142");
  EXPECT_EQ(sales.call.targets[0].ring_time, absl::Seconds(25));
  EXPECT_EQ(sales.description, "buying");
  EXPECT_THAT(settings->allowed_prefixes, ElementsAre("+1415"));
  EXPECT_EQ(settings->max_calls, 7);
  EXPECT_EQ(settings->retention.events, 30);
  EXPECT_EQ(settings->retention.transcripts, 90);
  EXPECT_EQ(settings->retention.calls, 400);
}

TEST(ConfigTest, WhatIsNotSaidHasTheProductsDefaults) {
  const auto settings = ParseConfig("agents { key: 'a' instructions: 'x' }", "small");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const auto& agent = settings->agents.at("a");
  EXPECT_EQ(settings->default_agent, "a");
  EXPECT_EQ(agent.session.voice, "shimmer");
  EXPECT_EQ(agent.session.model, "gpt-realtime-2.1");
  const auto& vad = std::get<openai::ServerVad>(agent.session.turn_detection);
  EXPECT_EQ(vad.threshold, 0.7);
  EXPECT_EQ(vad.silence_duration_ms, 800);
  EXPECT_TRUE(settings->allowed_prefixes.empty()) << "nothing may be dialled";
  EXPECT_EQ(settings->retention.events + settings->retention.transcripts + settings->retention.calls, 0) << "for ever";
  EXPECT_TRUE(DefaultConfig().allowed_prefixes.empty());
}

TEST(ConfigTest, MistakesAreNamedWithTheirPlace) {
  const std::string agent = "agents { key: 'a' instructions: 'x' }\n";
  const struct {
    const char* name;
    std::string text;
    const char* says;
  } rows[] = {
      {"misspelt field", "agents { key: 'a'\n  instructoins: 'x' }", "f:2:"},
      {"wrong type", agent + "max_calls: 'many'", "f:2:"},
      {"no agent", "max_calls: 1", "agents: missing"},
      {"no instructions", "agents { key: 'a' }", "agents[0].instructions"},
      {"no key", "agents { instructions: 'x' }", "agents[0].key"},
      {"key twice", agent + agent, "'a' is there twice"},
      {"caller id", "agents { key: 'a' instructions: 'x' caller_id: '0800' }", "agents[0].caller_id"},
      {"threshold", "agents { key: 'a' instructions: 'x' server_vad { threshold: 7 } }",
       "agents[0].server_vad.threshold"},
      {"threshold is no number", "agents { key: 'a' instructions: 'x' server_vad { threshold: nan } }",
       "agents[0].server_vad.threshold"},
      {"padding", "agents { key: 'a' instructions: 'x' server_vad { prefix_padding_ms: 2001 } }",
       "agents[0].server_vad.prefix_padding_ms: 0 to 2000"},
      {"silence", "agents { key: 'a' instructions: 'x' server_vad { silence_duration_ms: 99 } }",
       "agents[0].server_vad.silence_duration_ms: 100 to 5000"},
      {"session", "agents { key: 'a' instructions: 'x' max_output_tokens: 9999 }", "agents[0].max_output_tokens"},
      {"first of two", "agents { key: 'a' max_transfers: 99 }", "agents[0].instructions"},
      {"duration", "agents { key: 'a' instructions: 'x' max_duration { seconds: 1 } }", "agents[0].max_duration"},
      {"default agent", agent + "default_agent: 'b'", "default_agent: no agent 'b'"},
      {"inbound number", agent + "inbound_numbers { number: '12' agent: 'a' }", "inbound_numbers[0].number"},
      {"inbound agent", agent + "inbound_numbers { number: '+14155550100' agent: 'b' }", "inbound_numbers[0].agent"},
      {"destination", agent + "destinations { key: 's' number: 'bob' }", "destinations[0].number"},
      {"destination key", agent + "destinations { key: 'a b' number: '+14155550142' }", "destinations[0].key"},
      {"prefix", agent + "allowed_prefixes: '1415'", "allowed_prefixes[0]"},
      {"prefix of everything", agent + "allowed_prefixes: '+'", "allowed_prefixes[0]"},
      {"prefix with letters", agent + "transfer_prefixes: '+1a'", "transfer_prefixes[0]"},
      {"negative days", agent + "retention { event_days: -1 }", "retention.event_days: 1 to 36500"},
      {"too many days", agent + "retention { transcript_days: 40000 }", "retention.transcript_days: 1 to 36500"},
      {"days below what repeats need", agent + "retention { call_days: 2 }", "retention.call_days: 3 to 36500"},
      {"events longer than calls", agent + "retention { event_days: 31 call_days: 30 }",
       "retention.event_days: more than call_days, 30"},
      {"transcripts longer than calls", agent + "retention { transcript_days: 31 call_days: 30 }",
       "retention.transcript_days: more than call_days, 30"},
      {"too many calls", agent + "max_calls: 1000000", "max_calls"},
      {"a limit below one", agent + "dial_limits { calls_per_minute: -1 }",
       "dial_limits.calls_per_minute: 1 to 100000"},
      {"transfers", agent + "dial_limits { transfers_per_minute: 100001 }",
       "dial_limits.transfers_per_minute: 1 to 100000"},
      {"calls to a number", agent + "dial_limits { calls_per_number_per_day: 1001 }",
       "dial_limits.calls_per_number_per_day: 1 to 1000"},
  };
  for (const auto& row : rows) {
    const auto settings = ParseConfig(row.text, "f");
    ASSERT_FALSE(settings.ok()) << row.name;
    EXPECT_THAT(std::string(settings.status().message()), HasSubstr(row.says)) << row.name;
  }
}

TEST(ConfigTest, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT(std::string(LoadConfig("/nowhere/x.textproto").status().message()), HasSubstr("/nowhere/x.textproto"));
}

TEST(ConfigTest, DialLimits) {
  const std::string agent = "agents { key: 'a' instructions: 'x' }\n";
  const auto none = ParseConfig(agent, "f");
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(none->dial_limits.calls_per_minute, 0) << "no limit";
  const auto some = ParseConfig(
      agent + "dial_limits { calls_per_minute: 30 transfers_per_minute: 10 calls_per_number_per_day: 3 }", "f");
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_EQ(some->dial_limits.calls_per_minute, 30);
  EXPECT_EQ(some->dial_limits.transfers_per_minute, 10);
  EXPECT_EQ(some->dial_limits.calls_per_number_per_day, 3);
}

TEST(MayDialTest, OnlyConfiguredPrefixes) {
  session::Settings settings;
  EXPECT_FALSE(session::MayDial(settings, "+14155550123"));
  settings.allowed_prefixes = {"+1415", "+49"};
  EXPECT_TRUE(session::MayDial(settings, "+14155550123"));
  EXPECT_TRUE(session::MayDial(settings, "+4930123456"));
  EXPECT_FALSE(session::MayDial(settings, "+19005551234"));
}

}  // namespace
}  // namespace callbridge::app
