#include "src/openai/session_config.h"

#include <functional>
#include <limits>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace callbridge::openai {
namespace {

using Json = nlohmann::json;

Json Session(const SessionConfig& config) { return Json::parse(FormatSessionUpdate(config, "su_1"))["session"]; }

TEST(SessionConfigTest, TheDefaultsAreValid) {
  EXPECT_TRUE(ValidateSessionConfig({}).ok()) << ValidateSessionConfig({});
}

TEST(SessionConfigTest, DefaultSessionUpdate) {
  SessionConfig config;
  config.instructions = "You answer the phone for \"Example Dental\".";
  config.tools = {{"transfer_call", "Hand the caller to a person",
                   R"({"type":"object","properties":{"department":{"type":"string"}},"required":["department"]})"}};
  const Json expected = Json::parse(R"({"type":"session.update","event_id":"su_1","session":{"type":"realtime",
      "output_modalities":["audio"],"instructions":"You answer the phone for \"Example Dental\".",
      "audio":{"input":{"format":{"type":"audio/pcmu"},"transcription":{"model":"gpt-realtime-whisper"},"noise_reduction":null,
        "turn_detection":{"type":"server_vad","threshold":0.7,"prefix_padding_ms":300,"silence_duration_ms":800,
          "create_response":true,"interrupt_response":true}},
       "output":{"format":{"type":"audio/pcmu"},"voice":"shimmer","speed":1.0}},
      "tools":[{"type":"function","name":"transfer_call","description":"Hand the caller to a person",
        "parameters":{"type":"object","properties":{"department":{"type":"string"}},"required":["department"]}}],
      "tool_choice":"auto","max_output_tokens":"inf","truncation":"auto"}})");
  EXPECT_EQ(Json::parse(FormatSessionUpdate(config, "su_1")), expected);
}

TEST(SessionConfigTest, EverythingElseSet) {
  SessionConfig config;
  config.voice = "voice_7";
  ServerVad vad;
  vad.idle_timeout_ms = 6000;
  vad.interrupt_response = false;
  config.turn_detection = vad;
  config.transcription->model = "gpt-transcribe";
  config.transcription->languages = {"en", "de"};
  config.transcription->keywords = {"Invisalign"};
  config.transcription->prompt = "A dentist.";
  config.noise_reduction = "near_field";
  config.tools = {{"hang_up", "End the call", ""}};
  config.tool_choice = "hang_up";
  config.max_output_tokens = 900;
  config.speed = 1.25;
  config.text_only = true;
  config.reasoning_effort = "minimal";
  config.parallel_tool_calls = false;
  config.truncation = {Truncation::Kind::kRetentionRatio, 0.75, 8000};
  ASSERT_TRUE(ValidateSessionConfig(config).ok()) << ValidateSessionConfig(config);
  const Json expected = Json::parse(R"({"type":"realtime","output_modalities":["text"],"instructions":"",
      "audio":{"input":{"format":{"type":"audio/pcmu"},
        "transcription":{"model":"gpt-transcribe","languages":["en","de"],"keywords":["Invisalign"],"prompt":"A dentist."},
        "noise_reduction":{"type":"near_field"},
        "turn_detection":{"type":"server_vad","threshold":0.7,"prefix_padding_ms":300,"silence_duration_ms":800,
          "idle_timeout_ms":6000,"create_response":true,"interrupt_response":false}},
       "output":{"format":{"type":"audio/pcmu"},"voice":{"id":"voice_7"},"speed":1.25}},
      "tools":[{"type":"function","name":"hang_up","description":"End the call","parameters":{"type":"object","properties":{}}}],
      "tool_choice":{"type":"function","name":"hang_up"},"max_output_tokens":900,
      "truncation":{"type":"retention_ratio","retention_ratio":0.75,"token_limits":{"post_instructions":8000}},
      "reasoning":{"effort":"minimal"},"parallel_tool_calls":false})");
  EXPECT_EQ(Session(config), expected);
}

