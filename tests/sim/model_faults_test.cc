#include "gmock/gmock.h"
#include "gtest/gtest.h"
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
