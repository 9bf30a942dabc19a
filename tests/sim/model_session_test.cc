#include "src/sim/model_session.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "src/sim/mulaw.h"
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
  EXPECT_THAT(Shape(from), ElementsAre("response.created", "response.output_item.added", "conversation.item.added",
                                       "response.content_part.added", "response.output_audio_transcript.delta",
                                       "response.output_audio.delta", "response.output_audio.done",
                                       "response.output_audio_transcript.done", "response.content_part.done",
                                       "conversation.item.done", "response.output_item.done", "response.done",
                                       "rate_limits.updated"))
      << Text();
  const Json done = Last("response.done").json["response"];
  EXPECT_EQ(done["status"], "completed");
  EXPECT_TRUE(done["status_details"].is_null());
  EXPECT_EQ(done["output"][0]["content"],
            Json::array({Json{{"type", "output_audio"}, {"transcript", "Hello world."}}}));
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
  EXPECT_THAT(
      Shape(from),
      ElementsAre("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped",
                  "input_audio_buffer.committed", "conversation.item.added", "conversation.item.done",
                  "response.created", "response.output_item.added", "conversation.item.added",
                  "response.content_part.added", "response.output_audio_transcript.delta",
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

TEST_F(ModelSessionTest, AnInterruptionLetsOneOrTwoLateDeltasThrough) {
  scenario.replies = {Speak({"demo-congrats"}), Speak({"vm-goodbye"})};
  scenario.model.speed = 1.0;
  Start();
  Client({{"type", "response.create"}});
  Quiet(3000);
  SayClip("digits/7");
  Quiet(1500);
  size_t started = 0;
  while (sink.sent[started].type != "input_audio_buffer.speech_started") ++started;
  size_t late = 0;
  while (sink.sent[started + 1 + late].type == "response.output_audio.delta") ++late;
  EXPECT_GE(late, 1u) << Text();
  EXPECT_LE(late, 2u);
  const std::vector<std::string> after = Types(started + 1 + late);
  EXPECT_THAT(
      std::vector<std::string>(after.begin(), after.begin() + 12),
      ElementsAre("response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done",
                  "conversation.item.done", "response.output_item.done", "response.done",
                  "input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "conversation.item.added",
                  "conversation.item.done", "response.created", "response.output_item.added"));
  Json done;
  for (const auto& sent : sink.sent) {
    if (sent.type == "response.done") {
      done = sent.json["response"];
      break;
    }
  }
  EXPECT_EQ(done["status"], "cancelled");
  EXPECT_EQ(done["status_details"], (Json{{"type", "cancelled"}, {"reason", "turn_detected"}}));
  EXPECT_EQ(done["output"][0]["status"], "incomplete");
  EXPECT_GT(done["usage"]["output_tokens"], 0);
  const ModelSessionReport report = session->Report();
  EXPECT_TRUE(report.items[0].cancelled);
  EXPECT_EQ(report.responses[0].reason, "turn_detected");
  // No rate limits after a cancelled response: only the second, completed one has them.
  Quiet(2000);
  EXPECT_EQ(Count("response.done"), 2);
  EXPECT_EQ(Count("rate_limits.updated"), 1);
}

TEST_F(ModelSessionTest, WithoutInterruptionAutomaticAnswersAreRefusedWhileOneRuns) {
  scenario.replies = {Speak({"demo-congrats"})};
  scenario.model.speed = 1.0;
  Start({{"type", "server_vad"}, {"silence_duration_ms", 300}, {"interrupt_response", false}});
  Client({{"type", "response.create"}, {"event_id", "greet"}});
  Quiet(1000);
  SayClip("digits/7");
  Quiet(1000);
  EXPECT_EQ(LastErrorCode(), "conversation_already_has_active_response");
  EXPECT_TRUE(Last("error").json["error"]["event_id"].is_null());
  EXPECT_EQ(Count("response.done"), 0);
}

TEST_F(ModelSessionTest, WithoutCreateResponseTheClientAsks) {
  Start({{"type", "server_vad"},
         {"silence_duration_ms", 300},
         {"create_response", false},
         {"interrupt_response", false}});
  SayClip("hello-world");
  Quiet(1000);
  EXPECT_EQ(Count("input_audio_buffer.committed"), 1);
  EXPECT_EQ(Count("response.created"), 0);
}

TEST_F(ModelSessionTest, CreateWhileOneRunsIsRefused) {
  Start();
  Client({{"type", "response.create"}});
  Client({{"type", "response.create"}, {"event_id", "again"}});
  EXPECT_EQ(LastErrorCode(), "conversation_already_has_active_response");
  EXPECT_EQ(Last("error").json["error"]["event_id"], "again");
  const std::string running = Last("response.created").json["response"]["id"];
  EXPECT_EQ(LastErrorMessage(), absl::StrCat("Conversation already has an active response in progress: ", running,
                                             ". Wait until the response is finished before creating a new one."));
}

TEST_F(ModelSessionTest, ClientCancels) {
  scenario.replies = {Speak({"demo-congrats"})};
  Start();
  Client({{"type", "response.cancel"}, {"event_id", "x_1"}});
  EXPECT_EQ(LastErrorCode(), "response_cancel_not_active");
  EXPECT_EQ(LastErrorMessage(), "Cancellation failed: no active response found");
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(1));
  Client({{"type", "response.cancel"}, {"response_id", "resp_other"}});
  EXPECT_EQ(LastErrorCode(), "response_cancel_not_active");
  const size_t from = sink.sent.size();
  Client({{"type", "response.cancel"}, {"response_id", Last("response.created").json["response"]["id"]}});
  EXPECT_THAT(Types(from), ElementsAre("response.output_audio.done", "response.output_audio_transcript.done",
                                       "response.content_part.done", "conversation.item.done",
                                       "response.output_item.done", "response.done"));
  EXPECT_EQ(Last("response.done").json["response"]["status_details"]["reason"], "client_cancelled");
  Wait(absl::Seconds(20));
  EXPECT_EQ(sink.sent.back().type, "response.done");
}

TEST_F(ModelSessionTest, CancelledBeforeAnyOutputThereIsNone) {
  Start();
  Client({{"type", "response.create"}});
  Client({{"type", "response.cancel"}});
  const Json done = Last("response.done").json["response"];
  EXPECT_EQ(done["output"], Json::array());
  EXPECT_EQ(done["usage"]["total_tokens"], 0);
}

TEST_F(ModelSessionTest, TruncationIsChecked) {
  scenario.replies = {Speak({"hello-world"})};
  Start();
  Client({{"type", "response.create"}});
  const auto truncate = [&](const std::string& id, const Json& ms) {
    Client({{"type", "conversation.item.truncate"}, {"item_id", id}, {"content_index", 0}, {"audio_end_ms", ms}});
  };
  truncate("item_none", 5);
  EXPECT_EQ(LastErrorCode(), "item_truncate_invalid_item_id");
  EXPECT_EQ(LastErrorMessage(), "Item with item_id not found: item_none");
  Wait(absl::Milliseconds(90));
  const std::string item = Last("response.output_item.added").json["item"]["id"];
  truncate(item, 0);  // Announced, no audio yet.
  EXPECT_EQ(LastErrorCode(), "null");
  EXPECT_EQ(LastErrorMessage(), "Only model output audio messages can be truncated");
  Wait(absl::Seconds(3));
  const int ms = static_cast<int>(TestSpeech()->Find("hello-world")->mulaw.size() / 8);
  truncate(item, ms + 1);
  EXPECT_EQ(LastErrorCode(), "invalid_value");
  EXPECT_EQ(LastErrorMessage(), absl::StrCat("Audio content of ", ms, "ms is already shorter than ", ms + 1, "ms"));
  truncate(item, 1.5);
  EXPECT_EQ(LastErrorCode(), "invalid_type");
  truncate(item, 480);
  EXPECT_EQ(Last("conversation.item.truncated").json["audio_end_ms"], 480);
  EXPECT_EQ(session->Report().items[0].truncated_ms, 480);
  Client({{"type", "conversation.item.retrieve"}, {"item_id", item}});
  EXPECT_TRUE(Last("conversation.item.retrieved").json["item"]["content"][0]["transcript"].is_null());
  Client({{"type", "conversation.item.create"},
          {"item",
           {{"id", "my_1"},
            {"type", "message"},
            {"role", "user"},
            {"content", Json::array({Json{{"type", "input_text"}, {"text", "Hi"}}})}}}});
  truncate("my_1", 0);
  EXPECT_EQ(LastErrorMessage(), "Only model output audio messages can be truncated");
}

TEST_F(ModelSessionTest, CallsAToolBesideSpeech) {
  ModelReply call = Speak({"one-moment-please"});
  call.tool = "transfer_call";
  call.arguments = R"({"destination":"billing"})";
  ModelReply failed = Speak({"im-sorry"});
  failed.when = "tool-failed";
  scenario.replies = {call, failed, Speak({"vm-goodbye"})};
  Start();
  const size_t from = sink.sent.size();
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(3));
  EXPECT_THAT(
      Shape(from),
      ElementsAre("response.created", "response.output_item.added", "conversation.item.added",
                  "response.content_part.added", "response.output_audio_transcript.delta",
                  "response.output_audio.delta", "response.output_item.added", "conversation.item.added",
                  "response.function_call_arguments.delta", "response.output_audio.done",
                  "response.output_audio_transcript.done", "response.content_part.done", "conversation.item.done",
                  "response.output_item.done", "response.function_call_arguments.done", "conversation.item.done",
                  "response.output_item.done", "response.done", "rate_limits.updated"))
      << Text();
  const Json done = Last("response.done").json["response"];
  ASSERT_THAT(done["output"], SizeIs(2));
  EXPECT_EQ(done["output"][0]["phase"], "commentary");
  EXPECT_EQ(done["output"][1]["arguments"], R"({"destination":"billing"})");
  EXPECT_EQ(Last("response.function_call_arguments.done").json["name"], "transfer_call");
  const std::string call_id = done["output"][1]["call_id"];
  EXPECT_EQ(call_id.size(), 21u);

  const auto output = [&](const std::string& id, const std::string& text) {
    Client({{"type", "conversation.item.create"},
            {"item", {{"type", "function_call_output"}, {"call_id", id}, {"output", text}}}});
  };
  output("call_none", "{}");
  EXPECT_EQ(LastErrorCode(), "invalid_tool_call_id");
  EXPECT_EQ(LastErrorMessage(), "Tool call ID 'call_none' not found in conversation.");
  output(call_id, R"({"status":"failed","reason":"busy"})");
  EXPECT_FALSE(Last("conversation.item.done").json["item"].contains("status"));
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(3));
  EXPECT_EQ(Last("response.output_audio_transcript.done").json["transcript"], "I'm sorry.");
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(3));
  EXPECT_EQ(Last("response.output_audio_transcript.done").json["transcript"], "Goodbye.");
  EXPECT_THAT(session->Report().tool_outputs,
              ElementsAre(absl::StrCat(call_id, R"( {"status":"failed","reason":"busy"})")));
}