TEST(SessionConfigTest, OtherKindsOfTurnsAndTruncation) {
  SessionConfig config;
  config.turn_detection = SemanticVad{"low", true, false};
  config.truncation.kind = Truncation::Kind::kDisabled;
  EXPECT_EQ(
      Session(config)["audio"]["input"]["turn_detection"],
      Json::parse(R"({"type":"semantic_vad","eagerness":"low","create_response":true,"interrupt_response":false})"));
  EXPECT_EQ(Session(config)["truncation"], "disabled");
  config.turn_detection = ManualTurns();
  config.transcription.reset();
  // Null, not absent: an absent key would leave what was there.
  const Json input = Session(config)["audio"]["input"];
  EXPECT_TRUE(input.contains("turn_detection") && input["turn_detection"].is_null());
  EXPECT_TRUE(input.contains("transcription") && input["transcription"].is_null());
}

TEST(SessionConfigTest, PartialUpdates) {
  EXPECT_EQ(Json::parse(FormatTurnDetectionUpdate(ManualTurns(), "td")),
            Json::parse(R"({"type":"session.update","event_id":"td","session":{"type":"realtime",
                            "audio":{"input":{"turn_detection":null}}}})"));
  EXPECT_EQ(Json::parse(FormatInstructionsUpdate("Be brief.", "")),
            Json::parse(R"({"type":"session.update","session":{"type":"realtime","instructions":"Be brief."}})"));
}

TEST(SessionConfigTest, TypeComesFirstAndBrokenUtf8IsReplaced) {
  SessionConfig config;
  config.instructions = "caf\xE9";
  const std::string text = FormatSessionUpdate(config, "");
  EXPECT_TRUE(absl::StartsWith(text, R"({"type":"session.update","session":{"type":"realtime",)")) << text;
  EXPECT_EQ(Session(config)["instructions"], "caf\uFFFD");
}

struct BadRow {
  const char* field;
  std::function<void(SessionConfig&)> spoil;
};

ServerVad& Vad(SessionConfig& config) { return std::get<ServerVad>(config.turn_detection); }

