#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/sim/model_script.h"
#include "src/sim/model_session.h"
#include "tests/sim/model_session_fixture.h"

namespace callbridge::sim {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::SizeIs;

class ModelFaultsTest : public ModelSessionTest {
 protected:
  void Fault(absl::Duration at, const std::string& what) { scenario.model.faults.push_back({at, what}); }
  void Greet() {
    ModelReply reply;
    reply.speech.push_back({"demo-congrats"});
    scenario.replies = {reply};
    scenario.model.speed = 1.0;
    Start();
    Client({{"type", "response.create"}});
  }
};

TEST_F(ModelFaultsTest, Closes) {
  Fault(absl::Seconds(1), "close:1011");
  Greet();
  Wait(absl::Seconds(3));
  EXPECT_EQ(sink.close_code, 1011);
  EXPECT_LE(sink.sent.back().time, now - absl::Seconds(1));
  EXPECT_EQ(session->NextDeadline(), absl::InfiniteFuture());
  session->OnClosed(1011, now);
  EXPECT_FALSE(session->Report().open);
  EXPECT_EQ(session->Report().close_code, 1011);
}

TEST_F(ModelFaultsTest, Aborts) {
  Fault(absl::Seconds(1), "abort");
  Greet();
  Wait(absl::Seconds(2));
  EXPECT_TRUE(sink.aborted);
  EXPECT_EQ(sink.close_code, 0);
}

TEST_F(ModelFaultsTest, Stalls) {
  Fault(absl::Seconds(1), "stall");
  Greet();
  Wait(absl::Seconds(2));
  const size_t sent = sink.sent.size();
  Client({{"type", "response.cancel"}});
  Wait(absl::Minutes(70));
  EXPECT_EQ(sink.sent.size(), sent);
  EXPECT_EQ(sink.close_code, 0);
  EXPECT_FALSE(sink.aborted);
}

TEST_F(ModelFaultsTest, SendsGarbageAndGoesOn) {
  Fault(absl::Seconds(1), "garbage");
  Greet();
  Wait(absl::Milliseconds(1100));
  int broken = 0;
  for (const auto& sent : sink.sent) broken += sent.json.is_discarded() ? 1 : 0;
  EXPECT_GE(broken, 3);
  Wait(absl::Seconds(40));
  EXPECT_EQ(Last("response.done").json["response"]["status"], "completed");
}

TEST_F(ModelFaultsTest, ExpiresByScriptAndByAge) {
  Fault(absl::Seconds(1), "expire");
  Greet();
  Wait(absl::Seconds(2));
  EXPECT_EQ(LastErrorCode(), "session_expired");
  EXPECT_EQ(sink.close_code, 1001);
  EXPECT_EQ(sink.close_reason, "Your session hit the maximum duration of 60 minutes.");

  scenario.model.faults.clear();
  sink.close_code = 0;
  Open();
  Wait(absl::Minutes(59));
  EXPECT_EQ(sink.close_code, 0);
  Wait(absl::Minutes(1));
  EXPECT_EQ(sink.close_code, 1001);
}

TEST_F(ModelFaultsTest, LivesAsLongAsTheScriptSays) {
  scenario.model.lifetime = absl::Seconds(20);
  Open();
  EXPECT_EQ(Last("session.created").json["session"]["expires_at"], absl::ToUnixSeconds(now) + 20);
  Wait(absl::Seconds(19));
  EXPECT_EQ(sink.close_code, 0);
  Wait(absl::Seconds(1));
  EXPECT_EQ(LastErrorCode(), "session_expired");
  EXPECT_EQ(sink.close_code, 1001);
}

TEST_F(ModelFaultsTest, BreaksOneSessionOnly) {
  ModelManners::Fault fault{absl::Seconds(1), "abort"};
  fault.session = 1;
  scenario.model.faults.push_back(fault);
  const auto script = std::make_shared<ModelScript>(scenario);
  for (int number : {1, 2}) {
    sink.aborted = false;
    ModelSession::Options options;
    options.scenario = scenario;
    options.model = model;
    options.script = script;
    options.number = script->BeginSession();
    ASSERT_EQ(options.number, number);
    EXPECT_FALSE(script->awaits_another());
    session = std::make_unique<ModelSession>(options, TestSpeech(), sink);
    session->Open(HandshakeVerdict{}, now);
    Wait(absl::Seconds(2));
    EXPECT_EQ(sink.aborted, number == 1);
    EXPECT_EQ(script->awaits_another(), number == 1);
    EXPECT_EQ(session->Report().number, number);
  }
}

TEST_F(ModelFaultsTest, StallsWhenAResponseStarts) {
  ModelManners::Fault fault{absl::Milliseconds(200), "stall"};
  fault.response = 2;
  scenario.model.faults.push_back(fault);
  Greet();
  Wait(absl::Seconds(60));
  EXPECT_EQ(Count("response.done"), 1);
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(60));
  EXPECT_EQ(Count("response.created"), 2);
  EXPECT_EQ(Count("response.done"), 1);
  EXPECT_FALSE(sink.aborted);
}

