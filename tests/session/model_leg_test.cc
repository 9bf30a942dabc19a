#include "src/session/model_leg.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "src/net/manual_loop.h"
#include "src/openai/call_tools.h"
#include "src/openai/transfer_tool.h"
#include "tests/fakes/fake_ws_connection.h"

namespace callbridge::session {
namespace {

namespace c = call::command;
namespace input = call::input;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::json;

constexpr char kUpdated[] = R"({"type":"session.updated","session":{"audio":{"input":{"format":{"type":"audio/pcmu"}},)"
                            R"("output":{"format":{"type":"audio/pcmu"}}}}})";

// The model's server is played by the test.
class ModelLegTest : public ::testing::Test, public ModelLeg::Owner {
 protected:
  ModelLegTest() {
    options_.url = "wss://model/v1/realtime";
    options_.api_key = "key";
    options_.session.instructions = "Be kind.";
    options_.session.tools = {openai::TransferTool({{"sales", ""}}), openai::EndCallTool(), openai::SendDtmfTool(),
                              openai::Tool{"lookup", "", ""}};
  }

  void Make() { leg_ = std::make_unique<ModelLeg>(options_, connector_, parser_, loop_.clock(), *this); }
  // A session that is connected, and configured unless the test says otherwise.
  void Connect(bool configure = true) {
    if (leg_ == nullptr) Make();
    leg_->Open();
    server().Open();
    server().Receive(R"({"type":"session.created","session":{"id":"sess_1","model":"gpt-realtime-2.1"}})");
    if (!configure) return;
    leg_->Do(c::ConfigureModel{});
    server().Receive(kUpdated);
    server().TakeSent();
    inputs_.clear();
  }
  testing::FakeWsConnection& server() { return connector_.last(); }

  // What was sent since the last call, as JSON without event ids.
  std::vector<Json> Sent() {
    std::vector<Json> events;
    for (const std::string& text : server().TakeSent()) {
      events.push_back(Json::parse(text));
      EXPECT_TRUE(events.back().contains("event_id")) << text;
      event_ids_.push_back(events.back()["event_id"]);
      events.back().erase("event_id");
    }
    return events;
  }
  // The only one.
  Json SentOne() {
    const std::vector<Json> events = Sent();
    EXPECT_THAT(events, SizeIs(1));
    return events.empty() ? Json() : events.front();
  }
  template <typename In>
  std::vector<In> All() const {
    std::vector<In> found;
    for (const input::Input& one : inputs_) {
      if (const auto* value = std::get_if<In>(&one)) found.push_back(*value);
    }
    return found;
  }
  // The only one of its kind; empty if it is not the only one.
  template <typename In>
  In One() const {
    const std::vector<In> found = All<In>();
    EXPECT_THAT(found, SizeIs(1));
    return found.size() == 1 ? found.front() : In();
  }
  void CallTool(absl::string_view id, absl::string_view name, const std::string& arguments,
                absl::string_view status = "completed") {
    const Json item = {{"id", "fc_1"},
                       {"type", "function_call"},
                       {"status", std::string(status)},
                       {"call_id", std::string(id)},
                       {"name", std::string(name)},
                       {"arguments", arguments}};
    server().Receive(Json{{"type", "response.output_item.done"}, {"response_id", "resp_1"}, {"item", item}}.dump());
  }

  void OnModelInput(const input::Input& input) override {
    inputs_.push_back(input);
    if (on_input_) on_input_(input);
  }
  void OnModelAudio(absl::string_view, absl::string_view item_id, absl::string_view, int64_t) override {
    audio_.emplace_back(item_id);
  }
  void OnCallerWords(absl::string_view item_id, absl::string_view delta) override {
    caller_words_.push_back(absl::StrCat(item_id, " ", delta));
  }
  void OnModelNote(absl::string_view what, absl::string_view detail) override {
    notes_.push_back(absl::StrCat(what, ": ", detail));
  }

