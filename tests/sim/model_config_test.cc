#include "src/sim/model_config.h"

#include "gtest/gtest.h"

namespace callbridge::sim {
namespace {

ModelConfig Config(const std::string& model = "gpt-realtime-2.1") {
  return ModelConfig(model, "sess_1", absl::FromUnixSeconds(1'700'003'600));
}

Json Parse(const std::string& text) { return Json::parse(text); }

// Every row is refused, by that code and with that parameter, and changes nothing.
TEST(ModelConfigTest, RefusesWhatTheServiceRefuses) {
  struct Row {
    const char* name;
    const char* session;
    const char* code;
    const char* param;
  } rows[] = {
      {"no type", R"({"instructions":"x"})", "missing_required_parameter", "session.type"},
      {"null type", R"({"type":null})", "missing_required_parameter", "session.type"},
      {"other type", R"({"type":"transcription"})", "invalid_value", "session.type"},
      {"not an object", R"("x")", "invalid_type", "session"},
      {"beta modalities", R"({"type":"realtime","modalities":["audio","text"]})", "unknown_parameter",
       "session.modalities"},
      {"beta voice", R"({"type":"realtime","voice":"alloy"})", "unknown_parameter", "session.voice"},
      {"temperature", R"({"type":"realtime","temperature":0.8})", "unknown_parameter", "session.temperature"},
      {"model", R"({"type":"realtime","model":"gpt-realtime"})", "invalid_value", "session.model"},
      {"both modalities", R"({"type":"realtime","output_modalities":["audio","text"]})", "invalid_value",
       "session.output_modalities"},
      {"instructions", R"({"type":"realtime","instructions":5})", "invalid_type", "session.instructions"},
      {"audio key", R"({"type":"realtime","audio":{"in":{}}})", "unknown_parameter", "session.audio.in"},
      {"input key", R"({"type":"realtime","audio":{"input":{"voice":"x"}}})", "unknown_parameter",
       "session.audio.input.voice"},
      {"format as text", R"({"type":"realtime","audio":{"input":{"format":"g711_ulaw"}}})", "invalid_type",
       "session.audio.input.format"},
      {"format type", R"({"type":"realtime","audio":{"input":{"format":{"type":"audio/opus"}}}})", "invalid_value",
       "session.audio.input.format.type"},
      {"rate on mu-law", R"({"type":"realtime","audio":{"input":{"format":{"type":"audio/pcmu","rate":8000}}}})",
       "unknown_parameter", "session.audio.input.format.rate"},
      {"rate on A-law", R"({"type":"realtime","audio":{"output":{"format":{"type":"audio/pcma","rate":8000}}}})",
       "unknown_parameter", "session.audio.output.format.rate"},
      {"no rate on PCM", R"({"type":"realtime","audio":{"output":{"format":{"type":"audio/pcm"}}}})",
       "missing_required_parameter", "session.audio.output.format.rate"},
      {"wrong rate", R"({"type":"realtime","audio":{"output":{"format":{"type":"audio/pcm","rate":8000}}}})",
       "invalid_value", "session.audio.output.format.rate"},
      {"voice", R"({"type":"realtime","audio":{"output":{"voice":"bob"}}})", "invalid_value",
       "session.audio.output.voice"},
      {"speed", R"({"type":"realtime","audio":{"output":{"speed":1.6}}})", "invalid_value",
       "session.audio.output.speed"},
      {"transcription model", R"({"type":"realtime","audio":{"input":{"transcription":{"model":"x"}}}})",
       "invalid_value", "session.audio.input.transcription.model"},
      {"transcription key", R"({"type":"realtime","audio":{"input":{"transcription":{"modle":"x"}}}})",
       "unknown_parameter", "session.audio.input.transcription.modle"},
      {"keywords for whisper",
       R"({"type":"realtime","audio":{"input":{"transcription":{"model":"whisper-1","keywords":["a"]}}}})",
       "unknown_parameter", "session.audio.input.transcription.keywords"},
      {"noise reduction", R"({"type":"realtime","audio":{"input":{"noise_reduction":{"type":"phone"}}}})",
       "invalid_value", "session.audio.input.noise_reduction.type"},
      {"turns without type", R"({"type":"realtime","audio":{"input":{"turn_detection":{"threshold":0.5}}}})",
       "missing_required_parameter", "session.audio.input.turn_detection.type"},
      {"turn type", R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"none"}}}})", "invalid_value",
       "session.audio.input.turn_detection.type"},
      {"turn key",
       R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","eagerness":"low"}}}})",
       "unknown_parameter", "session.audio.input.turn_detection.eagerness"},
      {"threshold", R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","threshold":1.1}}}})",
       "invalid_value", "session.audio.input.turn_detection.threshold"},
      {"padding",
       R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","prefix_padding_ms":-1}}}})",
       "invalid_value", "session.audio.input.turn_detection.prefix_padding_ms"},
      {"silence",
       R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","silence_duration_ms":0.5}}}})",
       "invalid_type", "session.audio.input.turn_detection.silence_duration_ms"},
      {"idle",
       R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":4999}}}})",
       "invalid_value", "session.audio.input.turn_detection.idle_timeout_ms"},
      {"flag", R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"server_vad","create_response":1}}}})",
       "invalid_type", "session.audio.input.turn_detection.create_response"},
      {"silence for semantic",
       R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"semantic_vad","silence_duration_ms":5}}}})",
       "unknown_parameter", "session.audio.input.turn_detection.silence_duration_ms"},
      {"eagerness",
       R"({"type":"realtime","audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"max"}}}})",
       "invalid_value", "session.audio.input.turn_detection.eagerness"},
      {"nested function", R"({"type":"realtime","tools":[{"type":"function","function":{"name":"f"}}]})",
       "unknown_parameter", "session.tools[0].function"},
      {"tool without name", R"({"type":"realtime","tools":[{"type":"function"}]})", "missing_required_parameter",
       "session.tools[0].name"},
      {"hosted tool", R"({"type":"realtime","tools":[{"type":"web_search"}]})", "invalid_value",
       "session.tools[0].type"},
      {"tool choice", R"({"type":"realtime","tool_choice":"always"})", "invalid_value", "session.tool_choice"},
      {"no tokens", R"({"type":"realtime","max_output_tokens":0})", "invalid_value", "session.max_output_tokens"},
      {"many tokens", R"({"type":"realtime","max_output_tokens":4097})", "invalid_value", "session.max_output_tokens"},
      {"truncation", R"({"type":"realtime","truncation":"none"})", "invalid_value", "session.truncation"},
      {"ratio", R"({"type":"realtime","truncation":{"type":"retention_ratio","retention_ratio":2}})", "invalid_value",
       "session.truncation.retention_ratio"},
      {"include", R"({"type":"realtime","include":["logprobs"]})", "invalid_value", "session.include[0]"},
      {"effort", R"({"type":"realtime","reasoning":{"effort":"most"}})", "invalid_value", "session.reasoning.effort"},
  };
  for (const Row& row : rows) {
    ModelConfig config = Config();
    const Json before = config.session();
    // Something valid beside the mistake must not be applied either.
    Json update = Parse(row.session);
    if (update.is_object()) update["tracing"] = "auto";
    const std::optional<ModelError> error = config.Update(update, {});
    ASSERT_TRUE(error.has_value()) << row.name;
    EXPECT_EQ(error->code, row.code) << row.name;
    EXPECT_EQ(error->param, row.param) << row.name;
    EXPECT_NE(error->message, "") << row.name;
    EXPECT_EQ(config.session(), before) << row.name;
  }
}

