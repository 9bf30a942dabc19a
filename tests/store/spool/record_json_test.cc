#include "src/store/spool/record_json.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace callbridge::store {
namespace {

const absl::Time kTime = absl::FromUnixMicros(1'700'000'000'123'456);

call::Termination FullTermination() {
  return {call::EndReason::kBusy, call::Party::kCallee, call::Layer::kSignalling, "evidence", true, false};
}

call::Event FullEvent(int64_t sequence) { return {"call", sequence, kTime, call::StreamConnected{"stream", 2}}; }

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
          "detail",
          kTime,
          kTime + absl::Seconds(1),
          kTime + absl::Seconds(2),
          {{"+15550002222", call::TransferOutcome::kBusy, "busy", kTime, kTime + absl::Seconds(1)}}};
}

Settlement FullSettlement() { return {61, 120, "0.01100", "USD", 4000, "Normal Hangup", "Caller", kTime}; }

// No member has its default.
CallWrite FullWrite() {
  CallWrite write;
  write.call_id = "call";
  write.owner = Owner{"node", 3};
  write.events = {FullEvent(2), FullEvent(3)};
  write.state = call::State::kFailed;
  write.answer_time = kTime;
  write.carrier_call_id = "carrier";
  write.carrier_request_id = "request";
  write.model_session_id = "session";
  write.transcript_items = {FullItem()};
  write.transfer = FullTransfer();
  write.transferred = true;
  write.transfer_reason = "price";
  write.end = CallWrite::End{FullTermination(), kTime, 61, "Caller: hello\nAssistant: hi"};
  write.transcript = "later";
  write.summary = "summary";
  write.result = call::CallResult{"interested", "high", "2026-11-23T15:00:00Z", "[1]"};
  write.summary_due = true;
  write.summary_settled = true;
  write.answered_by_machine = true;
  write.settlement = FullSettlement();
  return write;
}

CallRecord FullCall() {
  CallRecord call;
  call.call_id = "call";
  call.direction = call::Direction::kOutbound;
  call.from = "+1555";
  call.to = "+1666";
  call.agent = "desk";
  call.lead_id = "lead";
  call.carrier_call_id = "carrier";
  call.carrier_request_id = "request";
  call.model_session_id = "session";
  call.state = call::State::kRinging;
  call.create_time = kTime;
  call.answer_time = kTime + absl::Seconds(1);
  call.end_time = kTime + absl::Seconds(2);
  call.duration_seconds = 61;
  call.transferred = true;
  call.transfer_reason = "price";
  call.termination = FullTermination();
  call.transcript = "transcript";
  call.summary = "summary";
  call.result = {"interested", "high", "2026-11-23T15:00:00Z", "[1]"};
  call.metadata = {{"key", "value"}, {"other", ""}};
  call.labels = {{"key", "value"}};
  call.event_head = 7;
  call.answered_by_machine = true;
  call.settlement = FullSettlement();
  call.event_floor = 5;
  call.erase_time = kTime + absl::Seconds(3);
  call.owner = {"node", 3};
  return call;
}

// Every member of the object differs from what a default one has there.
void ExpectNoDefaults(const nlohmann::json& full, const nlohmann::json& defaults, const std::string& where) {
  for (const auto& [key, value] : full.items()) {
    const std::string path = where + "." + key;
    const auto other = defaults.find(key);
    if (other == defaults.end()) continue;  // An optional.
    if (value.is_object() && other->is_object() && key != "metadata" && key != "labels") {
      ExpectNoDefaults(value, *other, path);
    } else {
      EXPECT_NE(value, *other) << path;
    }
  }
}

TEST(RecordJson, EveryMemberOfAWriteGoesRound) {
  const std::string line = EncodeWrite(FullWrite());
  const auto got = DecodeWrite(line);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(EncodeWrite(std::get<CallWrite>(*got)), line) << "a member that is not read would have its default";
  const auto full = nlohmann::json::parse(line)["write"];
  ExpectNoDefaults(full, nlohmann::json::parse(EncodeWrite({}))["write"], "write");
  // One key for each member, so that one that is not written is seen.
  EXPECT_EQ(full.size(), 20);
  EXPECT_EQ(full["settlement"].size(), 8);
  EXPECT_EQ(full["end"].size(), 4);
  EXPECT_EQ(full["events"][0].size(), 5);
}

