#include "src/store/event_json.h"

#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "src/store/text.h"

namespace callbridge::store {
namespace {

const absl::Time kTime = absl::FromUnixMicros(1'700'000'000'123'456);

call::TranscriptItem FullItem() {
  return {"item",
          3,
          call::Role::kAssistant,
          call::ItemStatus::kCut,
          "generated",
          "heard",
          1200,
          700,
          call::HeardBasis::kEstimated,
          kTime};
}

call::Transfer FullTransfer() {
  return {"transfer",
          "sales",
          "+15550001111",
          "price",
          call::Party::kApi,
          call::TransferState::kFailed,
          call::TransferOutcome::kNoAnswer,
          "DialStatus no-answer",
          kTime,
          kTime + absl::Seconds(1),
          kTime + absl::Seconds(2),
          {{"+15550002222", call::TransferOutcome::kBusy, "busy", kTime, kTime + absl::Seconds(1)}}};
}

struct Row {
  call::EventBody body;
  const char* payload;  // All fields, none with its default.
};

const std::vector<Row>& Rows() {
  static const auto& kRows = *new std::vector<Row>{
      {call::CallCreated{call::Direction::kOutbound, "+1555", "+1666", "desk", "lead"},
       R"({"agent":"desk","direction":"outbound","from":"+1555","lead_id":"lead","to":"+1666"})"},
      {call::StateChanged{call::State::kRinging, call::State::kFailed}, R"({"from":"ringing","to":"failed"})"},
      {call::StreamConnected{"stream", 2}, R"({"ordinal":2,"stream_id":"stream"})"},
      {call::StreamLost{"close code 1006"}, R"({"detail":"close code 1006"})"},
      {call::ModelReady{"session", "gpt", 2}, R"({"model":"gpt","ordinal":2,"session_id":"session"})"},
      {call::ModelTrouble{"code", "message", true}, R"({"code":"code","fatal":true,"message":"message"})"},
      {call::CallerSpeechStarted{"item"}, R"({"item_id":"item"})"},
      {call::CallerSpeechStopped{"item"}, R"({"item_id":"item"})"},
      {call::AssistantSpeechStarted{"item", true}, R"({"greeting":true,"item_id":"item"})"},
      {call::AssistantSpeechFinished{"item", 1500, call::HeardBasis::kAcknowledged},
       R"({"basis":"acknowledged","heard_ms":1500,"item_id":"item"})"},
      {call::BargeIn{"item", 100, 2000, call::HeardBasis::kEstimated},
       R"({"basis":"estimated","heard_ms":100,"item_id":"item","received_ms":2000})"},
      {call::TranscriptItemFinal{FullItem()},
       R"({"item":{"basis":"estimated","generated_ms":1200,"heard_ms":700,"item_id":"item","position":3,"role":"assistant",)"
       R"("start_time":"2023-11-14T22:13:20.123456Z","status":"cut","text_generated":"generated","text_heard":"heard"}})"},
      {call::ToolCalled{"tool", "transfer_call", R"({"a":1})", absl::FromUnixSeconds(1)},
       R"({"answer_by":"1970-01-01T00:00:01.000000Z","arguments":"{\"a\":1}","name":"transfer_call","tool_call_id":"tool"})"},
      {call::ToolAnswered{"tool", "transfer_call", "{}", true},
       R"({"name":"transfer_call","ok":true,"output":"{}","tool_call_id":"tool"})"},
      {call::TransferChanged{FullTransfer()},
       R"({"transfer":{"attempts":[{"detail":"busy","end_time":"2023-11-14T22:13:21.123456Z","number":"+15550002222",)"
       R"("outcome":"busy","start_time":"2023-11-14T22:13:20.123456Z"}],"connect_time":"2023-11-14T22:13:21.123456Z","destination":"sales","detail":"DialStatus no-answer",)"
       R"("end_time":"2023-11-14T22:13:22.123456Z","number":"+15550001111","outcome":"no_answer","reason":"price",)"
       R"("request_time":"2023-11-14T22:13:20.123456Z","requested_by":"api","state":"failed","transfer_id":"transfer"}})"},
      {call::CallerReturned{"transfer"}, R"({"transfer_id":"transfer"})"},
      {call::DtmfReceived{"#"}, R"({"digit":"#"})"},
      {call::TurnMeasured{"item", 1, 2, 3, 4},
       R"({"caller_item_id":"item","to_commit_ms":1,"to_first_audio_ms":2,"to_first_heard_ms":4,"to_first_sent_ms":3})"},
      {call::CallEnded{
           {call::EndReason::kBusy, call::Party::kCallee, call::Layer::kSignalling, "evidence", true, false}, 61},
       R"({"duration_seconds":61,"termination":{"evidence":"evidence","failed":false,"initiator":"callee","layer":"signalling",)"
       R"("reason":"busy","retryable":true}})"},
      {call::SummaryReady{"summary", {"interested", "high", "2026-11-23T15:00:00Z", "[1]"}},
       R"({"result":{"disposition":"interested","fields_json":"[1]","follow_up_time":"2026-11-23T15:00:00Z","interest":"high"},)"
       R"("summary":"summary"})"},
      {call::SummaryFailed{"reason"}, R"({"reason":"reason"})"},
      {call::AssistantSilenced{7}, R"({"silence_ms":7})"},
      {call::AssistantPaused{"item", 100}, R"({"heard_ms":100,"item_id":"item"})"},
      {call::AssistantResumed{"item", 450}, R"({"item_id":"item","paused_ms":450})"},
      {call::AnswerMeasured{1, 2, 3, 4, 5},
       R"({"to_first_audio_ms":3,"to_first_heard_ms":5,"to_first_sent_ms":4,"to_model_ready_ms":2,"to_stream_ms":1})"},
      {call::ModelReopening{2, "stalled"}, R"({"attempt":2,"reason":"stalled"})"},
      {call::PromptPlayed{"hold", "item", "One moment"}, R"({"item_id":"item","name":"hold","text":"One moment"})"},
      {call::CallerIdle{3, true}, R"({"count":3,"goodbye":true})"},
      {call::MachineAnswered{call::VoicemailPolicy::kLeaveMessage, "detail"},
       R"({"detail":"detail","policy":"leave_message"})"},
      {call::CallbackPromised{"reason"}, R"({"reason":"reason"})"},
      {call::SayRequested{"id", "text", "hold", true, "crm"},
       R"({"interrupt":true,"principal":"crm","prompt":"hold","request_id":"id","text":"text"})"},
      {call::ContextInjected{"id", "text", true, "crm"},
       R"({"principal":"crm","request_id":"id","respond":true,"text":"text"})"},
      {call::InstructionsUpdated{"be kind", "crm"}, R"({"instructions":"be kind","principal":"crm"})"},
      {call::DtmfSent{"1#", "id", "crm"}, R"({"digits":"1#","principal":"crm","request_id":"id"})"},
      {call::MuteChanged{true, true, "crm"}, R"({"assistant_muted":true,"caller_muted":true,"principal":"crm"})"},
      {call::TakeoverChanged{true, "why", "crm"}, R"({"principal":"crm","reason":"why","taken_over":true})"}};
  return kRows;
}

TEST(EventJson, EveryBodyHasARow) {
  std::set<size_t> seen;
  for (const Row& row : Rows()) seen.insert(row.body.index());
  EXPECT_EQ(seen.size(), std::variant_size_v<call::EventBody>);
}

// The payload lists every field, so writing shows that none is forgotten; reading it and writing again shows the same
// for reading, since a field that were not read would come out with its default.
TEST(EventJson, EveryFieldGoesRound) {
  for (const Row& row : Rows()) {
    SCOPED_TRACE(call::TypeName(row.body));
    EXPECT_EQ(EncodeEventBody(row.body), row.payload);
    const auto body = DecodeEventBody(call::TypeName(row.body), row.payload);
    ASSERT_TRUE(body.ok()) << body.status();
    EXPECT_EQ(body->index(), row.body.index());
    EXPECT_EQ(EncodeEventBody(*body), row.payload);
  }
}

TEST(EventJson, NoFieldOfARowHasItsDefault) {
  for (const Row& row : Rows()) {
    SCOPED_TRACE(call::TypeName(row.body));
    const std::string defaults = EncodeEventBody(*DecodeEventBody(call::TypeName(row.body), "{}"));
    // Each "key":value of the full payload must differ from that of the defaults. Keys come in the same order.
    const std::string full = row.payload;
    size_t fields = 0;
    for (size_t at = full.find("\":"); at != std::string::npos; at = full.find("\":", at + 2)) {
      const size_t end = full.find_first_of(",}", at);
      const size_t begin = full.rfind('"', at - 1);
      if (full[at + 2] == '{' || full[at + 2] == '[') continue;
      EXPECT_EQ(defaults.find(full.substr(begin, end - begin + 1)), std::string::npos)
          << full.substr(begin, end - begin);
      ++fields;
    }
    EXPECT_GT(fields, 0);
  }
}

TEST(EventJson, TimesThatAreNoneStayNone) {
  call::Transfer transfer = FullTransfer();
  transfer.connect_time = absl::InfinitePast();
  const auto body = DecodeEventBody("transfer_changed", EncodeEventBody(call::TransferChanged{transfer}));
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(std::get<call::TransferChanged>(*body).transfer.connect_time, absl::InfinitePast());
}

TEST(EventJson, AttemptsGoRoundByThemselves) {
  const std::vector<call::TransferAttempt> attempts = FullTransfer().attempts;
  const auto got = DecodeAttempts(EncodeAttempts(attempts));
  ASSERT_TRUE(got.ok());
  ASSERT_EQ(got->size(), 1);
  EXPECT_EQ((*got)[0].number, "+15550002222");
  EXPECT_EQ((*got)[0].outcome, call::TransferOutcome::kBusy);
  EXPECT_EQ((*got)[0].start_time, kTime);
  EXPECT_EQ(EncodeAttempts({}), "[]");
  EXPECT_TRUE(DecodeAttempts("[]")->empty());
  for (const char* bad : {"", "{}", "[", "[1]", R"([{"outcome":"asleep"}])", R"([{"number":1}])"}) {
    EXPECT_EQ(DecodeAttempts(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(EventJson, UnknownKeysAreIgnoredAndMissingOnesKeepTheirDefault) {
  const auto body = DecodeEventBody("stream_connected", R"({"stream_id":"s","from_the_future":{"a":[1]}})");
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(std::get<call::StreamConnected>(*body).stream_id, "s");
  EXPECT_EQ(std::get<call::StreamConnected>(*body).ordinal, 1);
}

TEST(EventJson, WhatIsNotAnEventIsRefused) {
  struct Bad {
    const char* name;
    const char* type;
    const char* payload;
    const char* message;
  };
  const Bad rows[] = {{"unknown type", "no_such_type", "{}", "type"},
                      {"empty type", "", "{}", "type"},
                      {"not JSON", "stream_lost", "{", "not a JSON object"},
                      {"empty", "stream_lost", "", "not a JSON object"},
                      {"an array", "stream_lost", "[]", "not a JSON object"},
                      {"number for text", "stream_lost", R"({"detail":1})", "detail"},
                      {"text for number", "stream_connected", R"({"ordinal":"1"})", "ordinal"},
                      {"fraction", "stream_connected", R"({"ordinal":1.5})", "ordinal"},
                      {"beyond int", "stream_connected", R"({"ordinal":2147483648})", "ordinal"},
                      {"below int", "stream_connected", R"({"ordinal":-2147483649})", "ordinal"},
                      {"beyond int64", "call_ended", R"({"duration_seconds":9223372036854775808})", "duration_seconds"},
                      {"text for bool", "tool_answered", R"({"ok":"true"})", "ok"},
                      {"unknown word", "state_changed", R"({"to":"asleep"})", "to"},
                      {"null for text", "stream_lost", R"({"detail":null})", "detail"},
                      {"text for object", "transcript_item_final", R"({"item":"x"})", "item"},
                      {"inside an object", "transcript_item_final", R"({"item":{"role":"ghost"}})", "role"},
                      {"bad time", "transcript_item_final", R"({"item":{"start_time":"yesterday"}})", "start_time"}};
  for (const Bad& row : rows) {
    SCOPED_TRACE(row.name);
    const auto body = DecodeEventBody(row.type, row.payload);
    EXPECT_EQ(body.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(body.status().message().find(row.message), absl::string_view::npos) << body.status();
  }
}

TEST(EventJson, EveryPrefixOfAPayloadIsRefused) {
  const std::string payload = EncodeEventBody(call::TransferChanged{FullTransfer()});
  for (size_t length = 0; length < payload.size(); ++length) {
    EXPECT_FALSE(DecodeEventBody("transfer_changed", payload.substr(0, length)).ok()) << length;
  }
}

TEST(EventJson, TextThatIsNoneBecomesText) {
  const std::string bad("a\0\xFF\xC3(\xED\xA0\x80", 8);
  const std::string payload = EncodeEventBody(call::SummaryReady{bad, {}});
  EXPECT_EQ(std::get<call::SummaryReady>(*DecodeEventBody("summary_ready", payload)).summary, CleanText(bad));
}

}  // namespace
}  // namespace callbridge::store