TEST(ModelConfigTest, ReasoningNeedsAReasoningModel) {
  const Json update = Parse(R"({"type":"realtime","reasoning":{"effort":"low"},"parallel_tool_calls":true})");
  for (const char* model : {"gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime-2"}) {
    EXPECT_FALSE(Config(model).Update(update, {}).has_value()) << model;
  }
  for (const char* model : {"gpt-realtime-1.5", "gpt-realtime", "gpt-realtime-2025-08-28"}) {
    EXPECT_TRUE(Config(model).Update(update, {}).has_value()) << model;
  }
}

TEST(ModelConfigTest, AppliesAndEchoesAWholeUpdate) {
  ModelConfig config = Config();
  const std::optional<ModelError> error = config.Update(Parse(R"({"type":"realtime","output_modalities":["audio"],
      "instructions":"You answer the phone.","audio":{"input":{"format":{"type":"audio/pcmu"},
      "transcription":{"model":"gpt-4o-mini-transcribe"},"noise_reduction":{"type":"near_field"},
      "turn_detection":{"type":"server_vad","threshold":0.6,"silence_duration_ms":400,"idle_timeout_ms":6000}},
      "output":{"format":{"type":"audio/pcmu"},"voice":"cedar","speed":1.1}},
      "tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"}}],"tool_choice":"auto",
      "max_output_tokens":"inf","truncation":"auto"})"),
                                                        {});
  ASSERT_FALSE(error.has_value()) << error->message;
  const Json& session = config.session();
  EXPECT_EQ(session["id"], "sess_1");
  EXPECT_EQ(session["audio"]["input"]["transcription"],
            Parse(R"({"model":"gpt-4o-mini-transcribe","language":null,"prompt":null})"));
  EXPECT_EQ(session["audio"]["input"]["turn_detection"]["prefix_padding_ms"], 300);
  EXPECT_EQ(session["audio"]["output"]["voice"], "cedar");
  EXPECT_EQ(config.InputFormat(), "audio/pcmu");
  EXPECT_EQ(config.turn_detection().vad.silence_duration_ms, 400);
  EXPECT_EQ(config.turn_detection().idle_timeout, absl::Seconds(6));
}