TEST_F(ModelSessionTest, RepliesForAToolsOutcomeWaitForIt) {
  ModelReply call;
  call.tool = "transfer_call";
  call.arguments = "{}";
  ModelReply failed = Speak({"im-sorry"});
  failed.when = "tool-failed";
  ModelReply worked = Speak({"pbx-transfer"});
  worked.when = "tool-ok";
  scenario.replies = {call, failed, worked, Speak({"vm-goodbye"})};
  Start();
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(2));
  const std::string call_id = Last("response.done").json["response"]["output"][0]["call_id"];
  Client({{"type", "conversation.item.create"},
          {"item",
           {{"type", "function_call_output"}, {"call_id", call_id}, {"output", "{\"status\":\"transferring\"}"}}}});
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(3));
  EXPECT_EQ(Last("response.output_audio_transcript.done").json["transcript"], "Transfer.");
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(3));
  EXPECT_EQ(Last("response.output_audio_transcript.done").json["transcript"], "Goodbye.");
  Client({{"type", "response.create"}});  // Nothing left in the script.
  Wait(absl::Seconds(4));
  EXPECT_EQ(Last("response.output_audio_transcript.done").json["transcript"], "Thank you for your patience.");
}

TEST_F(ModelSessionTest, TwoAudioItemsInOneResponse) {
  ModelReply reply = Speak({"hello-world"});
  reply.speech.push_back({"vm-goodbye", "digits/1"});
  scenario.replies = {reply};
  scenario.texts["digits/1"] = "At one.";
  Start();
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(5));
  const Json output = Last("response.done").json["response"]["output"];
  ASSERT_THAT(output, SizeIs(2));
  EXPECT_EQ(AudioOf(output[0]["id"]), TestSpeech()->Find("hello-world")->mulaw);
  EXPECT_EQ(AudioOf(output[1]["id"]), TestSpeech()->Find("vm-goodbye")->mulaw + TestSpeech()->Find("digits/1")->mulaw);
  EXPECT_EQ(output[1]["content"][0]["transcript"], "Goodbye. At one.");
  // The second is announced before the first is done.
  size_t second = 0, first_done = 0;
  for (size_t i = 0; i < sink.sent.size(); ++i) {
    if (sink.sent[i].type == "response.output_item.added" && sink.sent[i].json["output_index"] == 1) second = i;
    if (sink.sent[i].type == "response.output_audio.done" && sink.sent[i].json["output_index"] == 0) first_done = i;
  }
  EXPECT_LT(second, first_done);
}

