#include "src/openai/server_event.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "tests/openai/samples.h"

namespace callbridge::openai {
namespace {

// One parser for all: what a message leaves behind must not show in the next.
ServerEventParser& Parser() {
  static auto& parser = *new ServerEventParser();
  return parser;
}

template <typename T>
T Read(absl::string_view json) {
  const absl::StatusOr<ServerEvent> event = Parser().Parse(json);
  EXPECT_TRUE(event.ok()) << event.status() << " in " << json.substr(0, 200);
  if (!event.ok()) return T();
  EXPECT_TRUE(std::holds_alternative<T>(*event)) << "variant " << event->index() << " in " << json.substr(0, 200);
  return std::holds_alternative<T>(*event) ? std::get<T>(*event) : T();
}

template <typename T>
T ReadSample(const char* name) {
  return Read<T>(SampleNamed(name));
}

std::string Problem(absl::string_view json) {
  const absl::StatusOr<ServerEvent> event = Parser().Parse(json);
  EXPECT_EQ(event.status().code(), absl::StatusCode::kInvalidArgument) << json.substr(0, 200);
  return std::string(event.status().message());
}

TEST(ServerEventTest, SessionCreatedTellsTheServersDefaults) {
  const EffectiveSession session = ReadSample<SessionCreated>("SessionCreated").session;
  EXPECT_EQ(session.id, "sess_1");
  EXPECT_EQ(session.model, "gpt-realtime-2.1");
  EXPECT_EQ(session.expires_at_s, 1795309200);
  EXPECT_EQ(session.voice, "marin");
  EXPECT_EQ(session.input_format.type, "audio/pcm");
  EXPECT_EQ(session.input_format.rate, 24000);
  EXPECT_EQ(session.output_format.type, "audio/pcm");
  EXPECT_EQ(session.output_format.rate, 24000);
  EXPECT_EQ(session.instructions, "Be kind.");
  EXPECT_EQ(session.transcription_model, "");
  EXPECT_EQ(session.noise_reduction, "");
  EXPECT_EQ(session.max_output_tokens, 0);
  EXPECT_EQ(session.turn_detection.idle_timeout_ms, 0);
  EXPECT_TRUE(session.tool_names.empty());
}

TEST(ServerEventTest, SessionUpdatedTellsTheEffectiveConfiguration) {
  const EffectiveSession session = ReadSample<SessionUpdated>("SessionUpdated").session;
  EXPECT_EQ(session.voice, "shimmer");
  EXPECT_EQ(session.input_format.type, "audio/pcmu");
  EXPECT_EQ(session.output_format.type, "audio/pcmu");
  EXPECT_EQ(session.output_modalities, std::vector<std::string>{"audio"});
  EXPECT_EQ(session.transcription_model, "gpt-realtime-whisper");
  EXPECT_EQ(session.transcription_language, "en");
  EXPECT_EQ(session.noise_reduction, "near_field");
  EXPECT_EQ(session.tool_names, std::vector<std::string>{"transfer_call"});
  EXPECT_EQ(session.speed, 1.25);
  EXPECT_EQ(session.max_output_tokens, 1200);
  EXPECT_EQ(session.turn_detection.type, "server_vad");
  EXPECT_EQ(session.turn_detection.threshold, 0.7);
  EXPECT_EQ(session.turn_detection.prefix_padding_ms, 300);
  EXPECT_EQ(session.turn_detection.silence_duration_ms, 800);
  EXPECT_EQ(session.turn_detection.idle_timeout_ms, 6000);
  EXPECT_EQ(session.turn_detection.create_response, true);
  EXPECT_EQ(session.turn_detection.interrupt_response, true);
}

TEST(ServerEventTest, SessionInTheBetasShapeReadsTheSame) {
  const EffectiveSession session =
      Read<SessionUpdated>(
          R"({"type":"session.updated","session":{"id":"s","voice":"alloy","modalities":["audio","text"],"input_audio_format":"g711_ulaw",
      "output_audio_format":"pcm16","input_audio_transcription":{"model":"whisper-1"},"max_response_output_tokens":900,
      "input_audio_noise_reduction":{"type":"far_field"},
      "turn_detection":{"type":"server_vad","silence_duration_ms":650,"create_response":false}}})")
          .session;
  EXPECT_EQ(session.voice, "alloy");
  EXPECT_EQ(session.input_format.type, "audio/pcmu");
  EXPECT_EQ(session.output_format.type, "audio/pcm");
  EXPECT_EQ(session.output_format.rate, 24000);
  EXPECT_EQ(session.transcription_model, "whisper-1");
  EXPECT_EQ(session.noise_reduction, "far_field");
  EXPECT_EQ(session.max_output_tokens, 900);
  EXPECT_EQ(session.turn_detection.silence_duration_ms, 650);
  EXPECT_EQ(session.turn_detection.create_response, false);
  EXPECT_EQ(session.turn_detection.interrupt_response, std::nullopt);
  EXPECT_EQ(session.output_modalities.size(), 2u);
}