TEST(SessionConfigTest, BadFieldsAreNamed) {
  const BadRow rows[] = {
      {"model", [](SessionConfig& c) { c.model = ""; }},
      {"voice", [](SessionConfig& c) { c.voice = ""; }},
      {"speed", [](SessionConfig& c) { c.speed = 0.2; }},
      {"speed", [](SessionConfig& c) { c.speed = 1.6; }},
      {"speed", [](SessionConfig& c) { c.speed = std::numeric_limits<double>::quiet_NaN(); }},
      {"max_output_tokens", [](SessionConfig& c) { c.max_output_tokens = -1; }},
      {"max_output_tokens", [](SessionConfig& c) { c.max_output_tokens = 4097; }},
      {"noise_reduction", [](SessionConfig& c) { c.noise_reduction = "on"; }},
      {"reasoning_effort", [](SessionConfig& c) { c.reasoning_effort = "extreme"; }},
      {"reasoning_effort", [](SessionConfig& c) { c.reasoning_effort = "low", c.model = "gpt-realtime-1.5"; }},
      {"reasoning_effort", [](SessionConfig& c) { c.reasoning_effort = "low", c.model = "gpt-realtime-2025-08-28"; }},
      {"parallel_tool_calls", [](SessionConfig& c) { c.parallel_tool_calls = true, c.model = "gpt-realtime-mini"; }},
      {"turn_detection.threshold", [](SessionConfig& c) { Vad(c).threshold = 1.1; }},
      {"turn_detection.threshold", [](SessionConfig& c) { Vad(c).threshold = -0.1; }},
      {"turn_detection.prefix_padding_ms", [](SessionConfig& c) { Vad(c).prefix_padding_ms = -1; }},
      {"turn_detection.silence_duration_ms", [](SessionConfig& c) { Vad(c).silence_duration_ms = 0; }},
      {"turn_detection.silence_duration_ms", [](SessionConfig& c) { Vad(c).silence_duration_ms = 800'000; }},
      {"turn_detection.idle_timeout_ms", [](SessionConfig& c) { Vad(c).idle_timeout_ms = 4999; }},
      {"turn_detection.idle_timeout_ms", [](SessionConfig& c) { Vad(c).idle_timeout_ms = 30001; }},
      {"turn_detection.eagerness", [](SessionConfig& c) { c.turn_detection = SemanticVad{"eager"}; }},
      {"transcription.model", [](SessionConfig& c) { c.transcription->model = ""; }},
      {"transcription.language", [](SessionConfig& c) { c.transcription->language = "English"; }},
      {"transcription.language", [](SessionConfig& c) { c.transcription->language = "EN"; }},
      {"transcription.languages",
       [](SessionConfig& c) {
         c.transcription->languages = {"en", "de"};
       }},
      {"transcription.languages",
       [](SessionConfig& c) { c.transcription->model = "gpt-transcribe", c.transcription->languages = {"x"}; }},
      {"transcription.keywords",
       [](SessionConfig& c) { c.transcription->model = "whisper-1", c.transcription->keywords = {"a"}; }},
      {"transcription.prompt", [](SessionConfig& c) { c.transcription->prompt = "names"; }},
      {"transcription.delay", [](SessionConfig& c) { c.transcription->delay = "none"; }},
      {"transcription.delay",
       [](SessionConfig& c) { c.transcription->model = "gpt-4o-transcribe", c.transcription->delay = "low"; }},
      {"tools[0].name",
       [](SessionConfig& c) {
         c.tools = {{"transfer call", "", ""}};
       }},
      {"tools[0].name",
       [](SessionConfig& c) {
         c.tools = {{std::string(65, 'a'), "", ""}};
       }},
      {"tools[1].name",
       [](SessionConfig& c) {
         c.tools = {{"a", "", ""}, {"a", "", ""}};
       }},
      {"tools[0].parameters_json",
       [](SessionConfig& c) {
         c.tools = {{"a", "", "{"}};
       }},
      {"tools[0].parameters_json",
       [](SessionConfig& c) {
         c.tools = {{"a", "", "[]"}};
       }},
      {"tools[0].parameters_json",
       [](SessionConfig& c) {
         c.tools = {{"a", "", R"({"type":"string"})"}};
       }},
      {"tool_choice", [](SessionConfig& c) { c.tool_choice = "transfer_call"; }},
      {"truncation.retention_ratio",
       [](SessionConfig& c) {
         c.truncation = {Truncation::Kind::kRetentionRatio, 0, 0};
       }},
      {"truncation.retention_ratio",
       [](SessionConfig& c) {
         c.truncation = {Truncation::Kind::kRetentionRatio, 1.1, 0};
       }},
      {"truncation.post_instructions_tokens",
       [](SessionConfig& c) {
         c.truncation = {Truncation::Kind::kRetentionRatio, 1, -1};
       }},
  };
  for (const BadRow& row : rows) {
    SessionConfig config;
    row.spoil(config);
    const absl::Status status = ValidateSessionConfig(config);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.field;
    EXPECT_TRUE(absl::StartsWith(status.message(), std::string(row.field) + ": ")) << row.field << " but " << status;
  }
}

TEST(SessionConfigTest, GoodFieldsPass) {
  const BadRow rows[] = {
      {"reasoning on 2", [](SessionConfig& c) { c.reasoning_effort = "xhigh", c.model = "gpt-realtime-2"; }},
      {"reasoning on 2.1-mini",
       [](SessionConfig& c) { c.reasoning_effort = "low", c.model = "gpt-realtime-2.1-mini"; }},
      {"somebody else's model and voice", [](SessionConfig& c) { c.model = "llama-voice", c.voice = "Ann"; }},
      {"bounds",
       [](SessionConfig& c) {
         c.speed = 0.25, c.max_output_tokens = 4096, Vad(c).threshold = 1, Vad(c).idle_timeout_ms = 5000;
       }},
      {"language", [](SessionConfig& c) { c.transcription->language = "yue"; }},
      {"delay", [](SessionConfig& c) { c.transcription->delay = "minimal"; }},
      {"no transcription", [](SessionConfig& c) { c.transcription.reset(); }},
  };
  for (const BadRow& row : rows) {
    SessionConfig config;
    row.spoil(config);
    EXPECT_TRUE(ValidateSessionConfig(config).ok()) << row.field << ": " << ValidateSessionConfig(config);
  }
}

TEST(SessionConfigTest, NoticesForModelsWithoutAFuture) {
  EXPECT_EQ(ModelNotice(kDefaultModel), "");
  EXPECT_EQ(ModelNotice("gpt-realtime-1.5"), "");
  EXPECT_EQ(ModelNotice("gpt-realtime-2"), "");
  for (const char* model : {"gpt-realtime", "gpt-realtime-2025-08-28", "gpt-realtime-mini-2025-12-15",
                            "gpt-4o-realtime-preview", "gpt-live-1", "gpt-realtime-translate", "gpt-audio-1.5"}) {
    EXPECT_NE(ModelNotice(model), "") << model;
  }
  EXPECT_EQ(TranscriptionModelNotice(kDefaultTranscriptionModel), "");
  EXPECT_EQ(TranscriptionModelNotice("gpt-transcribe"), "");
  EXPECT_NE(TranscriptionModelNotice("whisper-1"), "");
  EXPECT_NE(TranscriptionModelNotice("gpt-4o-mini-transcribe"), "");
}

TEST(SessionConfigTest, WithoutInterruptionChangesNothingElse) {
  ServerVad vad;
  vad.silence_duration_ms = 650;
  const auto server = std::get<ServerVad>(WithoutInterruption(vad));
  EXPECT_FALSE(server.interrupt_response);
  EXPECT_TRUE(server.create_response);
  EXPECT_EQ(server.silence_duration_ms, 650);
  EXPECT_FALSE(std::get<SemanticVad>(WithoutInterruption(SemanticVad())).interrupt_response);
  EXPECT_TRUE(std::holds_alternative<ManualTurns>(WithoutInterruption(ManualTurns())));
}

EffectiveSession Confirmed() {
  EffectiveSession session;
  session.input_format.type = "audio/pcmu";
  session.output_format.type = "audio/pcmu";
  session.transcription_model = kDefaultTranscriptionModel;
  session.turn_detection.type = "server_vad";
  session.turn_detection.create_response = true;
  session.turn_detection.interrupt_response = true;
  session.tool_names = {"transfer_call"};
  session.tells_turn_detection = true;
  session.tells_transcription = true;
  session.tells_tools = true;
  return session;
}

TEST(SessionConfigTest, ConfirmNamesWhatTheServerDidNotTake) {
  SessionConfig config;
  config.tools = {{"transfer_call", "", ""}};
  EXPECT_TRUE(ConfirmSession(config, Confirmed()).ok()) << ConfirmSession(config, Confirmed());
  const struct {
    const char* part;
    std::function<void(EffectiveSession&)> spoil;
  } rows[] = {
      {"audio.input.format", [](EffectiveSession& s) { s.input_format.type = "audio/pcm"; }},
      {"audio.output.format", [](EffectiveSession& s) { s.output_format.type = ""; }},
      {"turn_detection.type", [](EffectiveSession& s) { s.turn_detection.type = "semantic_vad"; }},
      {"turn_detection.create_response", [](EffectiveSession& s) { s.turn_detection.create_response = false; }},
      {"turn_detection.interrupt_response", [](EffectiveSession& s) { s.turn_detection.interrupt_response = false; }},
      {"no tool \"transfer_call\"", [](EffectiveSession& s) { s.tool_names = {"other"}; }},
      {"transcription", [](EffectiveSession& s) { s.transcription_model = ""; }},
  };
  for (const auto& row : rows) {
    EffectiveSession session = Confirmed();
    row.spoil(session);
    const absl::Status status = ConfirmSession(config, session);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << row.part;
    EXPECT_TRUE(absl::StrContains(status.message(), row.part)) << status;
  }
  const struct {
    const char* name;
    std::function<void(EffectiveSession&)> leave_out;
  } lenient[] = {
      {"says nothing of turns", [](EffectiveSession& s) { s.turn_detection = {}, s.tells_turn_detection = false; }},
      {"says nothing of the flags",
       [](EffectiveSession& s) {
         s.turn_detection.create_response.reset(), s.turn_detection.interrupt_response.reset();
       }},
      {"says nothing of tools", [](EffectiveSession& s) { s.tool_names.clear(), s.tells_tools = false; }},
      {"says nothing of transcription",
       [](EffectiveSession& s) { s.transcription_model.clear(), s.tells_transcription = false; }},
      {"more tools than asked for", [](EffectiveSession& s) { s.tool_names.push_back("another"); }},
  };
  for (const auto& row : lenient) {
    EffectiveSession session = Confirmed();
    row.leave_out(session);
    EXPECT_TRUE(ConfirmSession(config, session).ok()) << row.name << ": " << ConfirmSession(config, session);
  }
  config.turn_detection = ManualTurns();
  EXPECT_FALSE(ConfirmSession(config, Confirmed()).ok());
  EffectiveSession manual = Confirmed();
  manual.turn_detection = {};
  EXPECT_TRUE(ConfirmSession(config, manual).ok());
}

}  // namespace
}  // namespace callbridge::openai