TEST_F(ModelFaultsTest, GivesNoResponseWhenTheScriptSaysNothing) {
  ModelReply nothing;
  nothing.nothing = true;
  ModelReply reply;
  reply.speech.push_back({"hello-world"});
  scenario.replies = {nothing, reply};
  Start();
  SayClip("vm-goodbye");
  Quiet(3000);
  EXPECT_EQ(Count("input_audio_buffer.committed"), 1);
  EXPECT_EQ(Count("response.created"), 0);
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(3));
  EXPECT_EQ(Last("response.output_audio_transcript.done").json["transcript"], "Hello world.");
}

TEST_F(ModelFaultsTest, ThinksAsLongAsTheReplySays) {
  ModelReply reply;
  reply.speech.push_back({"hello-world"});
  reply.think = absl::Seconds(5);
  scenario.replies = {reply};
  Start();
  Client({{"type", "response.create"}});
  Wait(absl::Milliseconds(4900));
  EXPECT_EQ(Count("response.created"), 1);
  EXPECT_EQ(Count("response.output_audio.delta"), 0);
  Wait(absl::Milliseconds(300));
  EXPECT_GT(Count("response.output_audio.delta"), 0);
}

TEST_F(ModelFaultsTest, ACoughIsATurnWithTheWordsOfTheScript) {
  Start();
  SayClip("tone:500");
  Quiet(2000);
  EXPECT_EQ(Count("input_audio_buffer.speech_started"), 1);
  EXPECT_EQ(Count("input_audio_buffer.committed"), 1);
  const std::string completed = "conversation.item.input_audio_transcription.completed";
  EXPECT_EQ(Last(completed).json["transcript"], "");
  scenario.model.unknown_speech = "Mm-hmm.";
  Start();
  SayClip("tone:500");
  Quiet(2000);
  EXPECT_EQ(Last(completed).json["transcript"], "Mm-hmm.");
}

// The core decides by itself whether a sound was an interruption: the model neither stops nor answers.
TEST_F(ModelFaultsTest, LeavesInterruptionsToAClientThatWantsThem) {
  ModelReply reply;
  reply.speech.push_back({"demo-congrats"});
  scenario.replies = {reply};
  scenario.model.speed = 1.0;
  Start({{"type", "server_vad"}, {"interrupt_response", false}, {"create_response", false}});
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(1));
  SayClip("vm-goodbye");
  Quiet(2000);
  EXPECT_EQ(Count("input_audio_buffer.speech_started"), 1);
  EXPECT_EQ(Count("input_audio_buffer.committed"), 1);
  EXPECT_EQ(Count("response.created"), 1);
  Wait(absl::Seconds(60));
  EXPECT_EQ(Last("response.done").json["response"]["status"], "completed");
}

TEST_F(ModelFaultsTest, TellsTheConversationAsTheModelBelievesIt) {
  ModelReply reply;
  reply.speech.push_back({"hello-world"});
  scenario.replies = {reply};
  Start();
  const auto create = [this](const Json& item, const Json& previous) {
    Client({{"type", "conversation.item.create"}, {"previous_item_id", previous}, {"item", item}});
  };
  const auto message = [](const char* id, const char* role, const char* type, const char* text) {
    return Json{{"id", id},
                {"type", "message"},
                {"role", role},
                {"content", Json::array({Json{{"type", type}, {"text", text}}})}};
  };
  create(message("h2", "assistant", "output_text", "Hello, and"), nullptr);
  create(message("h1", "user", "input_text", "Hi."), "root");
  create(message("h3", "system", "input_text", "gone"), nullptr);
  create({{"id", "h4"}, {"type", "function_call"}, {"call_id", "c1"}, {"name", "look"}, {"arguments", "{}"}}, nullptr);
  create({{"id", "h5"}, {"type", "function_call_output"}, {"call_id", "c1"}, {"output", "found"}}, nullptr);
  create({{"id", "h6"}, {"type", "function_call_output"}, {"call_id", "c2"}, {"output", "lost"}}, nullptr);
  EXPECT_EQ(LastErrorCode(), "invalid_tool_call_id");
  Client({{"type", "conversation.item.delete"}, {"item_id", "h3"}});
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(3));
  const std::string spoken = Last("response.output_audio.done").json["item_id"];
  Client({{"type", "conversation.item.truncate"}, {"item_id", spoken}, {"content_index", 0}, {"audio_end_ms", 300}});
  const auto conversation = session->Report().conversation;
  std::vector<std::string> told;
  for (const auto& item : conversation) {
    const std::string heard = item.audio_ms > 0 ? absl::StrCat(" ", item.heard_ms, " ms") : "";
    told.push_back(absl::StrCat(item.role, ": ", item.text, heard));
  }
  EXPECT_THAT(told, ElementsAre("user: Hi.", "assistant: Hello, and", "function_call: {}",
                                "function_call_output: found", "assistant: Hello world. 300 ms"));
  EXPECT_EQ(conversation[2].name, "look");
  EXPECT_EQ(conversation[3].call_id, "c1");
  EXPECT_GT(conversation[4].audio_ms, 300);
}