TEST(ServerEventTest, CustomVoiceReadsAsItsId) {
  EXPECT_EQ(
      Read<SessionUpdated>(R"({"type":"session.updated","session":{"audio":{"output":{"voice":{"id":"voice_7"}}}}})")
          .session.voice,
      "voice_7");
}

TEST(ServerEventTest, InputAudioBuffer) {
  EXPECT_EQ(ReadSample<SpeechStarted>("SpeechStarted").audio_start_ms, 1460);
  EXPECT_EQ(ReadSample<SpeechStarted>("SpeechStarted").item_id, "item_U");
  EXPECT_EQ(ReadSample<SpeechStopped>("SpeechStopped").audio_end_ms, 4256);
  EXPECT_EQ(ReadSample<SpeechStopped>("SpeechStopped").item_id, "item_U");
  EXPECT_EQ(ReadSample<BufferCommitted>("BufferCommitted").item_id, "item_U");
  EXPECT_EQ(ReadSample<BufferCommitted>("BufferCommitted").previous_item_id, "item_A");
  ReadSample<BufferCleared>("BufferCleared");
  const auto timeout = ReadSample<TimeoutTriggered>("TimeoutTriggered");
  EXPECT_EQ(timeout.item_id, "item_U");
  EXPECT_EQ(timeout.audio_start_ms, 13216);
  EXPECT_EQ(timeout.audio_end_ms, 19232);
  EXPECT_EQ(ReadSample<DtmfReceived>("DtmfReceived").digit, "9");
  EXPECT_EQ(ReadSample<DtmfReceived>("DtmfReceived").received_at_s, 1763605109);
}

TEST(ServerEventTest, Items) {
  const auto user = ReadSample<ItemAdded>("ItemAddedUser");
  EXPECT_EQ(user.previous_item_id, "");
  EXPECT_EQ(user.item.id, "item_U");
  EXPECT_EQ(user.item.type, ItemType::kMessage);
  EXPECT_EQ(user.item.role, Role::kUser);
  EXPECT_EQ(user.item.status, ItemStatus::kCompleted);
  EXPECT_TRUE(user.item.has_audio);
  EXPECT_EQ(user.item.text, "");

  const auto output = ReadSample<ItemAdded>("ItemAddedToolOutput");
  EXPECT_EQ(output.previous_item_id, "item_F");
  EXPECT_EQ(output.item.type, ItemType::kFunctionCallOutput);
  EXPECT_EQ(output.item.role, Role::kNone);
  EXPECT_EQ(output.item.status, ItemStatus::kNone);
  EXPECT_EQ(output.item.call_id, "call_1");
  EXPECT_EQ(output.item.output, R"({"ok":true})");

  const auto system = ReadSample<ItemAdded>("ItemAddedSystem");
  EXPECT_EQ(system.item.role, Role::kSystem);
  EXPECT_EQ(system.item.text, "Greet the caller.\nNow.");
  EXPECT_FALSE(system.item.has_audio);

  const auto done = ReadSample<ItemDone>("ItemDone");
  EXPECT_EQ(done.previous_item_id, "item_U");
  EXPECT_EQ(done.item.role, Role::kAssistant);
  EXPECT_EQ(done.item.text, "Hello!");
  EXPECT_EQ(done.item.phase, "final_answer");
  EXPECT_TRUE(done.item.has_audio);

  EXPECT_EQ(ReadSample<ItemRetrieved>("ItemRetrieved").item.id, "item_U");
  EXPECT_EQ(ReadSample<ItemDeleted>("ItemDeleted").item_id, "item_U");
  EXPECT_EQ(ReadSample<ItemTruncated>("ItemTruncated").item_id, "item_B");
  EXPECT_EQ(ReadSample<ItemTruncated>("ItemTruncated").audio_end_ms, 1480);
}