TEST(RecordJson, EveryMemberOfACreationGoesRound) {
  const std::string line = EncodeCreation(FullCall(), {FullEvent(1)});
  const auto got = DecodeWrite(line);
  ASSERT_TRUE(got.ok()) << got.status();
  const auto& creation = std::get<CallCreation>(*got);
  EXPECT_EQ(EncodeCreation(creation.call, creation.events), line);
  const auto full = nlohmann::json::parse(line)["create"];
  ExpectNoDefaults(full, nlohmann::json::parse(EncodeCreation({}, {}))["create"], "create");
  EXPECT_EQ(full.size(), 2);
  EXPECT_EQ(full["call"].size(), 28);
  EXPECT_EQ(full["call"]["owner"].size(), 2);
}

// The text form could be right and the values in the wrong places: some by hand.
TEST(RecordJson, ValuesComeBackWhereTheyWere) {
  const auto got = DecodeWrite(EncodeWrite(FullWrite()));
  ASSERT_TRUE(got.ok());
  const auto& write = std::get<CallWrite>(*got);
  EXPECT_EQ(write.call_id, "call");
  ASSERT_EQ(write.events.size(), 2);
  EXPECT_EQ(write.events[1].sequence, 3);
  EXPECT_EQ(write.events[1].time, kTime);
  EXPECT_EQ(std::get<call::StreamConnected>(write.events[1].body).ordinal, 2);
  EXPECT_EQ(*write.state, call::State::kFailed);
  EXPECT_EQ(write.owner, (Owner{"node", 3}));
  EXPECT_EQ(write.end->termination.reason, call::EndReason::kBusy);
  EXPECT_EQ(write.end->duration_seconds, 61);
  EXPECT_EQ(write.transfer->attempts[0].outcome, call::TransferOutcome::kBusy);
  EXPECT_EQ(write.result->fields_json, "[1]");
  const auto created = DecodeWrite(EncodeCreation(FullCall(), {}));
  ASSERT_TRUE(created.ok());
  EXPECT_EQ(std::get<CallCreation>(*created).call.metadata, FullCall().metadata);
  EXPECT_EQ(std::get<CallCreation>(*created).call.termination->layer, call::Layer::kSignalling);
}

TEST(RecordJson, WhatIsNotSetStaysUnset) {
  CallWrite write;
  write.call_id = "call";
  const auto got = DecodeWrite(EncodeWrite(write));
  ASSERT_TRUE(got.ok());
  const auto& back = std::get<CallWrite>(*got);
  EXPECT_FALSE(back.owner || back.state || back.answer_time || back.carrier_call_id || back.carrier_request_id ||
               back.model_session_id || back.transfer || back.transferred || back.end || back.transcript ||
               back.summary || back.result || back.settlement);
  CallWrite emptied = write;  // Set, and to nothing.
  emptied.summary = "";
  emptied.transferred = false;
  const auto set = DecodeWrite(EncodeWrite(emptied));
  ASSERT_TRUE(set.ok());
  EXPECT_EQ(std::get<CallWrite>(*set).summary, "");
  EXPECT_EQ(std::get<CallWrite>(*set).transferred, false);
  const auto creation = DecodeWrite(EncodeCreation({}, {}));
  ASSERT_TRUE(creation.ok());
  EXPECT_EQ(std::get<CallCreation>(*creation).call.answer_time, absl::InfinitePast());
}

TEST(RecordJson, IsOneLine) {
  CallWrite write;
  write.call_id = "a\nb";
  write.summary = std::string("x\0\xFF\n\r", 5);
  const std::string line = EncodeWrite(write);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto got = DecodeWrite(line);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(std::get<CallWrite>(*got).call_id, "a\nb");
}

TEST(RecordJson, WhatIsNoWriteIsRefused) {
  struct Bad {
    const char* name;
    const char* line;
    const char* message;
  };
  const Bad rows[] = {{"empty", "", "not a JSON object"},
                      {"not JSON", "{", "not a JSON object"},
                      {"an array", "[]", "not a JSON object"},
                      {"another kind", R"({"erase":{}})", "known kind"},
                      {"no object", R"({"write":1})", "write"},
                      {"wrong member", R"({"write":{"summary":1}})", "summary"},
                      {"unknown word", R"({"write":{"state":"asleep"}})", "state"},
                      {"unknown event", R"({"write":{"events":[{"type":"from_the_future","body":{}}]}})", "type"},
                      {"bad event", R"({"write":{"events":[{"type":"stream_lost","body":{"detail":1}}]}})", "detail"},
                      {"bad metadata", R"({"create":{"call":{"metadata":{"a":1}}}})", "metadata"}};
  for (const Bad& row : rows) {
    SCOPED_TRACE(row.name);
    const auto got = DecodeWrite(row.line);
    EXPECT_EQ(got.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(got.status().message().find(row.message), absl::string_view::npos) << got.status();
  }
}

}  // namespace
}  // namespace callbridge::store