TEST_F(ModelSessionTest, OutOfBandResponsesRunBesideTheConversation) {
  scenario.summary = "They said hello.";
  scenario.replies = {Speak({"demo-congrats"})};
  Start();
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(1));
  const int items = Count("conversation.item.added");
  Client({{"type", "response.create"},
          {"response",
           {{"conversation", "none"}, {"output_modalities", {"text"}}, {"metadata", {{"purpose", "call_summary"}}}}}});
  const Json created = Last("response.created").json["response"];
  EXPECT_TRUE(created["conversation_id"].is_null());
  EXPECT_EQ(created["metadata"]["purpose"], "call_summary");
  Wait(absl::Seconds(1));
  const Json done = Last("response.done").json["response"];
  EXPECT_EQ(done["id"], created["id"]);
  EXPECT_EQ(done["output"][0]["content"][0], (Json{{"type", "output_text"}, {"text", "They said hello."}}));
  EXPECT_EQ(done["metadata"]["purpose"], "call_summary");
  EXPECT_EQ(Last("response.output_text.done").json["text"], "They said hello.");
  EXPECT_EQ(Count("conversation.item.added"), items);
  EXPECT_TRUE(Last("response.output_text.delta").json.contains("obfuscation"));
}

TEST_F(ModelSessionTest, ResponsesFailByScript) {
  ModelReply quota = Speak({"hello-world"});
  quota.status = "failed:insufficient_quota";
  ModelReply rate = quota;
  rate.status = "failed:rate_limit_exceeded";
  ModelReply cut = Speak({"demo-congrats"});
  cut.status = "incomplete:max_output_tokens";
  scenario.replies = {quota, rate, cut};
  Start();
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(1));
  Json done = Last("response.done").json["response"];
  EXPECT_EQ(done["status"], "failed");
  EXPECT_EQ(done["output"], Json::array());
  EXPECT_EQ(done["status_details"]["error"]["code"], "insufficient_quota");
  EXPECT_TRUE(done["usage"].is_null());
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(1));
  EXPECT_EQ(Last("response.done").json["response"]["status_details"]["error"]["code"], "rate_limit_exceeded");
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(20));
  done = Last("response.done").json["response"];
  EXPECT_EQ(done["status"], "incomplete");
  EXPECT_EQ(done["status_details"], (Json{{"type", "incomplete"}, {"reason", "max_output_tokens"}}));
  EXPECT_EQ(done["output"][0]["status"], "incomplete");
  EXPECT_EQ(AudioOf(done["output"][0]["id"]).size(), TestSpeech()->Find("demo-congrats")->mulaw.size() / 2);
}