  net::ManualLoop loop_;
  testing::FakeWsConnector connector_{loop_};
  openai::ServerEventParser parser_;
  ModelLeg::Options options_;
  std::unique_ptr<ModelLeg> leg_;
  std::function<void(const input::Input&)> on_input_;
  std::vector<input::Input> inputs_;
  std::vector<std::string> audio_;
  std::vector<std::string> caller_words_;
  std::vector<std::string> notes_;
  std::vector<std::string> event_ids_;
};

// ---- Sessions ----

TEST_F(ModelLegTest, SaysHowLongTheSessionLives) {
  const struct {
    const char* name;
    std::string session;
    int64_t lifetime_ms;
  } rows[] = {
      {"an hour", absl::StrCat(R"("expires_at":)", absl::ToUnixSeconds(loop_.now()) + 3600), 3'600'000},
      {"not told", R"("object":"realtime.session")", 0},
      {"null", R"("expires_at":null)", 0},
      {"past", absl::StrCat(R"("expires_at":)", absl::ToUnixSeconds(loop_.now()) - 5), 0},
  };
  Make();
  for (const auto& row : rows) {
    inputs_.clear();
    leg_->Open();
    server().Open();
    server().Receive(absl::StrCat(R"({"type":"session.created","session":{"id":"sess_9",)", row.session, "}}"));
    const auto created = One<input::ModelCreated>();
    EXPECT_EQ(created.lifetime_ms, row.lifetime_ms) << row.name;
    EXPECT_EQ(created.session_id, "sess_9");
    EXPECT_EQ(created.model, "gpt-realtime-2.1") << "ours, where the server does not say";
  }
}

TEST_F(ModelLegTest, NothingOfTheOldSessionIsHeardAfterTheNextIsOpened) {
  Connect();
  const auto old = connector_.connections().back();
  leg_->Open();
  EXPECT_EQ(old->close_code(), 1000);
  ASSERT_THAT(connector_.connections(), SizeIs(2));
  old->Receive(R"({"type":"input_audio_buffer.speech_started","item_id":"item_U"})");
  old->PeerClose(1006);
  loop_.Run();
  EXPECT_THAT(inputs_, IsEmpty());
  leg_->Append("AAAA");
  leg_->Do(c::CreateResponse{});
  EXPECT_THAT(server().sent(), IsEmpty()) << "the new session is not open yet";
  server().Open();
  leg_->Append("AAAA");
  EXPECT_THAT(server().sent(), SizeIs(1));
}

TEST_F(ModelLegTest, ANewSessionBeginsWithNothingOfTheOld) {
  Connect();
  // A summary under way, an error said, nineteen messages that make no sense.
  server().Receive(R"({"type":"response.created","response":{"id":"resp_S","metadata":{"purpose":"call_summary"}}})");
  server().Receive(R"({"type":"error","error":{"code":"session_expired","message":"60 minutes"}})");
  for (int i = 0; i < 19; ++i) server().Receive("nonsense");
  Connect(/*configure=*/false);
  inputs_.clear();
  leg_->Do(c::ConfigureModel{});
  server().Receive(kUpdated);
  EXPECT_THAT(All<input::ModelConfigured>(), SizeIs(1)) << "each session is configured once";
  server().Receive("nonsense");
  EXPECT_TRUE(server().is_open());
  server().Receive(
      R"({"type":"response.output_audio_transcript.delta","response_id":"resp_S","item_id":"i","delta":"Hi"})");
  EXPECT_EQ(One<input::AssistantText>().delta, "Hi") << "ids of the old session mean nothing in the new one";
  server().PeerClose(1006);
  EXPECT_THAT(One<input::ModelClosed>().detail, HasSubstr("1006")) << "and not the old session's last words";
}

TEST_F(ModelLegTest, ASessionCanBeOpenedWhileTheOldOneReportsItsEnd) {
  Connect();
  on_input_ = [this](const input::Input& in) {
    if (std::holds_alternative<input::ModelClosed>(in)) leg_->Open();
  };
  server().PeerClose(1011, "oops");
  ASSERT_THAT(connector_.connections(), SizeIs(2));
  server().Open();
  leg_->Append("AAAA");
  EXPECT_THAT(server().sent(), SizeIs(1));
}

TEST_F(ModelLegTest, ASessionCanBeOpenedInTheMiddleOfAnEvent) {
  Connect();
  on_input_ = [this](const input::Input& in) {
    if (std::holds_alternative<input::ResponseEnded>(in)) leg_->Open();
  };
  server().Receive(R"({"type":"response.done","response":{"id":"resp_1","status":"failed","status_details":
      {"type":"failed","error":{"type":"insufficient_quota","code":"insufficient_quota","message":"none left"}}}})");
  EXPECT_THAT(inputs_, SizeIs(1)) << "the old session's error came after the next was opened";
  EXPECT_THAT(connector_.connections(), SizeIs(2));
}