TEST_F(ModelFaultsTest, SendsErrors) {
  Fault(absl::Seconds(1), "error:server_error");
  Fault(absl::Seconds(1), "explode");
  Greet();
  Wait(absl::Seconds(2));
  EXPECT_EQ(Last("error").json["error"]["type"], "server_error");
  EXPECT_THAT(session->Report().problems, ElementsAre("unknown fault 'explode'"));
}

TEST_F(ModelFaultsTest, RefusesUpdatesByScript) {
  scenario.model.on_update = "error:unknown_parameter";
  Open();
  Client(Update(nullptr));
  EXPECT_EQ(LastErrorCode(), "unknown_parameter");
  EXPECT_EQ(Count("session.updated"), 0);
  EXPECT_EQ(session->Report().session_update, "");

  scenario.model.on_update = "never";
  sink.sent.clear();
  Open();
  Client(Update(nullptr));
  Wait(absl::Seconds(60));
  EXPECT_THAT(Types(), ElementsAre("session.created"));
}

TEST_F(ModelFaultsTest, RefusesAfterTheUpgrade) {
  ModelSession refused({scenario, model, 1, true}, TestSpeech(), sink);
  HandshakeVerdict verdict;
  verdict.error_code = "invalid_api_key";
  verdict.error_message = "Incorrect API key provided";
  verdict.close_code = 3000;
  refused.Open(verdict, now);
  EXPECT_THAT(Types(), ElementsAre("error"));
  EXPECT_EQ(LastErrorCode(), "invalid_api_key");
  EXPECT_EQ(sink.close_code, 3000);
  EXPECT_EQ(sink.close_reason, "invalid_request_error.invalid_api_key");
  refused.OnText(R"({"type":"response.create"})", now);
  EXPECT_THAT(sink.sent, SizeIs(1));
}

TEST_F(ModelFaultsTest, SpeaksTheOldNames) {
  scenario.model.beta_names = true;
  ModelReply reply;
  reply.speech.push_back({"hello-world"});
  scenario.replies = {reply};
  Start();
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(3));
  EXPECT_GT(Count("response.audio.delta"), 3);
  EXPECT_GT(Count("response.audio_transcript.delta"), 1);
  EXPECT_EQ(Count("response.audio.done"), 1);
  EXPECT_EQ(Count("conversation.item.created"), 1);
  for (const char* newer :
       {"response.output_audio.delta", "response.output_audio.done", "response.output_audio_transcript.delta",
        "conversation.item.added", "conversation.item.done"}) {
    EXPECT_EQ(Count(newer), 0) << newer;
  }
  EXPECT_EQ(Last("response.done").json["response"]["output"][0]["content"][0]["type"], "audio");
}

TEST_F(ModelFaultsTest, SprinklesUnknownEventsAndFields) {
  scenario.model.unknown_extras = true;
  Greet();
  Wait(absl::Seconds(40));
  EXPECT_THAT(Types(), Contains("session.weather.updated"));
  int fields = 0;
  for (const auto& sent : sink.sent) fields += sent.json.contains("x_later") ? 1 : 0;
  EXPECT_GT(fields, 3);
  EXPECT_EQ(sink.sent[0].type, "session.created");
}

TEST_F(ModelFaultsTest, NamesMissingClips) {
  ModelReply reply;
  reply.speech.push_back({"no-such-clip", "hello-world"});
  scenario.replies = {reply};
  Start();
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(3));
  EXPECT_THAT(session->Report().problems, ElementsAre("no clip is called 'no-such-clip'"));
  EXPECT_EQ(Last("response.output_audio_transcript.done").json["transcript"], "Hello world.");
}

TEST_F(ModelFaultsTest, RecordsNothingWhenToldNotTo) {
  ModelReply reply;
  reply.speech.push_back({"hello-world"});
  scenario.replies = {reply};
  session = std::make_unique<ModelSession>(ModelSession::Options{scenario, model, 1, false}, TestSpeech(), sink);
  session->Open(HandshakeVerdict{}, now);
  Client(Update({{"type", "server_vad"}}));
  Client({{"type", "response.create"}});
  SayClip("vm-goodbye");
  Quiet(2000);
  const ModelSessionReport report = session->Report();
  EXPECT_THAT(report.received, testing::IsEmpty());
  EXPECT_THAT(report.heard_words, testing::IsEmpty());
  EXPECT_THAT(report.steps, testing::IsEmpty());
  ASSERT_THAT(report.items, Not(testing::IsEmpty()));
  EXPECT_EQ(report.items[0].mulaw, "");
  EXPECT_GT(report.items[0].audio_ms, 0);
  EXPECT_GT(report.appended_bytes, 0);
}

}  // namespace
}  // namespace callbridge::sim