TEST(ServerEventTest, UserTranscripts) {
  EXPECT_EQ(ReadSample<UserTranscriptDelta>("UserTranscriptDelta").delta, " Hello");
  EXPECT_EQ(ReadSample<UserTranscriptDelta>("UserTranscriptDelta").item_id, "item_U");
  const auto tokens = ReadSample<UserTranscriptCompleted>("UserTranscriptCompletedTokens");
  EXPECT_EQ(tokens.item_id, "item_U");
  EXPECT_EQ(tokens.transcript, "Hello, my name is Ann.");
  EXPECT_EQ(tokens.usage.kind, TranscriptionUsage::Kind::kTokens);
  EXPECT_EQ(tokens.usage.total_tokens, 35);
  EXPECT_EQ(tokens.usage.input_tokens, 26);
  EXPECT_EQ(tokens.usage.input_text_tokens, 2);
  EXPECT_EQ(tokens.usage.input_audio_tokens, 24);
  EXPECT_EQ(tokens.usage.output_tokens, 9);
  const auto duration = ReadSample<UserTranscriptCompleted>("UserTranscriptCompletedDuration");
  EXPECT_EQ(duration.transcript, "");
  EXPECT_EQ(duration.usage.kind, TranscriptionUsage::Kind::kDuration);
  EXPECT_EQ(duration.usage.seconds, 3);
  const auto failed = ReadSample<UserTranscriptFailed>("UserTranscriptFailed");
  EXPECT_EQ(failed.item_id, "item_U");
  EXPECT_EQ(failed.type, "transcription_error");
  EXPECT_EQ(failed.code, "audio_unintelligible");
  EXPECT_EQ(failed.message, "Not understood.");
  const auto segment = ReadSample<UserTranscriptSegment>("UserTranscriptSegment");
  EXPECT_EQ(segment.text, "Hello");
  EXPECT_EQ(segment.speaker, "A");
  EXPECT_EQ(segment.start_s, 0.5);
  EXPECT_EQ(segment.end_s, 1.25);
}

TEST(ServerEventTest, ResponseCreatedTellsWhetherItIsInTheConversation) {
  const auto inside = ReadSample<ResponseCreated>("ResponseCreated");
  EXPECT_EQ(inside.response_id, "resp_1");
  EXPECT_EQ(inside.conversation_id, "conv_1");
  EXPECT_TRUE(inside.metadata.empty());
  const auto aside = ReadSample<ResponseCreated>("ResponseCreatedAside");
  EXPECT_EQ(aside.conversation_id, std::nullopt);
  EXPECT_EQ(aside.metadata, (Metadata{{"purpose", "call_summary"}}));
}

TEST(ServerEventTest, OutputItemsAndParts) {
  const auto added = ReadSample<OutputItemAdded>("OutputItemAdded");
  EXPECT_EQ(added.response_id, "resp_1");
  EXPECT_EQ(added.output_index, 1);
  EXPECT_EQ(added.item.type, ItemType::kFunctionCall);
  EXPECT_EQ(added.item.status, ItemStatus::kInProgress);
  const auto done = ReadSample<OutputItemDone>("OutputItemDone");
  EXPECT_EQ(done.item.status, ItemStatus::kCompleted);
  EXPECT_EQ(done.item.name, "transfer_call");
  EXPECT_EQ(done.item.call_id, "call_1");
  EXPECT_EQ(done.item.arguments, "{\"department\":\"billing\"}\n");
  EXPECT_EQ(ReadSample<ContentPartAdded>("ContentPartAdded").type, "audio");
  EXPECT_EQ(ReadSample<ContentPartDone>("ContentPartDone").text, "Hi.");
  EXPECT_EQ(ReadSample<ContentPartDone>("ContentPartDone").item_id, "item_B");
}