TEST_F(ModelLegTest, AfterCloseModelNothingIsSaid) {
  Connect();
  leg_->Do(c::CloseModel{});  // Of its owner: ignored here.
  EXPECT_TRUE(server().is_open());
  leg_->Close();
  server().Receive(kUpdated);
  loop_.Run();
  EXPECT_TRUE(server().closed());
  EXPECT_THAT(inputs_, IsEmpty());
}

// ---- Configuration ----

TEST_F(ModelLegTest, AProtectedGreetingIsNotInterruptedUntilItIsReleased) {
  Connect(/*configure=*/false);
  leg_->Do(c::ConfigureModel{true});
  const Json turns = SentOne()["session"]["audio"]["input"]["turn_detection"];
  EXPECT_EQ(turns["interrupt_response"], false);
  EXPECT_EQ(turns["create_response"], true);
  // The server echoes what it was asked for, which is not what the agent has.
  server().Receive(R"({"type":"session.updated","session":{"audio":{"input":{"format":{"type":"audio/pcmu"},)"
                   R"("turn_detection":{"type":"server_vad","create_response":true,"interrupt_response":false}},)"
                   R"("output":{"format":{"type":"audio/pcmu"}}}}})");
  EXPECT_THAT(All<input::ModelConfigured>(), SizeIs(1));
  EXPECT_THAT(All<input::ModelError>(), IsEmpty());
  leg_->Do(c::ReleaseGreeting{});
  const Json released = SentOne();
  EXPECT_EQ(released["type"], "session.update");
  EXPECT_EQ(released["session"]["audio"]["input"]["turn_detection"]["interrupt_response"], true);
  EXPECT_FALSE(released["session"].contains("instructions")) << "nothing else changes";
  server().Receive(kUpdated);
  EXPECT_THAT(All<input::ModelConfigured>(), SizeIs(1)) << "the second answer is no second configuration";
}

TEST_F(ModelLegTest, AReleaseThatIsRefusedIsNoTrouble) {
  Connect();
  leg_->Do(c::ReleaseGreeting{});
  Sent();
  server().Receive(absl::Substitute(
      R"({"type":"error","error":{"type":"invalid_request_error","code":"invalid_value","message":"no","event_id":"$0"}})",
      event_ids_.back()));
  EXPECT_THAT(inputs_, IsEmpty());
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("turn detection not changed")));
}

TEST_F(ModelLegTest, ARefusedConfigurationEndsTheSession) {
  const struct {
    const char* name;
    const char* error;  // $0: the event's id.
    bool fatal;
    call::EndReason reason;
  } rows[] = {
      {"named", R"("type":"invalid_request_error","code":"unknown_parameter","event_id":"$0")", true,
       call::EndReason::kModelRefused},
      {"not named", R"("type":"invalid_request_error","code":"unknown_parameter","event_id":null)", true,
       call::EndReason::kModelRefused},
      {"of another event", R"("type":"invalid_request_error","code":"unknown_parameter","event_id":"other")", false,
       call::EndReason::kModelUnavailable},
      {"quota stays quota", R"("type":"insufficient_quota","code":"insufficient_quota","event_id":"$0")", true,
       call::EndReason::kModelQuota},
  };
  for (const auto& row : rows) {
    Connect(/*configure=*/false);
    leg_->Do(c::ConfigureModel{});
    Sent();
    inputs_.clear();
    server().Receive(
        absl::StrCat(R"({"type":"error","error":{)", absl::Substitute(row.error, event_ids_.back()), "}}"));
    const auto error = One<input::ModelError>();
    EXPECT_EQ(error.fatal, row.fatal) << row.name;
    EXPECT_EQ(error.reason, row.reason) << row.name;
  }
}