TEST_F(ModelSessionTest, CommitsAndClearsByHand) {
  Start(nullptr);
  Client({{"type", "input_audio_buffer.commit"}});
  EXPECT_EQ(LastErrorCode(), "input_audio_buffer_commit_empty");
  Append(std::string(796, '\xff'));
  Client({{"type", "input_audio_buffer.commit"}});
  EXPECT_EQ(LastErrorMessage(),
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only "
            "has 99.50ms of "
            "audio.");
  Client({{"type", "input_audio_buffer.clear"}});
  EXPECT_EQ(sink.sent.back().type, "input_audio_buffer.cleared");
  Append(TestSpeech()->Find("hello-world")->mulaw);
  const size_t from = sink.sent.size();
  Client({{"type", "input_audio_buffer.commit"}});
  EXPECT_THAT(Types(from),
              ElementsAre("input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"));
  Wait(absl::Seconds(1));
  EXPECT_EQ(Last("conversation.item.input_audio_transcription.completed").json["transcript"], "Hello world.");
  EXPECT_EQ(Count("response.created"), 0);
  const std::string item = Last("input_audio_buffer.committed").json["item_id"];
  Client({{"type", "conversation.item.retrieve"}, {"item_id", item}});
  std::string audio;
  ASSERT_TRUE(absl::Base64Unescape(
      Last("conversation.item.retrieved").json["item"]["content"][0]["audio"].get<std::string>(), &audio));
  EXPECT_EQ(audio, TestSpeech()->Find("hello-world")->mulaw);
}