TEST(ServerEventTest, AudioDelta) {
  const auto delta = ReadSample<AudioDelta>("AudioDelta");
  EXPECT_EQ(delta.response_id, "resp_1");
  EXPECT_EQ(delta.item_id, "item_B");
  EXPECT_EQ(delta.content_index, 2);
  EXPECT_EQ(delta.base64, "AAECA/8=");
  EXPECT_EQ(delta.bytes, 5);
  EXPECT_EQ(ReadSample<AudioDone>("AudioDone").item_id, "item_B");
}

TEST(ServerEventTest, AssistantWordsAreUnescaped) {
  EXPECT_EQ(ReadSample<TranscriptDelta>("TranscriptDelta").delta, "Grüß \"Gott\" 😀");
  EXPECT_EQ(ReadSample<TranscriptDelta>("TranscriptDelta").item_id, "item_B");
  EXPECT_EQ(ReadSample<TranscriptDone>("TranscriptDone").transcript, "Good morning.");
  EXPECT_EQ(ReadSample<TextDelta>("TextDelta").delta, "Ann ");
  EXPECT_EQ(ReadSample<TextDone>("TextDone").text, "Ann called.");
  EXPECT_EQ(ReadSample<TextDone>("TextDone").response_id, "resp_9");
}

TEST(ServerEventTest, HalfAnEmojiBecomesAReplacementCharacter) {
  const struct {
    const char* escaped;
    const char* text;
  } rows[] = {
      {R"(a\ud83d)", "a\uFFFD"},   {R"(\ude00b)", "\uFFFDb"},   {R"(\ud83d\ud83d\ude00)", "\uFFFD😀"},
      {R"(\ud83d\n)", "\uFFFD\n"}, {R"(\\ud83d)", R"(\ud83d)"}, {R"(\uD83D\uDE00)", "😀"},
  };
  for (const auto& row : rows) {
    const std::string json =
        absl::StrCat(R"({"type":"response.output_text.delta","item_id":"i","delta":")", row.escaped, R"("})");
    EXPECT_EQ(Read<TextDelta>(json).delta, row.text) << row.escaped;
  }
}

TEST(ServerEventTest, FunctionArguments) {
  EXPECT_EQ(ReadSample<FunctionArgumentsDelta>("FunctionArgumentsDelta").delta, "{\"");
  const auto done = ReadSample<FunctionArgumentsDone>("FunctionArgumentsDone");
  EXPECT_EQ(done.call_id, "call_1");
  EXPECT_EQ(done.item_id, "item_F");
  EXPECT_EQ(done.name, "transfer_call");
  EXPECT_EQ(done.arguments, R"({"department":"billing"})");
}

TEST(ServerEventTest, ResponseDoneCompleted) {
  const auto done = ReadSample<ResponseDone>("ResponseDone");
  EXPECT_EQ(done.response_id, "resp_1");
  EXPECT_EQ(done.conversation_id, "conv_1");
  EXPECT_EQ(done.status, ResponseStatus::kCompleted);
  EXPECT_EQ(done.reason, "");
  ASSERT_EQ(done.output.size(), 2u);
  EXPECT_EQ(done.output[0].text, "Hello!");
  EXPECT_EQ(done.output[0].phase, "commentary");
  EXPECT_EQ(done.output[1].type, ItemType::kFunctionCall);
  EXPECT_EQ(done.output[1].arguments, "{}");
  EXPECT_EQ(done.usage.total, 205);
  EXPECT_EQ(done.usage.input, 41);
  EXPECT_EQ(done.usage.output, 164);
  EXPECT_EQ(done.usage.input_text, 14);
  EXPECT_EQ(done.usage.input_audio, 26);
  EXPECT_EQ(done.usage.input_image, 1);
  EXPECT_EQ(done.usage.cached, 6);
  EXPECT_EQ(done.usage.cached_text, 3);
  EXPECT_EQ(done.usage.cached_audio, 2);
  EXPECT_EQ(done.usage.cached_image, 1);
  EXPECT_EQ(done.usage.output_text, 28);
  EXPECT_EQ(done.usage.output_audio, 136);
  EXPECT_EQ(done.usage.reasoning, 11);
}