TEST_F(ModelLegTest, AServerThatStumblesOverTheConfigurationIsLeft) {
  Connect(/*configure=*/false);
  leg_->Do(c::ConfigureModel{});
  Sent();
  inputs_.clear();
  server().Receive(absl::Substitute(
      R"({"type":"error","error":{"type":"server_error","message":"oops","event_id":"$0"}})", event_ids_.back()));
  EXPECT_EQ(One<input::ModelClosed>().reason, call::EndReason::kModelUnavailable);
  EXPECT_EQ(server().close_code(), 1000);
  loop_.Run();
  EXPECT_THAT(inputs_, SizeIs(1)) << "its end is told once";
}

TEST_F(ModelLegTest, ASessionThatIsNotAsConfiguredIsRefused) {
  Connect(/*configure=*/false);
  leg_->Do(c::ConfigureModel{});
  server().Receive(R"({"type":"session.updated","session":{"audio":{"input":{"format":{"type":"audio/pcm"}}}}})");
  EXPECT_TRUE(One<input::ModelError>().fatal);
  EXPECT_EQ(One<input::ModelError>().reason, call::EndReason::kModelRefused);
  EXPECT_THAT(All<input::ModelConfigured>(), IsEmpty());
}

// ---- Trouble ----

TEST_F(ModelLegTest, TroubleHasItsReason) {
  const struct {
    const char* name;
    const char* event;
    int errors;
    bool fatal;
    call::EndReason reason;
  } rows[] = {
      {"quota error", R"({"type":"error","error":{"code":"insufficient_quota","message":"m"}})", 1, true,
       call::EndReason::kModelQuota},
      {"quota in a response",
       R"({"type":"response.done","response":{"id":"r","status":"failed","status_details":{"error":
        {"type":"insufficient_quota","message":"You exceeded your current quota"}}}})",
       1, true, call::EndReason::kModelQuota},
      {"rate in a response",
       R"({"type":"response.done","response":{"id":"r","status":"failed","status_details":{"error":
        {"type":"tokens","code":"rate_limit_exceeded","message":"slow down"}}}})",
       0, false, call::EndReason::kModelSessionLost},
      {"rate error", R"({"type":"error","error":{"code":"rate_limit_exceeded","message":"m"}})", 1, false,
       call::EndReason::kModelSessionLost},
      {"key", R"({"type":"error","error":{"code":"invalid_api_key","message":"m"}})", 1, true,
       call::EndReason::kModelRefused},
      {"model", R"({"type":"error","error":{"code":"model_not_found","message":"m"}})", 1, true,
       call::EndReason::kModelRefused},
      {"expired", R"({"type":"error","error":{"code":"session_expired","message":"m"}})", 1, false,
       call::EndReason::kModelSessionLost},
      {"cancel raced", R"({"type":"error","error":{"code":"response_cancel_not_active","message":"m"}})", 0, false,
       call::EndReason::kModelSessionLost},
      {"already active",
       R"({"type":"error","error":{"code":"conversation_already_has_active_response","message":"m"}})", 0, false,
       call::EndReason::kModelSessionLost},
      {"cut too long",
       R"({"type":"error","error":{"code":"invalid_value","message":"Audio content of 3700ms is already shorter than 3760ms"}})",
       0, false, call::EndReason::kModelSessionLost},
  };
  for (const auto& row : rows) {
    Connect();
    server().Receive(row.event);
    const auto errors = All<input::ModelError>();
    EXPECT_THAT(errors, SizeIs(row.errors)) << row.name;
    for (const auto& error : errors) {
      EXPECT_EQ(error.fatal, row.fatal) << row.name;
      EXPECT_FALSE(error.code.empty()) << row.name;
      EXPECT_TRUE(!error.fatal || error.reason == row.reason) << row.name;
    }
    EXPECT_EQ(server().is_open(), !row.fatal) << row.name;
    EXPECT_THAT(All<input::ModelClosed>(), SizeIs(row.fatal ? 1 : 0)) << row.name;
    server().PeerClose(1001);
    EXPECT_EQ(One<input::ModelClosed>().reason, row.reason) << row.name << ", when it has closed";
  }
}

