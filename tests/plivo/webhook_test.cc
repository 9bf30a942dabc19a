#include "src/plivo/webhook.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace callbridge::plivo {
namespace {

using Fields = Form::Fields;

constexpr char kCall[] = "6f2a1c34-9b7e-4a55-8c21-0f3d5e7a9b10";

Form With(Fields fields) {
  fields.insert(fields.begin(), {"CallUUID", kCall});
  return Form(std::move(fields));
}

absl::Time Utc(int hour, int minute, int second) {
  return absl::FromCivil(absl::CivilSecond(2026, 11, 22, hour, minute, second), absl::UTCTimeZone());
}

TEST(WebhookTest, AnswerInbound) {
  const auto answer = ParseAnswer(With({{"From", "14155550100"},
                                        {"To", "14155550199"},
                                        {"Direction", "inbound"},
                                        {"CallStatus", "ringing"},
                                        {"Event", "StartApp"},
                                        {"CallerName", "Zo\xC3\xAB & Co."},
                                        {"SessionStart", "2026-11-22 10:15:30.5"},
                                        {"BillRate", "0.0055"},
                                        {"ParentAuthID", "MAXXXXXXXXXXXXXXXXXX"},
                                        {"ForwardedFrom", "14155550111"},
                                        {"STIRVerification", "Not Applicable"},
                                        {"X-PH-Campaign", "7"},
                                        {"x-ph-lang", "en"},
                                        {"SIP-H-To", "<sip:x>"},
                                        {"Brand-New-Field", "?"}}));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->common.call_uuid, kCall);
  EXPECT_EQ(answer->common.from, "14155550100");
  EXPECT_EQ(answer->common.to, "14155550199");
  EXPECT_EQ(answer->common.direction, Direction::kInbound);
  EXPECT_EQ(answer->common.call_status, CallStatus::kRinging);
  EXPECT_EQ(answer->common.call_status_text, "ringing");
  EXPECT_EQ(answer->common.event, Event::kStartApp);
  EXPECT_EQ(answer->common.parent_auth_id, "MAXXXXXXXXXXXXXXXXXX");
  EXPECT_EQ(answer->caller_name, "Zo\xC3\xAB & Co.");
  EXPECT_EQ(answer->forwarded_from, "14155550111");
  EXPECT_EQ(answer->stir_verification, "Not Applicable");
  EXPECT_EQ(answer->bill_rate, "0.0055");
  EXPECT_EQ(answer->session_start, Utc(10, 15, 30) + absl::Milliseconds(500));
  EXPECT_EQ(answer->sip_headers, (std::vector<std::pair<std::string, std::string>>{{"Campaign", "7"}, {"lang", "en"}}));
  EXPECT_FALSE(answer->machine.has_value());
  EXPECT_FALSE(answer->is_hangup_notice);
}

TEST(WebhookTest, AnswerOutbound) {
  const auto answer = ParseAnswer(With({{"Direction", "outbound"},
                                        {"CallStatus", "in-progress"},
                                        {"RequestUUID", "R"},
                                        {"ALegUUID", "A"},
                                        {"Machine", "true"},
                                        {"Digits", "12"}}));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->common.direction, Direction::kOutbound);
  EXPECT_EQ(answer->common.call_status, CallStatus::kInProgress);
  EXPECT_EQ(answer->common.request_uuid, "R");
  EXPECT_EQ(answer->common.a_leg_uuid, "A");
  EXPECT_EQ(answer->machine, true);
  EXPECT_EQ(answer->digits, "12");
}

TEST(WebhookTest, OnlyTheCallIdIsNeeded) {
  const Form least = With({});
  EXPECT_TRUE(ParseAnswer(least).ok());
  EXPECT_TRUE(ParseRing(least).ok());
  EXPECT_TRUE(ParseHangup(least).ok());
  EXPECT_TRUE(ParseStreamStatus(least).ok());
  EXPECT_TRUE(ParseDialDone(least).ok());
  EXPECT_TRUE(ParseDialProgress(least).ok());
  EXPECT_TRUE(ParseMachineDetection(least).ok());
}

TEST(WebhookTest, WithoutAProperCallIdNothingIsRead) {
  const std::string ids[] = {
      "", "a/b", "../x", "a b", "a\"b", "\xC3\xA9", "a\nb", std::string(65, 'a'), std::string("a\0", 2)};
  const auto check = [](const absl::Status& status) {
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_TRUE(absl::StrContains(status.message(), "CallUUID")) << status;
  };
  for (const std::string& id : ids) {
    SCOPED_TRACE(id);
    const Form form(Fields{{"CallUUID", id}, {"Event", "Hangup"}});
    check(ParseAnswer(form).status());
    check(ParseRing(form).status());
    check(ParseHangup(form).status());
    check(ParseStreamStatus(form).status());
    check(ParseDialDone(form).status());
    check(ParseDialProgress(form).status());
    check(ParseMachineDetection(form).status());
  }
  check(ParseAnswer(Form()).status());
}