TEST(ServerEventTest, ResponseDoneOtherwise) {
  const auto cancelled = ReadSample<ResponseDone>("ResponseDoneCancelled");
  EXPECT_EQ(cancelled.status, ResponseStatus::kCancelled);
  EXPECT_EQ(cancelled.reason, "turn_detected");
  EXPECT_EQ(cancelled.usage.total, 9);
  EXPECT_EQ(cancelled.usage.cached_audio, 0);
  ASSERT_EQ(cancelled.output.size(), 1u);
  EXPECT_EQ(cancelled.output[0].status, ItemStatus::kIncomplete);
  const auto failed = ReadSample<ResponseDone>("ResponseDoneFailed");
  EXPECT_EQ(failed.status, ResponseStatus::kFailed);
  EXPECT_EQ(failed.error_type, "insufficient_quota");
  EXPECT_EQ(failed.error_code, "insufficient_quota");
  EXPECT_EQ(failed.error_message, "You exceeded your current quota.");
  EXPECT_EQ(failed.usage.total, 0);
  const struct {
    const char* status;
    ResponseStatus expected;
  } rows[] = {{"incomplete", ResponseStatus::kIncomplete},
              {"canceled", ResponseStatus::kCancelled},
              {"odd", ResponseStatus::kUnknown}};
  for (const auto& row : rows) {
    EXPECT_EQ(Read<ResponseDone>(
                  absl::StrCat(R"({"type":"response.done","response":{"id":"r","status":")", row.status, "\"}}"))
                  .status,
              row.expected)
        << row.status;
  }
}

TEST(ServerEventTest, RateLimitsErrorAndTheRest) {
  const auto limits = ReadSample<RateLimits>("RateLimits").limits;
  ASSERT_EQ(limits.size(), 1u);
  EXPECT_EQ(limits[0].name, "tokens");
  EXPECT_EQ(limits[0].limit, 15000000);
  EXPECT_EQ(limits[0].remaining, 14998954);
  EXPECT_EQ(limits[0].reset_seconds, 0.004);
  const auto error = ReadSample<Error>("Error");
  EXPECT_EQ(error.type, "invalid_request_error");
  EXPECT_EQ(error.code, "response_cancel_not_active");
  EXPECT_EQ(error.message, "Cancellation failed: no active response found");
  EXPECT_EQ(error.param, "");
  EXPECT_EQ(error.event_id, "x_1");
  EXPECT_EQ(Read<Error>(R"({"type":"error","message":"bare"})").message, "bare");
  EXPECT_EQ(ReadSample<ConversationCreated>("ConversationCreated").conversation_id, "conv_1");
  EXPECT_EQ(ReadSample<McpProgress>("Mcp").type, "response.mcp_call.completed");
  EXPECT_EQ(ReadSample<McpProgress>("Mcp").item_id, "item_M");
  EXPECT_EQ(ReadSample<OutputAudioBuffer>("OutputAudioBuffer").type, "output_audio_buffer.started");
  EXPECT_EQ(ReadSample<Unknown>("Unknown").type, "session.dreamt");
}