TEST_F(ModelLegTest, AFailedResponseEndsBeforeItsTroubleIsTold) {
  Connect();
  server().Receive(R"({"type":"response.done","response":{"id":"r","status":"failed","status_details":{"error":
      {"code":"insufficient_quota","message":"m"}}}})");
  ASSERT_THAT(inputs_, SizeIs(3));
  EXPECT_EQ(std::get<input::ResponseEnded>(inputs_[0]).status, "failed");
  EXPECT_TRUE(std::get<input::ModelError>(inputs_[1]).fatal);
  EXPECT_EQ(std::get<input::ModelClosed>(inputs_[2]).reason, call::EndReason::kModelQuota);
}

TEST_F(ModelLegTest, AFatalErrorThatOpensTheNextSessionDoesNotCloseIt) {
  Connect();
  on_input_ = [this](const input::Input& in) {
    if (std::holds_alternative<input::ModelError>(in)) leg_->Open();
  };
  server().Receive(R"({"type":"error","error":{"code":"insufficient_quota","message":"m"}})");
  ASSERT_THAT(connector_.connections(), SizeIs(2));
  EXPECT_EQ(server().close_code(), 0);
  EXPECT_THAT(inputs_, SizeIs(1));
}

TEST_F(ModelLegTest, ConfiguredAgainOnlyItsTurnsChange) {
  Connect();
  leg_->Do(c::ConfigureModel{true});
  Json update = SentOne();
  EXPECT_EQ(update["session"]["audio"]["input"]["turn_detection"]["interrupt_response"], false);
  EXPECT_FALSE(update["session"]["audio"].contains("output")) << "the voice cannot be set once it was heard";
  server().Receive(kUpdated);
  EXPECT_THAT(inputs_, IsEmpty());
  leg_->Do(c::ConfigureModel{false});
  update = SentOne();
  EXPECT_EQ(update["session"]["audio"]["input"]["turn_detection"]["interrupt_response"], true);
}

TEST_F(ModelLegTest, AnEndSaysWhatWasSeen) {
  Connect();
  server().PeerClose(1006);
  EXPECT_EQ(One<input::ModelClosed>().reason, call::EndReason::kModelSessionLost);
  Connect(/*configure=*/false);
  inputs_.clear();
  server().PeerClose(3000, "invalid_request_error.invalid_api_key");
  EXPECT_EQ(One<input::ModelClosed>().reason, call::EndReason::kModelRefused);
  inputs_.clear();
  leg_->Open();
  server().FailToOpen("connection refused");
  EXPECT_EQ(One<input::ModelClosed>().reason, call::EndReason::kModelUnavailable);
  EXPECT_THAT(One<input::ModelClosed>().detail, HasSubstr("connection refused"));
}

// ---- The conversation ----