TEST(ModelConfigTest, OnlyKeysPresentChangeAndNullsClear) {
  ModelConfig config = Config();
  ASSERT_FALSE(config.Update(
      Parse(R"({"type":"realtime","instructions":"Mine.","tools":[{"type":"function","name":"f"}]})"), {}));
  ASSERT_FALSE(config.Update(Parse(R"({"type":"realtime","audio":{"input":{"turn_detection":null}}})"), {}));
  EXPECT_EQ(config.session()["instructions"], "Mine.");
  EXPECT_FALSE(config.turn_detection().on);
  ASSERT_FALSE(config.Update(Parse(R"({"type":"realtime","instructions":"","tools":[]})"), {}));
  EXPECT_GT(config.session()["instructions"].get<std::string>().size(), 300u);  // The service's own text is back.
  EXPECT_TRUE(config.session()["tools"].empty());
}

TEST(ModelConfigTest, MomentsForbidThings) {
  ModelConfig config = Config();
  const std::optional<ModelError> voice =
      config.Update(Parse(R"({"type":"realtime","audio":{"output":{"voice":"cedar"}}})"), {true, false});
  ASSERT_TRUE(voice.has_value());
  EXPECT_EQ(voice->message, "Cannot update a conversation's voice if assistant audio is present.");
  EXPECT_TRUE(
      config.Update(Parse(R"({"type":"realtime","audio":{"output":{"speed":1.2}}})"), {false, true}).has_value());
  EXPECT_FALSE(
      config.Update(Parse(R"({"type":"realtime","audio":{"output":{"speed":1.2}}})"), {true, false}).has_value());
}

TEST(ModelConfigTest, ChecksResponses) {
  struct Row {
    const char* name;
    const char* response;
    const char* param;  // Null: fine.
  } rows[] = {
      {"empty", "{}", nullptr},
      {"summary",
       R"({"conversation":"none","output_modalities":["text"],"metadata":{"a":"b"},"tools":[],"tool_choice":"none",
                      "max_output_tokens":600,"instructions":"Sum up.","input":[]})",
       nullptr},
      {"formats", R"({"audio":{"output":{"format":{"type":"audio/pcmu"},"voice":"marin"}}})", nullptr},
      {"unknown", R"({"modalities":["text"]})", "response.modalities"},
      {"conversation", R"({"conversation":"other"})", "response.conversation"},
      {"metadata value", R"({"metadata":{"a":1}})", "response.metadata.a"},
      {"tokens", R"({"max_output_tokens":5000})", "response.max_output_tokens"},
      {"speed", R"({"audio":{"output":{"speed":1}}})", "response.audio.output.speed"},
      {"input", R"({"input":"x"})", "response.input"},
  };
  for (const Row& row : rows) {
    const std::optional<ModelError> error = Config().CheckResponse(Parse(row.response), {});
    ASSERT_EQ(error.has_value(), row.param != nullptr) << row.name << (error ? error->message : "");
    EXPECT_EQ(error.has_value() ? error->param : "", row.param != nullptr ? row.param : "") << row.name;
  }
}

TEST(ModelConfigTest, MetadataHasLimits) {
  Json many = {{"metadata", Json::object()}};
  for (int i = 0; i < 17; ++i) many["metadata"][std::string(static_cast<size_t>(i + 1), 'k')] = "v";
  EXPECT_TRUE(Config().CheckResponse(many, {}).has_value());
  EXPECT_TRUE(Config().CheckResponse({{"metadata", {{std::string(65, 'k'), "v"}}}}, {}).has_value());
  EXPECT_TRUE(Config().CheckResponse({{"metadata", {{"k", std::string(513, 'v')}}}}, {}).has_value());
  EXPECT_FALSE(Config().CheckResponse({{"metadata", {{std::string(64, 'k'), std::string(512, 'v')}}}}, {}).has_value());
}

}  // namespace
}  // namespace callbridge::sim
