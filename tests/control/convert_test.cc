#include "src/control/convert.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/control/cursor.h"
#include "src/control/utf8.h"

namespace callbridge::control {
namespace {

// Every word of ours is the name of the message's value, in capitals behind its prefix: nothing is shifted, nothing is
// missing.
template <typename Enum>
void CheckEnum(const std::string& prefix, const google::protobuf::EnumDescriptor* type, bool zero_is_none) {
  int values = 0;
  for (; values + (zero_is_none ? 0 : 1) < type->value_count(); ++values) {
    const Enum value = static_cast<Enum>(values);
    const std::string expected = zero_is_none && values == 0 ? "UNSPECIFIED" : absl::AsciiStrToUpper(call::Name(value));
    const auto* proto = type->FindValueByNumber(ToProto(value));
    ASSERT_NE(proto, nullptr) << prefix << values;
    EXPECT_EQ(proto->name(), prefix + expected);
  }
  Enum last;
  EXPECT_TRUE(call::Parse(call::Name(static_cast<Enum>(values - 1)), &last));
}

TEST(ConvertTest, EnumsMeanTheSame) {
  CheckEnum<call::Direction>("CALL_DIRECTION_", v1::CallDirection_descriptor(), false);
  CheckEnum<call::State>("CALL_STATE_", v1::CallState_descriptor(), false);
  CheckEnum<call::Party>("PARTY_", v1::Party_descriptor(), false);
  CheckEnum<call::Layer>("EVIDENCE_LAYER_", v1::EvidenceLayer_descriptor(), false);
  CheckEnum<call::EndReason>("END_REASON_", v1::EndReason_descriptor(), false);
  CheckEnum<call::Role>("SPEAKER_ROLE_", v1::SpeakerRole_descriptor(), false);
  CheckEnum<call::HeardBasis>("HEARD_BASIS_", v1::HeardBasis_descriptor(), true);
  CheckEnum<call::ItemStatus>("TRANSCRIPT_ITEM_STATUS_", v1::TranscriptItemStatus_descriptor(), false);
  CheckEnum<call::TransferOutcome>("TRANSFER_OUTCOME_", v1::TransferOutcome_descriptor(), false);
  CheckEnum<call::TransferState>("TRANSFER_STATE_", v1::TransferState_descriptor(), false);
  CheckEnum<call::VoicemailPolicy>("VOICEMAIL_POLICY_", v1::VoicemailPolicy_descriptor(), false);
}

template <size_t... kIndex>
std::vector<call::EventBody> AllBodies(std::index_sequence<kIndex...>) {
  return {call::EventBody(std::in_place_index<kIndex>)...};
}

// `type` is the name of the field that is set, for every kind there is.
TEST(ConvertTest, EventTypesAreFieldNames) {
  for (const auto& body : AllBodies(std::make_index_sequence<std::variant_size_v<call::EventBody>>())) {
    const auto event = ToProto(events::StoredEvent{7, {"c", 3, absl::FromUnixMillis(1500), body}});
    SCOPED_TRACE(event.type());
    EXPECT_EQ(event.type(), call::TypeName(body));
    const auto* oneof = v1::CallEvent::descriptor()->FindOneofByName("body");
    const auto* set = event.GetReflection()->GetOneofFieldDescriptor(event, oneof);
    ASSERT_NE(set, nullptr);
    EXPECT_EQ(set->name(), event.type());
    EXPECT_EQ(event.event_time().seconds(), 1);
    EXPECT_EQ(event.event_time().nanos(), 500'000'000);
  }
  EXPECT_EQ(v1::CallEvent::descriptor()->FindOneofByName("body")->field_count(), std::variant_size_v<call::EventBody>);
}

TEST(ConvertTest, UnknownTimesAreUnset) {
  store::CallRecord record;
  record.create_time = absl::FromUnixNanos(-1);
  const auto call = ToProto(record);
  EXPECT_EQ(call.create_time().seconds(), -1);
  EXPECT_EQ(call.create_time().nanos(), 999'999'000);
  EXPECT_FALSE(call.has_answer_time());
  EXPECT_FALSE(call.has_end_time());
  EXPECT_FALSE(call.has_end());
  EXPECT_FALSE(call.has_duration());
}

TEST(ConvertTest, UnknownMeasuresAreUnset) {
  call::TurnMeasured measured;
  measured.to_first_sent_ms = 0;
  const auto event = ToProto(events::StoredEvent{1, {"c", 1, absl::UnixEpoch(), measured}});
  EXPECT_FALSE(event.turn_measured().has_to_commit());
  EXPECT_TRUE(event.turn_measured().has_to_first_sent());
}

TEST(ConvertTest, TheMeasuresOfAnAnswer) {
  const auto event = ToProto(events::StoredEvent{1, {"c", 1, absl::UnixEpoch(), call::AnswerMeasured{-1, 0, 3, 4, 5}}});
  EXPECT_FALSE(event.answer_measured().has_to_stream());
  EXPECT_TRUE(event.answer_measured().has_to_model_ready());
  EXPECT_EQ(event.answer_measured().to_first_audio().nanos(), 3'000'000);
  EXPECT_EQ(event.answer_measured().to_first_sent().nanos(), 4'000'000);
  EXPECT_EQ(event.answer_measured().to_first_heard().nanos(), 5'000'000);
}

// A body of each kind whose fields came with this version, with none left at its default: what it reads as.
TEST(ConvertTest, EveryFieldOfTheNewerKindsArrives) {
  const std::pair<call::EventBody, std::string> kRows[] = {
      {call::ModelReady{"s", "m", 2}, "session_id: \"s\" model: \"m\" ordinal: 2"},
      {call::AssistantSilenced{1500}, "silence_duration { seconds: 1 nanos: 500000000 }"},
      {call::AssistantPaused{"i", 20}, "item_id: \"i\" heard_duration { nanos: 20000000 }"},
      {call::AssistantResumed{"i", 450}, "item_id: \"i\" paused_duration { nanos: 450000000 }"},
      {call::ModelReopening{2, "stalled"}, "attempt: 2 reason: \"stalled\""},
      {call::PromptPlayed{"hold", "i", "One moment"}, "name: \"hold\" item_id: \"i\" text: \"One moment\""},
      {call::CallerIdle{3, true}, "count: 3 goodbye: true"},
      {call::MachineAnswered{call::VoicemailPolicy::kHangUp, "d"}, "policy: VOICEMAIL_POLICY_HANG_UP detail: \"d\""},
      {call::CallbackPromised{"r"}, "reason: \"r\""},
      {call::SayRequested{"q", "t", "p", true, "w"},
       "request_id: \"q\" text: \"t\" prompt: \"p\" interrupt: true principal: \"w\""},
      {call::ContextInjected{"q", "t", true, "w"}, "request_id: \"q\" text: \"t\" respond: true principal: \"w\""},
      {call::InstructionsUpdated{"i", "w"}, "instructions: \"i\" principal: \"w\""},
      {call::DtmfSent{"1#", "q", "w"}, "digits: \"1#\" request_id: \"q\" principal: \"w\""},
      {call::MuteChanged{true, true, "w"}, "caller_muted: true assistant_muted: true principal: \"w\""},
      {call::TakeoverChanged{true, "r", "w"}, "taken_over: true reason: \"r\" principal: \"w\""},
      {call::ToolCalled{"t", "n", "{}", absl::FromUnixSeconds(60)},
       "tool_call_id: \"t\" name: \"n\" arguments: \"{}\" answer_by_time { seconds: 60 }"},
      {call::SummaryReady{"s", {"callback", "high", "1970-01-01T00:01:00Z", "[1]"}},
       "summary: \"s\" result { disposition: \"callback\" interest: \"high\" follow_up_time { seconds: 60 } "
       "fields_json: \"[1]\" }"},
      {call::SummaryReady{"s", {}}, "summary: \"s\""}};
  for (const auto& [body, text] : kRows) {
    SCOPED_TRACE(call::TypeName(body));
    const auto event = ToProto(events::StoredEvent{1, {"c", 1, absl::UnixEpoch(), body}});
    const auto* field = v1::CallEvent::descriptor()->FindFieldByName(event.type());
    EXPECT_EQ(event.GetReflection()->GetMessage(event, field).ShortDebugString(), text);
  }
}

TEST(ConvertTest, ATombstoneHasItsPlaceAndItsTypeOnly) {
  events::StoredEvent stored{7, {"c", 3, absl::UnixEpoch() + absl::Seconds(9), call::DtmfReceived{"5"}}};
  EXPECT_EQ(ToProto(stored).body_case(), v1::CallEvent::kDtmfReceived);
  stored.erased = true;
  const auto event = ToProto(stored);
  EXPECT_EQ(event.body_case(), v1::CallEvent::BODY_NOT_SET);
  EXPECT_EQ(event.type(), "dtmf_received");
  EXPECT_EQ(event.sequence(), 3);
  EXPECT_EQ(event.event_time().seconds(), 9);
  EXPECT_FALSE(event.cursor().empty());
}

TEST(ConvertTest, WhatTheCarrierSettled) {
  store::CallRecord record;
  EXPECT_FALSE(ToProto(record).has_settlement());
  record.settlement.time = absl::UnixEpoch();
  record.settlement.duration_seconds = 0;
  record.settlement.billed_seconds = 60;
  record.settlement.cost = "0.01100";
  record.settlement.cause_code = 4000;
  record.settlement.cause = "Normal Hangup";
  record.settlement.source = "Caller";
  EXPECT_EQ(ToProto(record).settlement().ShortDebugString(),
            "duration { } billed_duration { seconds: 60 } cost: \"0.01100\" cause_code: 4000 cause: \"Normal Hangup\" "
            "source: \"Caller\" settle_time { }");
}

TEST(ConvertTest, FollowUpTimes) {
  struct Row {
    const char* text;
    int64_t seconds;  // -1: unset.
  };
  for (const Row& row :
       {Row{"1970-01-01T01:00:00+01:00", 0}, Row{"", -1}, Row{"tomorrow", -1}, Row{"infinite-future", -1},
        Row{"12026-01-01T00:00:00Z", -1}, Row{"2026-13-01T00:00:00Z", -1}}) {
    SCOPED_TRACE(row.text);
    const auto result = ToProto(call::CallResult{"", "", row.text, ""});
    EXPECT_EQ(result.has_follow_up_time() ? result.follow_up_time().seconds() : -1, row.seconds);
  }
}

TEST(ConvertTest, HalfAJsonObjectIsNotShown) {
  EXPECT_EQ(ToProto(call::CallResult{"", "", "", std::string(kMaxTextBytes, ' ')}).fields_json().size(), kMaxTextBytes);
  EXPECT_EQ(ToProto(call::CallResult{"", "", "", std::string(kMaxTextBytes + 1, ' ')}).fields_json(), "");
}

TEST(ConvertTest, WhatCameOfACall) {
  store::CallRecord record;
  EXPECT_FALSE(ToProto(record).has_result());
  EXPECT_EQ(ToProto(record).answered_by(), v1::ANSWERED_BY_UNSPECIFIED);
  record.result.interest = "low";
  record.answered_by_machine = true;
  EXPECT_EQ(ToProto(record).result().interest(), "low");
  EXPECT_EQ(ToProto(record).answered_by(), v1::ANSWERED_BY_MACHINE);
}

TEST(ConvertTest, AnEndedCall) {
  store::CallRecord record;
  record.call_id = "c";
  record.state = call::State::kCompleted;
  record.duration_seconds = 61;
  record.termination =
      call::Termination{call::EndReason::kBusy, call::Party::kCarrier, call::Layer::kSignalling, "e", true, true};
  const auto call = ToProto(record);
  EXPECT_EQ(call.duration().seconds(), 61);
  EXPECT_EQ(call.end().reason(), v1::END_REASON_BUSY);
  EXPECT_EQ(call.end().initiator(), v1::PARTY_CARRIER);
  EXPECT_EQ(call.end().layer(), v1::EVIDENCE_LAYER_SIGNALLING);
  EXPECT_EQ(call.end().evidence(), "e");
  EXPECT_TRUE(call.end().retryable());
  EXPECT_TRUE(call.end().failed());
}

TEST(ConvertTest, ALead) {
  store::LeadRecord record;
  record.lead_id = "l";
  record.call_status = "transferred";
  record.last_call_id = "c";
  record.result = {"callback", "high", "1970-01-01T00:01:00Z", ""};
  record.result_call_id = "d";
  const auto lead = ToProto(record);
  EXPECT_EQ(lead.disposition(), "callback");
  EXPECT_EQ(lead.interest(), "high");
  EXPECT_EQ(lead.follow_up_time().seconds(), 60);
  EXPECT_EQ(lead.result_call(), "calls/d");
  EXPECT_EQ(lead.name(), "leads/l");
  EXPECT_EQ(lead.last_call(), "calls/c");
  EXPECT_EQ(lead.call_status(), v1::LEAD_CALL_STATUS_TRANSFERRED);
}

TEST(Utf8Test, KeepsTextAndReplacesTheRest) {
  const std::string kBad = "\xEF\xBF\xBD";
  struct Row {
    const char* name;
    std::string text;
    std::string expected;
  };
  for (const Row& row : std::vector<Row>{{"ascii", "abc", "abc"},
                                         {"two, three, four bytes", "\u00e9\u20ac\U0001F44B", "\u00e9\u20ac\U0001F44B"},
                                         {"lone continuation", "a\x80z", "a" + kBad + "z"},
                                         {"cut off", "a\xE2\x82", "a" + kBad + kBad},
                                         {"overlong", "\xC0\xAF", kBad + kBad},
                                         {"surrogate", "\xED\xA0\x80", kBad + kBad + kBad},
                                         {"beyond the last", "\xF4\x90\x80\x80", kBad + kBad + kBad + kBad},
                                         {"overlong three", "\xE0\x80\x80", kBad + kBad + kBad},
                                         {"not a start", "\xFF", kBad}}) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(ToUtf8(row.text), row.expected);
  }
  EXPECT_EQ(ToUtf8("ab\u20ac", 4), "ab") << "no half characters";
  EXPECT_EQ(ToUtf8("ab\u20ac", 5), "ab\u20ac");
  EXPECT_EQ(ToUtf8(std::string(kMaxTextBytes + 1, 'x')).size(), kMaxTextBytes);
}

TEST(CursorTest, RoundTrip) {
  const std::string call_id = "11111111-2222-4333-8444-555555555555";
  for (const Cursor& cursor : {Cursor{0, "", 0}, Cursor{INT64_MAX, call_id, 7}}) {
    const auto parsed = ParseCursor(FormatCursor(cursor));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->position, cursor.position);
    EXPECT_EQ(parsed->call_id, cursor.call_id);
    EXPECT_EQ(parsed->sequence, cursor.sequence);
  }
}

// No prefix, and no change of one character, is taken for a cursor.
TEST(CursorTest, DamageIsFound) {
  const std::string cursor = FormatCursor({123456, "11111111-2222-4333-8444-555555555555", 7});
  for (size_t i = 0; i < cursor.size(); ++i) {
    EXPECT_FALSE(ParseCursor(cursor.substr(0, i)).has_value()) << i;
    std::string changed = cursor;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(ParseCursor(changed).has_value()) << i;
  }
  EXPECT_FALSE(ParseCursor(cursor + "A").has_value());
  // Three lengths: in two of them base64's last character has bits that mean nothing.
  for (const int64_t position : {1, 12, 123}) {
    const std::string made = FormatCursor({position, "", 0});
    for (const char last : absl::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")) {
      std::string changed = made;
      changed.back() = last;
      EXPECT_EQ(ParseCursor(changed).has_value(), changed == made) << changed;
    }
  }
  EXPECT_FALSE(ParseCursor(FormatCursor({-1, "", 0})).has_value());
  EXPECT_FALSE(ParseCursor(FormatCursor({1, "x", 1})).has_value());
}

}  // namespace
}  // namespace callbridge::control