TEST_F(ModelLegTest, RestoresTheConversationInOrder) {
  Connect();
  c::RestoreConversation restore;
  restore.items = {
      {call::Role::kAssistant, "item_A", "Hello.", "", "", ""},
      {call::Role::kCaller, "item_U", "Hi.", "", "", ""},
      {call::Role::kTool, "item_F", "{\"open\":true}", "call_1", "lookup", "{\"day\":1}"},
      {call::Role::kSystem, "", "The caller was on hold.", "", "", ""},
      {call::Role::kCaller, "item_E", "", "", "", ""},
  };
  leg_->Do(restore);
  const std::vector<Json> sent = Sent();
  ASSERT_THAT(sent, SizeIs(5)) << "an item without words is nothing to restore";
  EXPECT_EQ(sent[0]["item"], Json::parse(R"({"id":"item_A","type":"message","role":"assistant",
      "content":[{"type":"output_text","text":"Hello."}]})"));
  EXPECT_EQ(sent[1]["item"], Json::parse(R"({"id":"item_U","type":"message","role":"user",
      "content":[{"type":"input_text","text":"Hi."}]})"));
  EXPECT_EQ(sent[2]["item"], Json::parse(R"({"id":"item_F","type":"function_call","call_id":"call_1","name":"lookup",
      "arguments":"{\"day\":1}"})"));
  EXPECT_EQ(sent[3]["item"],
            Json::parse(R"({"type":"function_call_output","call_id":"call_1","output":"{\"open\":true}"})"));
  EXPECT_EQ(sent[4]["item"]["role"], "system");
  EXPECT_EQ(sent[4]["item"]["content"][0]["type"], "input_text");
  for (const Json& event : sent) EXPECT_EQ(event["type"], "conversation.item.create");
}

TEST_F(ModelLegTest, WhatWePutThereIsNotTakenForSpeech) {
  Connect();
  leg_->Do(c::RestoreConversation{{{call::Role::kCaller, "item_U", "Hi.", "", "", ""}}});
  leg_->Do(c::AddCallerText{"[The caller pressed 1]"});
  const std::vector<Json> sent = Sent();
  ASSERT_THAT(sent, SizeIs(2));
  const std::string keys = sent[1]["item"]["id"];
  EXPECT_EQ(sent[1]["item"]["content"][0]["text"], "[The caller pressed 1]");
  for (const std::string& id : {std::string("item_U"), keys}) {
    server().Receive(absl::Substitute(
        R"({"type":"conversation.item.added","item":{"id":"$0","type":"message","role":"user"}})", id));
  }
  EXPECT_THAT(inputs_, IsEmpty());
  server().Receive(
      R"({"type":"conversation.item.added","previous_item_id":"item_U","item":{"id":"item_V","type":"message","role":"user"}})");
  EXPECT_EQ(One<input::ItemAdded>().item_id, "item_V");
  EXPECT_EQ(One<input::ItemAdded>().previous_item_id, "item_U");
}

TEST_F(ModelLegTest, TheCallersWordsGoPastTheCall) {
  Connect();
  server().Receive(
      R"({"type":"conversation.item.input_audio_transcription.delta","item_id":"item_U","content_index":0,"delta":" Hel"})");
  EXPECT_THAT(caller_words_, ElementsAre("item_U  Hel"));
  EXPECT_THAT(inputs_, IsEmpty()) << "which waits for the whole";
}

TEST_F(ModelLegTest, ARewrittenItemIsFoundUnderItsOldName) {
  Connect();
  leg_->Do(c::RewriteItem{"item_A", "", "We are op"});
  std::vector<Json> sent = Sent();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[0], Json::parse(R"({"type":"conversation.item.delete","item_id":"item_A"})"));
  const std::string first = sent[1]["item"]["id"];
  EXPECT_NE(first, "item_A") << "which the server might refuse so soon";
  EXPECT_LE(first.size(), 32u);
  EXPECT_EQ(sent[1]["previous_item_id"], "root");
  EXPECT_EQ(sent[1]["item"]["role"], "assistant");
  EXPECT_EQ(sent[1]["item"]["content"][0]["text"], "We are op");
  // The server's echo of it is no news; what comes behind it stands behind the call's item.
  server().Receive(absl::Substitute(
      R"({"type":"conversation.item.added","item":{"id":"$0","type":"message","role":"assistant"}})", first));
  EXPECT_THAT(inputs_, IsEmpty());
  server().Receive(
      absl::Substitute(R"({"type":"input_audio_buffer.committed","item_id":"item_U","previous_item_id":"$0"})", first));
  EXPECT_EQ(One<input::TurnCommitted>().previous_item_id, "item_A");

  leg_->Do(c::RewriteItem{"item_A", "item_0", "We"});
  sent = Sent();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[0]["item_id"], first);
  EXPECT_EQ(sent[1]["previous_item_id"], "item_0");
  const std::string second = sent[1]["item"]["id"];
  leg_->Do(c::TruncateItem{"item_A", 20});
  EXPECT_EQ(SentOne()["item_id"], second);
  leg_->Do(c::RewriteItem{"item_B", "item_A", "Yes"});
  EXPECT_EQ(Sent()[1]["previous_item_id"], second);
  leg_->Do(c::RewriteItem{"item_A", "item_0", ""});
  EXPECT_EQ(SentOne()["item_id"], second) << "nothing of it was heard: it goes, and nothing takes its place";
  leg_->Do(c::DeleteItem{"item_A"});
  leg_->Do(c::TruncateItem{"item_A", 5});
  EXPECT_THAT(Sent(), IsEmpty()) << "it is gone already";
  leg_->Do(c::DeleteItem{"item_C"});
  EXPECT_EQ(SentOne()["item_id"], "item_C");
}