TEST(WebhookTest, HangupNoticesAtTheAnswerUrl) {
  const struct {
    const char* name;
    Fields fields;
    bool notice;
  } rows[] = {
      {"start", {{"Event", "StartApp"}, {"CallStatus", "ringing"}}, false},
      {"outbound_start", {{"Event", "StartApp"}, {"CallStatus", "in-progress"}}, false},
      {"redirect", {{"Event", "Redirect"}, {"CallStatus", "in-progress"}}, false},
      {"nothing_known", {}, false},
      {"new_event", {{"Event", "Brandnew"}}, false},
      {"hangup", {{"Event", "Hangup"}, {"CallStatus", "completed"}}, true},
      {"hangup_in_other_case", {{"Event", "hangup"}}, true},
      {"only_status", {{"CallStatus", "completed"}}, true},
      {"busy", {{"CallStatus", "busy"}}, true},
      {"no_answer", {{"CallStatus", "no-answer"}}, true},
      {"only_cause", {{"HangupCause", "NORMAL_CLEARING"}}, true},
      {"empty_cause", {{"HangupCause", ""}, {"Event", "StartApp"}}, false},
  };
  for (const auto& row : rows) {
    const auto answer = ParseAnswer(With(row.fields));
    ASSERT_TRUE(answer.ok()) << row.name;
    EXPECT_EQ(answer->is_hangup_notice, row.notice) << row.name;
  }
}

TEST(WebhookTest, Events) {
  const struct {
    const char* text;
    Event event;
  } rows[] = {{"StartApp", Event::kStartApp},
              {"Redirect", Event::kRedirect},
              {"Ring", Event::kRing},
              {"Hangup", Event::kHangup},
              {"DialAnswer", Event::kDialAnswer},
              {"DialHangup", Event::kDialHangup},
              {"DialDigitsMatch", Event::kDialDigitsMatch},
              {"MachineDetection", Event::kMachineDetection},
              {"RING", Event::kRing},
              {"", Event::kUnknown},
              {"Other", Event::kUnknown}};
  for (const auto& row : rows) {
    const auto ring = ParseRing(With({{"Event", row.text}}));
    ASSERT_TRUE(ring.ok());
    EXPECT_EQ(ring->common.event, row.event) << row.text;
    EXPECT_EQ(ring->common.event_text, row.text);
  }
}

TEST(WebhookTest, Hangup) {
  const auto hangup = ParseHangup(With({{"Event", "Hangup"},
                                        {"CallStatus", "completed"},
                                        {"HangupCause", "NORMAL_CLEARING"},
                                        {"HangupCauseName", "Normal Hangup"},
                                        {"HangupCauseCode", "4000"},
                                        {"HangupSource", "Caller"},
                                        {"Duration", "83"},
                                        {"BillDuration", "120"},
                                        {"BillRate", "0.0055"},
                                        {"TotalCost", "0.01100"},
                                        {"StartTime", "2026-11-22 10:15:30"},
                                        {"AnswerTime", "2026-11-22 10:15:31"},
                                        {"EndTime", "2026-11-22 10:16:54"},
                                        {"CarrierFailoverTriggered", "true"}}));
  ASSERT_TRUE(hangup.ok()) << hangup.status();
  EXPECT_EQ(hangup->cause, "NORMAL_CLEARING");
  EXPECT_EQ(hangup->cause_name, "Normal Hangup");
  EXPECT_EQ(hangup->cause_code, 4000);
  EXPECT_EQ(hangup->source, HangupSource::kCaller);
  EXPECT_EQ(hangup->source_text, "Caller");
  EXPECT_EQ(hangup->duration_seconds, 83);
  EXPECT_EQ(hangup->bill_duration_seconds, 120);
  EXPECT_EQ(hangup->bill_rate, "0.0055");
  EXPECT_EQ(hangup->total_cost, "0.01100");
  EXPECT_EQ(hangup->start_time, Utc(10, 15, 30));
  EXPECT_EQ(hangup->answer_time, Utc(10, 15, 31));
  EXPECT_EQ(hangup->end_time, Utc(10, 16, 54));
  EXPECT_TRUE(hangup->carrier_failover);
}