TEST_F(ModelSessionTest, TranscriptionVariants) {
  struct Row {
    const char* name;
    const char* manner;
    const char* model;
    const char* event;
    const char* usage;
  } rows[] = {
      {"tokens", "", "gpt-4o-transcribe", "completed", "tokens"},
      {"duration", "", "gpt-realtime-whisper", "completed", "duration"},
      {"failed", "failed", "whisper-1", "failed", nullptr},
      {"none", "none", "whisper-1", nullptr, nullptr},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    sink.sent.clear();
    scenario.model.transcription = row.manner;
    scenario.texts["hello-world"] = "Good day.";
    Start(nullptr);
    Client({{"type", "session.update"},
            {"session", {{"type", "realtime"}, {"audio", {{"input", {{"transcription", {{"model", row.model}}}}}}}}}});
    Append(TestSpeech()->Find("hello-world")->mulaw);
    Client({{"type", "input_audio_buffer.commit"}});
    Wait(absl::Seconds(1));
    const std::string prefix = "conversation.item.input_audio_transcription.";
    EXPECT_EQ(Count(prefix + "completed"), row.event != nullptr && row.event == std::string("completed") ? 1 : 0);
    EXPECT_EQ(Count(prefix + "failed"), row.event != nullptr && row.event == std::string("failed") ? 1 : 0);
    if (row.usage == nullptr) continue;
    EXPECT_EQ(Last(prefix + "completed").json["usage"]["type"], row.usage);
    EXPECT_EQ(Last(prefix + "completed").json["transcript"], "Good day.");
  }
}

TEST_F(ModelSessionTest, AfterASilenceItSpeaksAgain) {
  scenario.replies = {Speak({"hello-world"}), Speak({"vm-goodbye"})};
  Start({{"type", "server_vad"}, {"idle_timeout_ms", 6000}});
  Client({{"type", "response.create"}});
  Quiet(5000);
  EXPECT_EQ(Count("input_audio_buffer.timeout_triggered"), 0);
  const size_t from = sink.sent.size();
  Quiet(4500);
  EXPECT_THAT(Shape(from), testing::Contains("response.done"));
  const std::vector<std::string> types = Types(from);
  ASSERT_GT(types.size(), 7u) << Text();
  EXPECT_THAT(std::vector<std::string>(types.begin(), types.begin() + 7),
              ElementsAre("input_audio_buffer.timeout_triggered", "conversation.item.added", "conversation.item.done",
                          "input_audio_buffer.committed", "conversation.item.added", "conversation.item.done",
                          "response.created"));
  EXPECT_EQ(sink.sent[from + 1].json["item"]["role"], "system");
  EXPECT_EQ(sink.sent[from + 3].json["item_id"], sink.sent[from].json["item_id"]);
  const Json timeout = sink.sent[from].json;
  EXPECT_NEAR(timeout["audio_end_ms"].get<int>() - timeout["audio_start_ms"].get<int>(), 6000, 50);
  EXPECT_EQ(Last("conversation.item.input_audio_transcription.completed").json["transcript"], "");
}