TEST_F(ModelLegTest, ResponsesUnderOtherInstructionsHaveNoTools) {
  Connect();
  leg_->Do(c::CreateResponse{});
  EXPECT_FALSE(SentOne().contains("response"));
  leg_->Do(c::CreateResponse{"Say goodbye.", ""});
  const Json response = SentOne()["response"];
  EXPECT_EQ(response["tool_choice"], "none");
  EXPECT_EQ(response["instructions"], "Be kind.\n\nSay goodbye.") << "it still knows who it is";
}

TEST_F(ModelLegTest, AResponseSaysWhichRequestItIsOf) {
  Connect();
  leg_->Do(c::CreateResponse{"Say exactly: hi", "q1"});
  EXPECT_EQ(SentOne()["response"]["metadata"]["request_id"], "q1");
  server().Receive(R"({"type":"response.created","response":{"id":"resp_1","metadata":{"request_id":"q1"}}})");
  EXPECT_EQ(One<input::ResponseStarted>().request_id, "q1");
  inputs_.clear();
  server().Receive(R"({"type":"response.created","response":{"id":"resp_2"}})");
  EXPECT_EQ(One<input::ResponseStarted>().request_id, "");
}

TEST_F(ModelLegTest, InstructionsStayReplaced) {
  Connect();
  leg_->Do(c::SetInstructions{"Be brief."});
  EXPECT_EQ(SentOne()["session"], Json({{"type", "realtime"}, {"instructions", "Be brief."}}));
  leg_->Do(c::CreateResponse{"Say goodbye.", ""});
  EXPECT_EQ(SentOne()["response"]["instructions"], "Be brief.\n\nSay goodbye.");
  Connect(/*configure=*/false);
  Sent();
  leg_->Do(c::ConfigureModel{});
  EXPECT_EQ(SentOne()["session"]["instructions"], "Be brief.") << "also for the next session";
}

TEST_F(ModelLegTest, WhetherTurnsAreAnsweredOutlivesTheSession) {
  const auto turns = [](const Json& event) { return event["session"]["audio"]["input"]["turn_detection"]; };
  Connect();
  leg_->Do(c::LetAnswer{false});
  Json sent = turns(SentOne());
  EXPECT_EQ(sent["create_response"], false);
  EXPECT_EQ(sent["interrupt_response"], true);
  leg_->Do(c::ConfigureModel{true});
  sent = turns(SentOne());
  EXPECT_EQ(sent["create_response"], false) << "both at once";
  EXPECT_EQ(sent["interrupt_response"], false);
  Connect(/*configure=*/false);
  Sent();
  leg_->Do(c::ConfigureModel{});
  EXPECT_EQ(turns(SentOne())["create_response"], false);
  leg_->Do(c::LetAnswer{true});
  EXPECT_EQ(turns(SentOne())["create_response"], true);
}

TEST_F(ModelLegTest, EveryEventHasAnIdOfItsOwn) {
  Connect();
  leg_->Do(c::CreateResponse{});
  leg_->Do(c::CancelResponse{"resp_1"});
  leg_->Do(c::RewriteItem{"item_A", "", "x"});
  leg_->Do(c::AddSystemText{"x"});
  leg_->Do(c::RequestSummary{});
  Sent();
  Connect();
  leg_->Do(c::CreateResponse{});
  Sent();
  EXPECT_EQ(std::set<std::string>(event_ids_.begin(), event_ids_.end()).size(), event_ids_.size());
}

// ---- Tools ----