TEST(WebhookTest, WhatMakesNoSenseInAHangupCountsAsMissing) {
  const auto hangup = ParseHangup(With({{"HangupCauseCode", "many"},
                                        {"Duration", "-3"},
                                        {"BillDuration", "99999999999999999999"},
                                        {"StartTime", "yesterday"},
                                        {"AnswerTime", ""},
                                        {"EndTime", "2026-13-45 10:16:54"},
                                        {"HangupSource", "Ghost"}}));
  ASSERT_TRUE(hangup.ok()) << hangup.status();
  EXPECT_FALSE(hangup->cause_code.has_value());
  EXPECT_FALSE(hangup->duration_seconds.has_value());
  EXPECT_FALSE(hangup->bill_duration_seconds.has_value());
  EXPECT_FALSE(hangup->start_time.has_value());
  EXPECT_FALSE(hangup->answer_time.has_value());
  EXPECT_FALSE(hangup->end_time.has_value());
  EXPECT_EQ(hangup->source, HangupSource::kUnknown);
  EXPECT_EQ(hangup->source_text, "Ghost");
  EXPECT_FALSE(hangup->carrier_failover);
}

TEST(WebhookTest, StreamStatusInBothFamiliesOfNames) {
  const struct {
    const char* text;
    StreamEvent event;
  } rows[] = {
      {"StartStream", StreamEvent::kStarted},     {"started", StreamEvent::kStarted},
      {"StopStream", StreamEvent::kStopped},      {"stopped", StreamEvent::kStopped},
      {"DroppedStream", StreamEvent::kDropped},   {"dropped", StreamEvent::kDropped},
      {"DegradedStream", StreamEvent::kDegraded}, {"degraded", StreamEvent::kDegraded},
      {"failed", StreamEvent::kFailed},           {"PlayedStream", StreamEvent::kPlayed},
      {"ClearedAudio", StreamEvent::kCleared},    {"startstream", StreamEvent::kStarted},
      {"Other", StreamEvent::kUnknown},           {"", StreamEvent::kUnknown},
  };
  for (const auto& row : rows) {
    const auto status = ParseStreamStatus(With({{"Event", row.text}}));
    ASSERT_TRUE(status.ok());
    EXPECT_EQ(status->event, row.event) << row.text;
    EXPECT_EQ(status->common.event_text, row.text);
  }
}

TEST(WebhookTest, StreamStatusFields) {
  const auto first = ParseStreamStatus(With({{"Event", "PlayedStream"},
                                             {"StreamID", "S1"},
                                             {"Name", "u1"},
                                             {"Timestamp", "2026-11-22 09:58:40"},
                                             {"Error", "lost"}}));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->stream_id, "S1");
  EXPECT_EQ(first->name, "u1");
  EXPECT_EQ(first->error, "lost");
  EXPECT_EQ(first->time, Utc(9, 58, 40));
  const auto second = ParseStreamStatus(With({{"streamId", "S2"}, {"StatusReason", "no route"}, {"Duration", "7"}}));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->stream_id, "S2");
  EXPECT_EQ(second->error, "no route");
  EXPECT_EQ(second->duration_seconds, 7);
  EXPECT_FALSE(second->time.has_value());
  EXPECT_EQ(ParseStreamStatus(With({{"stream_id", "S3"}}))->stream_id, "S3");
}

TEST(WebhookTest, DialDone) {
  const auto done = ParseDialDone(With({{"DialStatus", "no-answer"},
                                        {"DialRingStatus", "true"},
                                        {"DialHangupCause", "NO_ANSWER"},
                                        {"DialALegUUID", "A"},
                                        {"DialBLegUUID", "B"}}));
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->status, DialStatus::kNoAnswer);
  EXPECT_EQ(done->status_text, "no-answer");
  EXPECT_EQ(done->rang, true);
  EXPECT_EQ(done->hangup_cause, "NO_ANSWER");
  EXPECT_EQ(done->a_leg_uuid, "A");
  EXPECT_EQ(done->b_leg_uuid, "B");
  const auto odd = ParseDialDone(With({{"DialStatus", "exploded"}, {"DialRingStatus", "maybe"}}));
  EXPECT_EQ(odd->status, DialStatus::kUnknown);
  EXPECT_EQ(odd->status_text, "exploded");
  EXPECT_FALSE(odd->rang.has_value());
}