TEST(ServerEventTest, BetaNamesGiveTheSameValues) {
  const struct {
    const char* sample;
    const char* ga;
    const char* beta;
  } rows[] = {
      {"AudioDelta", "response.output_audio.delta", "response.audio.delta"},
      {"AudioDone", "response.output_audio.done", "response.audio.done"},
      {"TranscriptDelta", "response.output_audio_transcript.delta", "response.audio_transcript.delta"},
      {"TranscriptDone", "response.output_audio_transcript.done", "response.audio_transcript.done"},
      {"TextDelta", "response.output_text.delta", "response.text.delta"},
      {"TextDone", "response.output_text.done", "response.text.done"},
      {"ItemAddedUser", "conversation.item.added", "conversation.item.created"},
  };
  for (const auto& row : rows) {
    const std::string ga = SampleNamed(row.sample);
    const std::string beta = absl::StrReplaceAll(ga, {{row.ga, row.beta}});
    ASSERT_NE(ga, beta) << row.sample;
    ServerEventParser other;
    const auto expected = other.Parse(ga);
    const auto got = Parser().Parse(beta);
    ASSERT_TRUE(expected.ok() && got.ok()) << row.sample << got.status();
    EXPECT_EQ(got->index(), expected->index()) << row.sample;
  }
  const std::string beta = absl::StrReplaceAll(SampleNamed("AudioDelta"), {{"output_audio", "audio"}});
  EXPECT_EQ(Read<AudioDelta>(beta).bytes, 5);
  const std::string words = absl::StrReplaceAll(SampleNamed("TranscriptDone"), {{"output_audio", "audio"}});
  EXPECT_EQ(Read<TranscriptDone>(words).transcript, "Good morning.");
}

TEST(ServerEventTest, BadMessagesNameTheKey) {
  const struct {
    const char* name;
    const char* json;
    const char* part;  // Of the error.
  } rows[] = {
      {"empty", "", "not a JSON object"},
      {"blank", "  ", "not a JSON object"},
      {"not JSON", "hello", "not a JSON object"},
      {"array", R"([{"type":"error"}])", "not a JSON object"},
      {"string", R"("error")", "not a JSON object"},
      {"two objects", R"({"type":"error"}{"type":"error"})", "not a JSON object"},
      {"audio and more", R"({"type":"response.output_audio.delta","item_id":"i","delta":"AAAA"} x)",
       "not a JSON object"},
      {"audio and an object", R"({"type":"response.output_audio.delta","item_id":"i","delta":"AAAA"}{})",
       "not a JSON object"},
      {"broken UTF-8", "{\"type\":\"response.output_text.delta\",\"item_id\":\"i\",\"delta\":\"\xC3\"}",
       "not a JSON object"},
      {"no type", R"({"event_id":"e"})", "type: must be a string"},
      {"type a number", R"({"type":7})", "type: must be a string"},
      {"type null", R"({"type":null,"delta":"AAAA"})", "type: must be a string"},
      {"session missing", R"({"type":"session.created"})", "session.created: session: must be an object"},
      {"committed without item", R"({"type":"input_audio_buffer.committed","item_id":null})",
       "input_audio_buffer.committed: item_id:"},
      {"item missing", R"({"type":"conversation.item.added","item":[]})",
       "conversation.item.added: item: must be an object"},
      {"item without id", R"({"type":"response.output_item.done","item":{"id":4}})",
       "response.output_item.done: item.id:"},
      {"delta missing", R"({"type":"response.output_text.delta","item_id":"i"})", "response.output_text.delta: delta:"},
      {"call without id", R"({"type":"response.function_call_arguments.done","arguments":"{}"})",
       "call_id: must be a string"},
      {"response missing", R"({"type":"response.done"})", "response.done: response: must be an object"},
      {"response without id", R"({"type":"response.created","response":{}})", "response.created: response.id:"},
      {"audio without item", R"({"type":"response.output_audio.delta","delta":"AAAA"})",
       "response.output_audio.delta: item_id:"},
      {"audio without delta", R"({"type":"response.output_audio.delta","item_id":"i"})", "delta: must be a string"},
      {"audio delta an object", R"({"type":"response.output_audio.delta","item_id":"i","delta":{"a":"AAAA"}})",
       "delta: must be a string"},
      {"audio unpadded", R"({"type":"response.output_audio.delta","item_id":"i","delta":"AAE"})",
       "delta: must be base64"},
      {"audio url alphabet", R"({"type":"response.output_audio.delta","item_id":"i","delta":"AA-_"})",
       "delta: must be base64"},
      {"audio escaped slash", R"({"type":"response.output_audio.delta","item_id":"i","delta":"AA\/AA=="})",
       "delta: must be base64"},
      {"audio escaped quote", R"({"type":"response.output_audio.delta","item_id":"i","delta":"AA\"A"})",
       "delta: must be base64"},
      {"audio escaped letter", R"({"type":"response.output_audio.delta","item_id":"i","delta":"\u0041AAA"})",
       "delta: must be base64"},
      {"audio line break", R"({"type":"response.output_audio.delta","item_id":"i","delta":"AAAA\nAAA"})",
       "delta: must be base64"},
      {"audio id escaped", R"({"type":"response.output_audio.delta","item_id":"\"i","delta":"AAAA"})",
       "item_id: must be a string"},
      {"audio response escaped", R"({"type":"response.audio.delta","response_id":"\\","item_id":"i","delta":"AAAA"})",
       "response_id:"},
      {"audio type escaped", R"({"type":"response.output_audio\u002edelta","item_id":"i","delta":"AAAA"})",
       "without escapes"},
      {"audio key escaped", R"({"t\u0079pe":"response.output_audio.delta","item_id":"i","delta":"AAAA"})",
       "without escapes"},
  };
  for (const auto& row : rows) {
    EXPECT_NE(Problem(row.json).find(row.part), std::string::npos) << row.name << ": " << Problem(row.json);
  }
}