TEST_F(ModelLegTest, ToolCallsBecomeInputs) {
  options_.check_arguments = [](absl::string_view name, absl::string_view arguments) {
    return arguments == "{}" ? absl::InvalidArgumentError(absl::StrCat(name, " needs a day")) : absl::OkStatus();
  };
  Connect();
  CallTool("call_1", "transfer_call", R"({"destination":"sales","reason":"buys"})");
  EXPECT_EQ(One<input::TransferAsked>().destination, "sales");
  CallTool("call_2", "end_call", R"({"reason":"bye"})");
  EXPECT_EQ(One<input::EndAsked>().reason, "bye");
  EXPECT_EQ(One<input::EndAsked>().tool_call_id, "call_2");
  CallTool("call_3", "send_dtmf", R"({"digits":"12#"})");
  EXPECT_EQ(One<input::DtmfAsked>().digits, "12#");
  CallTool("call_4", "lookup", R"({"day":1} )");
  EXPECT_EQ(One<input::ToolAsked>().name, "lookup");
  EXPECT_EQ(One<input::ToolAsked>().arguments, R"({"day":1})");
  EXPECT_THAT(All<input::ToolRefused>(), IsEmpty());

  const struct {
    const char* name;
    const char* arguments;
    const char* says;
  } refused[] = {
      {"weather", "{}", "there is no tool named weather"},
      {"transfer_call", "[]", "not a JSON object"},
      {"end_call", "[]", "one JSON object"},
      {"send_dtmf", R"({"digits":"x"})", "0-9 * # A-D"},
      {"lookup", "[]", "one JSON object"},
      {"lookup", "", "lookup needs a day"},
  };
  for (const auto& row : refused) {
    inputs_.clear();
    CallTool(absl::StrCat("bad_", row.name, row.arguments), row.name, row.arguments);
    EXPECT_THAT(One<input::ToolRefused>().problem, HasSubstr(row.says));
    EXPECT_EQ(One<input::ToolRefused>().name, row.name);
    EXPECT_THAT(inputs_, SizeIs(1));
  }
}

TEST_F(ModelLegTest, ToolsThatAreNotOfferedAreRefused) {
  options_.session.tools.clear();
  Connect();
  for (const char* name : {"transfer_call", "end_call", "send_dtmf", "lookup"}) CallTool(name, name, "{}");
  EXPECT_THAT(All<input::ToolRefused>(), SizeIs(4));
  EXPECT_THAT(inputs_, SizeIs(4));
}

TEST_F(ModelLegTest, AToolCallIsActedOnOnce) {
  Connect();
  CallTool("call_1", "lookup", "{", "incomplete");
  EXPECT_THAT(inputs_, IsEmpty()) << "cut off in the middle";
  CallTool("call_1", "lookup", "{}");
  CallTool("call_1", "lookup", "{}");
  server().Receive(R"({"type":"response.done","response":{"id":"resp_1","status":"completed","output":[
      {"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"lookup","arguments":"{}"}]}})");
  EXPECT_THAT(All<input::ToolAsked>(), SizeIs(1));
  Connect();
  CallTool("call_1", "lookup", "{}");
  EXPECT_THAT(All<input::ToolAsked>(), IsEmpty()) << "nor in the next session";
}

TEST_F(ModelLegTest, AnAnswerReachesASessionThatNeverMadeTheCall) {
  Connect();
  CallTool("call_1", "lookup", R"({"day":1})");
  leg_->Do(c::AnswerTool{"call_1", true, R"({"open":true})"});
  EXPECT_EQ(SentOne()["item"], Json::parse(R"({"type":"function_call_output","call_id":"call_1",
      "output":"{\"status\":\"ok\",\"result\":{\"open\":true}}"})"));
  Connect();
  leg_->Do(c::AnswerTool{"call_1", false, "it took too long"});
  const std::vector<Json> sent = Sent();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[0]["item"], Json::parse(R"({"type":"function_call","call_id":"call_1","name":"lookup",
      "arguments":"{\"day\":1}"})"));
  EXPECT_EQ(sent[1]["item"]["call_id"], "call_1");
  EXPECT_EQ(Json::parse(sent[1]["item"]["output"].get<std::string>()),
            Json::parse(R"({"status":"failed","message":"it took too long"})"));
  leg_->Do(c::AnswerTool{"call_1", true, "again"});
  EXPECT_EQ(SentOne()["item"]["type"], "function_call_output") << "now it knows the call";
}

TEST_F(ModelLegTest, ARestoredToolCallIsKnown) {
  Connect();
  CallTool("call_1", "lookup", "{}");
  Connect();
  leg_->Do(c::RestoreConversation{{{call::Role::kTool, "item_F", "done", "call_1", "lookup", "{}"}}});
  Sent();
  leg_->Do(c::AnswerTool{"call_1", true, "more"});
  EXPECT_EQ(SentOne()["item"]["type"], "function_call_output");
}

}  // namespace
}  // namespace callbridge::session