TEST(WebhookTest, DialProgress) {
  const auto progress = ParseDialProgress(With({{"DialAction", "hangup"},
                                                {"Event", "DialHangup"},
                                                {"DialBLegUUID", "B"},
                                                {"DialBLegStatus", "no-answer"},
                                                {"DialBLegFrom", "14155550199"},
                                                {"DialBLegTo", "14155550142"},
                                                {"DialBLegDuration", "63"},
                                                {"DialBLegBillDuration", "120"},
                                                {"DialBLegHangupCause", "NO_ANSWER"},
                                                {"DialBLegHangupCauseName", "Ring Timeout Reached"},
                                                {"DialBLegHangupCauseCode", "6010"},
                                                {"DialBLegHangupSource", "Plivo"},
                                                {"DialDigitsMatch", "1"},
                                                {"DialDigitsPressedBy", "BLeg"}}));
  ASSERT_TRUE(progress.ok()) << progress.status();
  EXPECT_EQ(progress->action, DialAction::kHangup);
  EXPECT_EQ(progress->common.event, Event::kDialHangup);
  EXPECT_EQ(progress->b_leg_uuid, "B");
  EXPECT_EQ(progress->b_leg_status, CallStatus::kNoAnswer);
  EXPECT_EQ(progress->b_leg_from, "14155550199");
  EXPECT_EQ(progress->b_leg_to, "14155550142");
  EXPECT_EQ(progress->b_leg_duration_seconds, 63);
  EXPECT_EQ(progress->b_leg_bill_duration_seconds, 120);
  EXPECT_EQ(progress->b_leg_hangup_cause, "NO_ANSWER");
  EXPECT_EQ(progress->b_leg_hangup_cause_name, "Ring Timeout Reached");
  EXPECT_EQ(progress->b_leg_hangup_cause_code, 6010);
  EXPECT_EQ(progress->b_leg_hangup_source, HangupSource::kPlivo);
  EXPECT_EQ(progress->digits, "1");
  EXPECT_EQ(progress->digits_pressed_by, "BLeg");
}

TEST(WebhookTest, DialActionComesFromEitherField) {
  const struct {
    Fields fields;
    DialAction action;
  } rows[] = {
      {{{"DialAction", "answer"}}, DialAction::kAnswer},
      {{{"DialAction", "connected"}}, DialAction::kConnected},
      {{{"DialAction", "Digits"}}, DialAction::kDigits},
      {{{"Event", "DialAnswer"}}, DialAction::kAnswer},
      {{{"Event", "DialHangup"}}, DialAction::kHangup},
      {{{"Event", "DialDigitsMatch"}}, DialAction::kDigits},
      {{{"DialAction", "connected"}, {"Event", "DialAnswer"}}, DialAction::kConnected},
      {{{"DialAction", "other"}}, DialAction::kUnknown},
      {{}, DialAction::kUnknown},
  };
  for (const auto& row : rows) EXPECT_EQ(ParseDialProgress(With(row.fields))->action, row.action);
}

TEST(WebhookTest, MachineDetection) {
  const auto machine =
      ParseMachineDetection(With({{"Event", "MachineDetection"}, {"Machine", "true"}, {"IfMachine", "continue"}}));
  ASSERT_TRUE(machine.ok());
  EXPECT_EQ(machine->machine, true);
  EXPECT_EQ(machine->if_machine, "continue");
  EXPECT_EQ(ParseMachineDetection(With({{"Machine", "False"}}))->machine, false);
  EXPECT_EQ(ParseMachineDetection(With({{"Machine", "perhaps"}}))->machine, false);
  EXPECT_EQ(ParseMachineDetection(With({{"machine", " YES "}}))->machine, true);
  EXPECT_EQ(ParseMachineDetection(With({{"Event", "MachineDetection"}}))->machine, true)
      << "it is told of machines only";
}

TEST(WebhookTest, TextsAreCleaned) {
  const auto answer = ParseAnswer(With({{"CallerName", std::string("J\xFCrgen\0\r\n\x7F!", 11)}}));
  ASSERT_TRUE(answer.ok());
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(answer->caller_name, absl::StrCat("J", bad, "rgen", bad, bad, bad, bad, "!"));
  const auto longer = ParseAnswer(With({{"CallerName", std::string(5000, 'n')}}));
  EXPECT_EQ(longer->caller_name.size(), 2048u);
}

TEST(WebhookTest, SipHeadersAreLimited) {
  Fields fields;
  for (int i = 0; i < 50; ++i) fields.emplace_back(absl::StrCat("X-PH-h", i), "v");
  EXPECT_EQ(ParseAnswer(With(fields))->sip_headers.size(), 32u);
}

TEST(WebhookTest, CarrierTimes) {
  const absl::Time time = Utc(10, 15, 30);
  for (const char* text : {"2026-11-22 10:15:30", "2026-11-22 10:15:30+00:00", "2026-11-22 15:45:30+05:30",
                           "2026-11-22T10:15:30Z", "2026-11-22T10:15:30", "2026-11-22 10:15:30.000000"}) {
    EXPECT_EQ(ParseCarrierTime(text), time) << text;
  }
  EXPECT_EQ(ParseCarrierTime("2026-11-22 10:15:30.123456"), time + absl::Microseconds(123456));
  for (const std::string& text :
       {std::string(), std::string("2026-11-22"), std::string("10:15"), std::string("infinite-future"),
        std::string("infinite-past"), std::string("2026-02-30 10:15:30"), std::string("2026-11-22 10:15:30x"),
        "2026-11-22 10:15:30." + std::string(100, '1')}) {
    EXPECT_FALSE(ParseCarrierTime(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace callbridge::plivo