TEST(ServerEventTest, ErrorsQuoteNoAudio) {
  EXPECT_EQ(Problem(R"({"type":"response.output_audio.delta","item_id":"i","delta":"SECRETSECRET!"})").find("SECRET"),
            std::string::npos);
}

TEST(ServerEventTest, OddValuesOfOptionalKeysReadAsNothing) {
  const auto done = Read<ResponseDone>(
      R"({"type":"response.done","response":{"id":"r","status":4,"status_details":"x","output":[1,"a",null,{"id":"i"}],
      "conversation_id":7,"usage":{"total_tokens":"many","input_tokens":12.0,"output_tokens":1.5,"input_token_details":3},
      "metadata":["x"]}})");
  EXPECT_EQ(done.status, ResponseStatus::kUnknown);
  EXPECT_EQ(done.output.size(), 1u);
  EXPECT_EQ(done.usage.total, 0);
  EXPECT_EQ(done.usage.input, 12);
  EXPECT_EQ(done.usage.output, 0);
  EXPECT_EQ(Read<SpeechStarted>(R"({"type":"input_audio_buffer.speech_started","audio_start_ms":1e30})").audio_start_ms,
            0);
  EXPECT_EQ(Read<SpeechStarted>(R"({"type":"input_audio_buffer.speech_started","audio_start_ms":18446744073709551615})")
                .audio_start_ms,
            0);
  EXPECT_EQ(
      Read<AudioDelta>(
          R"({"type":"response.output_audio.delta","content_index":-1,"response_id":null,"item_id":"i","delta":""})")
          .bytes,
      0);
}

TEST(ServerEventTest, MessagesOfSeveralMegabytesAreRead) {
  ServerEventParser parser;
  const std::string base64(6 << 20, 'A');
  const std::string audio = absl::StrCat(R"({"type":"response.output_audio.delta","item_id":"i","delta":")", base64,
                                         R"(","content_index":1})");
  auto event = parser.Parse(audio);
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(std::get<AudioDelta>(*event).bytes, (6 << 20) / 4 * 3);
  EXPECT_EQ(std::get<AudioDelta>(*event).content_index, 1);
  const std::string text =
      absl::StrCat(R"({"type":"response.output_text.done","item_id":"i","text":")", base64, R"("})");
  event = parser.Parse(text);
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(std::get<TextDone>(*event).text.size(), base64.size());
  EXPECT_TRUE(parser.Parse(SampleNamed("ResponseDone")).ok());
  EXPECT_EQ(parser.Parse(std::string(ServerEventParser::kMaxMessageBytes + 1, ' ')).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace callbridge::openai