TEST_F(ModelSessionTest, MalformedInputLeavesTheSessionOpen) {
  Start();
  struct Row {
    const char* name;
    std::string text;
    const char* code;
    const char* message;
  } rows[] = {
      {"not JSON", "hello", "invalid_json", "JSON"},
      {"cut", R"({"type":"response.create")", "invalid_json", "JSON"},
      {"not UTF-8", "{\"type\":\"\xff\"}", "invalid_json", "JSON"},
      {"array", "[]", "invalid_event", "object"},
      {"no type", "{}", "invalid_event", "The 'type' field is missing."},
      {"type of a number", R"({"type":7})", "invalid_type", "'type'"},
      {"unknown type", R"({"type":"x"})", "invalid_value",
       "Invalid value: 'x'. Supported values are: 'session.update'"},
      {"unknown key", R"({"type":"response.create","respnse":{}})", "unknown_parameter",
       "Unknown parameter: 'respnse'."},
      {"append without audio", R"({"type":"input_audio_buffer.append"})", "missing_required_parameter", "'audio'"},
      {"append of a number", R"({"type":"input_audio_buffer.append","audio":5})", "invalid_type", "'audio'"},
      {"bad base64", R"({"type":"input_audio_buffer.append","audio":"@@@@"})", "invalid_value", "base64"},
      {"unpadded base64", R"({"type":"input_audio_buffer.append","audio":"//8"})", "invalid_value", "base64"},
      {"long event_id", absl::StrCat(R"({"type":"response.create","event_id":")", std::string(513, 'x'), R"("})"),
       "invalid_value", "512"},
      {"update without session", R"({"type":"session.update"})", "missing_required_parameter", "'session'"},
      {"item without anything", R"({"type":"conversation.item.create"})", "missing_required_parameter", "'item'"},
      {"delete of nothing", R"({"type":"conversation.item.delete","item_id":"i"})", "item_delete_invalid_item_id",
       "Error deleting item: the item with id 'i' does not exist."},
      {"retrieve of nothing", R"({"type":"conversation.item.retrieve","item_id":"i"})", "item_retrieve_invalid_item_id",
       "'i'"},
  };
  for (const Row& row : rows) {
    sink.sent.clear();
    ClientText(row.text);
    ASSERT_THAT(sink.sent, SizeIs(1)) << row.name;
    EXPECT_EQ(LastErrorCode(), row.code) << row.name;
    EXPECT_THAT(LastErrorMessage(), HasSubstr(row.message)) << row.name;
  }
  sink.sent.clear();
  session->OnBinary(now);
  EXPECT_EQ(LastErrorCode(), "invalid_event");
  EXPECT_EQ(sink.close_code, 0);
  EXPECT_THAT(session->Report().refused, SizeIs(std::size(rows) + 1));
}

TEST_F(ModelSessionTest, AppendsOfAnyShapeAreHeard) {
  Start(nullptr);
  Append(std::string(160, '\x55'));
  Client({{"event_id", "a_1"},
          {"audio", absl::Base64Escape(std::string(160, '\x55'))},
          {"type", "input_audio_buffer.append"}});
  ClientText(absl::StrCat(R"({"type":"input_audio_buffer.append","audio":")",
                          absl::Base64Escape(std::string(160, '\x55')), R"(","event_id":"a_2"})"));
  EXPECT_EQ(session->Report().appended_bytes, 480);
  EXPECT_EQ(Count("error"), 0) << Text();
  Append(std::string((15 << 20) + 1, '\x55'));
  EXPECT_EQ(LastErrorCode(), "invalid_value");
  EXPECT_THAT(LastErrorMessage(), HasSubstr("15 MiB"));
  EXPECT_EQ(session->Report().appended_bytes, 480);
}

