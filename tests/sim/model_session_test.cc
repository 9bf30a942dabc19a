#include "src/sim/model_session.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/sim/model_session_fixture.h"

namespace callbridge::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

ModelReply Speak(std::vector<std::string> clips) {
  ModelReply reply;
  reply.speech.push_back(std::move(clips));
  return reply;
}

TEST_F(ModelSessionTest, CreatesWithTheDefaultsOfTheService) {
  Open();
  ASSERT_THAT(Types(), ElementsAre("session.created"));
  const Json created = sink.sent[0].json["session"];
  EXPECT_EQ(sink.sent[0].text.find(R"({"type":"session.created","event_id":"event_)"), 0u);
  EXPECT_EQ(created["type"], "realtime");
  EXPECT_EQ(created["model"], "gpt-realtime-2.1");
  EXPECT_EQ(created["audio"]["input"]["format"], (Json{{"type", "audio/pcm"}, {"rate", 24000}}));
  EXPECT_EQ(created["audio"]["input"]["turn_detection"]["silence_duration_ms"], 500);
  EXPECT_EQ(created["audio"]["output"]["voice"], "marin");
  EXPECT_EQ(created["output_modalities"], Json::array({"audio"}));
  EXPECT_TRUE(created["include"].is_null());
  EXPECT_EQ(created["expires_at"], absl::ToUnixSeconds(now) + 3600);
}

TEST_F(ModelSessionTest, GreetsInTheServicesOrder) {
  scenario.replies = {Speak({"hello-world"})};
  Start();
  const size_t from = sink.sent.size();
  Client({{"type", "response.create"}});
  EXPECT_THAT(Types(from), ElementsAre("response.created"));
  Wait(absl::Seconds(5));
  EXPECT_THAT(Shape(from),
              ElementsAre("response.created", "response.output_item.added", "conversation.item.added", "response.content_part.added",
                          "response.output_audio_transcript.delta", "response.output_audio.delta", "response.output_audio.done",
                          "response.output_audio_transcript.done", "response.content_part.done", "conversation.item.done",
                          "response.output_item.done", "response.done", "rate_limits.updated"))
      << Text();
  const Json done = Last("response.done").json["response"];
  EXPECT_EQ(done["status"], "completed");
  EXPECT_TRUE(done["status_details"].is_null());
  EXPECT_EQ(done["output"][0]["content"], Json::array({Json{{"type", "output_audio"}, {"transcript", "Hello world."}}}));
  EXPECT_EQ(done["output"][0]["phase"], "final_answer");
  EXPECT_FALSE(done["output"][0].contains("object"));
  EXPECT_GT(done["usage"]["output_token_details"]["audio_tokens"], 20);
  EXPECT_EQ(AudioOf(done["output"][0]["id"]), TestSpeech()->Find("hello-world")->mulaw);
  const ModelSessionReport report = session->Report();
  EXPECT_EQ(report.greetings, 1);
  ASSERT_THAT(report.items, SizeIs(1));
  EXPECT_EQ(report.items[0].words, "Hello world.");
  EXPECT_EQ(report.items[0].mulaw, TestSpeech()->Find("hello-world")->mulaw);
}

TEST_F(ModelSessionTest, AudioIsUnevenAndFasterThanRealTime) {
  scenario.replies = {Speak({"demo-congrats"})};
  Start();
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(20));
  absl::Time first, last, words;
  int odd = 0, deltas = 0;
  for (const auto& sent : sink.sent) {
    if (sent.type == "response.output_audio_transcript.delta") words = sent.time;
    if (sent.type != "response.output_audio.delta") continue;
    if (deltas++ == 0) first = sent.time;
    last = sent.time;
    std::string piece;
    ASSERT_TRUE(absl::Base64Unescape(sent.json["delta"].get<std::string>(), &piece));
    odd += piece.size() % 160 != 0 ? 1 : 0;
    EXPECT_FALSE(sent.json.contains("obfuscation"));
  }
  EXPECT_GT(odd, deltas - 3);
  EXPECT_GT(deltas, 50);
  const absl::Duration played = absl::Milliseconds(TestSpeech()->Find("demo-congrats")->mulaw.size() / 8);
  EXPECT_LT(last - first, played / 3);
  EXPECT_LT(words, first + (last - first) * 0.7);  // The transcript runs ahead.
  EXPECT_TRUE(Last("response.output_audio_transcript.delta").json.contains("obfuscation"));
}

TEST_F(ModelSessionTest, TakesATurn) {
  scenario.replies = {Speak({"hello-world"}), Speak({"vm-goodbye"})};
  Start();
  Client({{"type", "response.create"}});
  Quiet(2000);
  const std::string greeting = Last("response.done").json["response"]["output"][0]["id"];
  const size_t from = sink.sent.size();
  SayClip("vm-nobodyavail");
  Quiet(3000);
  EXPECT_THAT(Shape(from),
              ElementsAre("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
                          "conversation.item.added", "conversation.item.done", "response.created", "response.output_item.added",
                          "conversation.item.added", "response.content_part.added", "response.output_audio_transcript.delta",
                          "response.output_audio.delta", "conversation.item.input_audio_transcription.delta",
                          "conversation.item.input_audio_transcription.completed", "response.output_audio.done",
                          "response.output_audio_transcript.done", "response.content_part.done", "conversation.item.done",
                          "response.output_item.done", "response.done", "rate_limits.updated"))
      << Text();
  const Json started = Last("input_audio_buffer.speech_started").json;
  const Json stopped = Last("input_audio_buffer.speech_stopped").json;
  const Json committed = Last("input_audio_buffer.committed").json;
  EXPECT_EQ(started["item_id"], committed["item_id"]);
  EXPECT_EQ(stopped["item_id"], committed["item_id"]);
  EXPECT_EQ(committed["previous_item_id"], greeting);
  EXPECT_NEAR(started["audio_start_ms"].get<int>(), 2000 - 300 + 100, 150);
  EXPECT_NEAR(stopped["audio_end_ms"].get<int>(), 2000 + 2790 + 500, 300);
  const Json completed = Last("conversation.item.input_audio_transcription.completed").json;
  EXPECT_EQ(completed["item_id"], committed["item_id"]);
  EXPECT_EQ(completed["transcript"], "Nobody is available to take your call at the moment.");
  EXPECT_EQ(completed["usage"]["type"], "tokens");
  EXPECT_THAT(session->Report().heard_words, ElementsAre("Nobody is available to take your call at the moment."));
}

}  // namespace
}  // namespace callbridge::sim