TEST_F(ModelSessionTest, ItemsAreChecked) {
  Start();
  const auto create = [&](const Json& item, const Json& previous = nullptr) {
    sink.sent.clear();
    Client({{"type", "conversation.item.create"}, {"previous_item_id", previous}, {"item", item}});
  };
  const auto message = [](const std::string& role, const std::string& part, const Json& extra = Json::object()) {
    Json item = {{"type", "message"}, {"role", role}, {"content", Json::array({Json{{"type", part}, {"text", "x"}}})}};
    for (const auto& [key, value] : extra.items()) item[key] = value;
    return item;
  };
  create(message("system", "input_text", {{"id", "a"}}));
  EXPECT_THAT(Types(), ElementsAre("conversation.item.added", "conversation.item.done"));
  EXPECT_TRUE(sink.sent[0].json["previous_item_id"].is_null());
  create(message("user", "input_text", {{"id", "b"}}), "root");
  EXPECT_TRUE(sink.sent[0].json["previous_item_id"].is_null());
  create(message("assistant", "output_text", {{"id", "c"}}), "b");
  EXPECT_EQ(sink.sent[0].json["previous_item_id"], "b");
  struct Row {
    const char* name;
    Json item;
    const char* code;
  } rows[] = {
      {"duplicate", message("user", "input_text", {{"id", "a"}}), "invalid_value"},
      {"assistant audio", message("assistant", "output_audio"), "invalid_value"},
      {"beta text", message("assistant", "text"), "invalid_value"},
      {"system with output", message("system", "output_text"), "invalid_value"},
      {"unknown role", message("tool", "input_text"), "invalid_value"},
      {"unknown key", message("user", "input_text", {{"name", "x"}}), "unknown_parameter"},
      {"no content", {{"type", "message"}, {"role", "user"}}, "missing_required_parameter"},
      {"unknown type", {{"type", "note"}}, "invalid_value"},
      {"output without text", {{"type", "function_call_output"}, {"call_id", "c"}}, "missing_required_parameter"},
      {"call with a bad id",
       {{"type", "function_call"}, {"call_id", "a b"}, {"name", "f"}, {"arguments", "{}"}},
       "invalid_value"},
  };
  for (const Row& row : rows) {
    create(row.item);
    ASSERT_THAT(Types(), ElementsAre("error")) << row.name;
    EXPECT_EQ(LastErrorCode(), row.code) << row.name;
  }
  create(message("user", "input_text"), "nowhere");
  EXPECT_EQ(LastErrorCode(), "item_not_found");
  Client({{"type", "conversation.item.delete"}, {"item_id", "c"}});
  EXPECT_EQ(sink.sent.back().type, "conversation.item.deleted");
}

TEST_F(ModelSessionTest, VoiceIsLockedOnceItSpoke) {
  scenario.replies = {Speak({"hello-world"})};
  Start();
  Client({{"type", "response.create"}});
  Wait(absl::Seconds(3));
  const auto voice = [&](const char* name) {
    Client({{"type", "session.update"},
            {"event_id", "v"},
            {"session",
             {{"type", "realtime"}, {"instructions", "Changed."}, {"audio", {{"output", {{"voice", name}}}}}}}});
  };
  voice("cedar");
  EXPECT_EQ(LastErrorCode(), "cannot_update_voice");
  EXPECT_TRUE(Last("error").json["error"]["event_id"].is_null());
  EXPECT_NE(Json::parse(session->Report().session_update)["instructions"], "Changed.");  // All or nothing.
  voice("marin");
  EXPECT_EQ(Json::parse(session->Report().session_update)["instructions"], "Changed.");
}

TEST_F(ModelSessionTest, HearsAndSpeaksPcmToo) {
  scenario.replies = {Speak({"vm-goodbye"})};
  Open();  // Defaults: PCM at 24 kHz.
  const std::string& clip = TestSpeech()->Find("hello-world")->mulaw;
  std::string pcm;
  for (const char c : clip + std::string(8000, '\xff')) {
    const int16_t sample = LinearFromMulaw(static_cast<uint8_t>(c));
    for (int i = 0; i < 3; ++i) pcm.append({static_cast<char>(sample & 0xff), static_cast<char>(sample >> 8)});
  }
  Append(pcm);
  Wait(absl::Seconds(3));
  EXPECT_THAT(session->Report().heard_words, ElementsAre("Hello world."));
  const Json done = Last("response.done").json["response"];
  EXPECT_EQ(AudioOf(done["output"][0]["id"]).size(), TestSpeech()->Find("vm-goodbye")->mulaw.size() * 6);
}

}  // namespace
}  // namespace callbridge::sim
