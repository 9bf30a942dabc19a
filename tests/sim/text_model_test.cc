#include "src/sim/text_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace callbridge::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using Json = nlohmann::json;

constexpr char kSchema[] = R"({
  "type": "object", "additionalProperties": false, "required": ["summary", "mood", "when", "fields"],
  "properties": {
    "summary": {"type": "string"},
    "mood": {"type": "string", "enum": ["good", "bad"]},
    "when": {"type": ["string", "null"]},
    "fields": {"type": "object", "additionalProperties": false, "required": ["n", "list"],
               "properties": {"n": {"type": "integer", "minimum": 3},
                              "list": {"type": "array", "minItems": 1, "items": {"type": "boolean"}}}}
  }
})";

Json ABody() {
  return {{"model", "gpt-5.6-luna"},
          {"input", "what was said"},
          {"store", false},
          {"text",
           {{"format", {{"type", "json_schema"}, {"name", "r"}, {"strict", true}, {"schema", Json::parse(kSchema)}}}}}};
}

base::HttpRequest ARequest(const Json& body = ABody()) {
  base::HttpRequest request;
  request.method = "POST";
  request.target = "/v1/responses";
  request.headers = {{"Authorization", "Bearer sk-1"}, {"Content-Type", "application/json"}};
  request.body = body.dump();
  return request;
}

std::string TextOf(const base::HttpResponse& response) {
  return Json::parse(response.body)["output"][1]["content"][0]["text"];
}

TEST(TextModelTest, AnswersAsTheSchemaWantsIt) {
  TextModel model("sk-1");
  model.SetResult(R"({"when":"soon"})");
  const base::HttpResponse response = model.Answer(ARequest(), "They talked.");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Json::parse(TextOf(response)),
            Json::parse(R"({"summary":"They talked.","mood":"good","when":"soon","fields":{"n":3,"list":[false]}})"));
  ASSERT_THAT(model.Requests(), SizeIs(1));
  EXPECT_EQ(model.Requests()[0].input, "what was said");
  EXPECT_FALSE(model.Requests()[0].stored);
}

TEST(TextModelTest, RefusesWhatTheServiceRefuses) {
  const struct {
    const char* name;
    const char* patch;  // Merged into a good body.
    const char* code;
  } rows[] = {
      {"no model", R"({"model":null})", "missing_required_parameter"},
      {"a realtime model", R"({"model":"gpt-realtime"})", "model_not_found"},
      {"an unknown model", R"({"model":"llama"})", "model_not_found"},
      {"no input", R"({"input":null})", "missing_required_parameter"},
      {"unknown parameter", R"({"max_tokens":5})", "unknown_parameter"},
      {"reasoning of a model that does not", R"({"model":"gpt-4.1","reasoning":{"effort":"low"}})",
       "unsupported_parameter"},
      {"store is a word", R"({"store":"no"})", "invalid_type"},
      {"too few tokens", R"({"max_output_tokens":15})", "integer_below_min_value"},
      {"no name", R"({"text":{"format":{"name":null}}})", "missing_required_parameter"},
      {"no object", R"({"text":{"format":{"schema":{"type":"string"}}}})", "invalid_json_schema"},
      {"open object", R"({"text":{"format":{"schema":{"additionalProperties":null}}}})", "invalid_json_schema"},
      {"not all required", R"({"text":{"format":{"schema":{"required":["summary"]}}}})", "invalid_json_schema"},
      {"open object within",
       R"({"text":{"format":{"schema":{"properties":{"fields":{"additionalProperties":true}}}}}})",
       "invalid_json_schema"},
      {"a keyword that strict mode has not",
       R"({"text":{"format":{"schema":{"properties":{"summary":{"maxLength":3}}}}}})", "invalid_json_schema"},
      {"a property of any type", R"({"text":{"format":{"schema":{"properties":{"summary":{"type":null}}}}}})",
       "invalid_json_schema"},
  };
  TextModel model("sk-1");
  for (const auto& row : rows) {
    Json body = ABody();
    body.merge_patch(Json::parse(row.patch));
    const base::HttpResponse response = model.Answer(ARequest(body), "s");
    EXPECT_EQ(response.status, 400) << row.name;
    EXPECT_EQ(Json::parse(response.body)["error"]["code"], row.code) << row.name;
  }
  base::HttpRequest request = ARequest();
  request.body = "{";
  EXPECT_EQ(model.Answer(request, "s").status, 400);
}

TEST(TextModelTest, WantsTheKeyAndAPost) {
  TextModel model("sk-1");
  base::HttpRequest request = ARequest();
  request.headers[0].second = "Bearer sk-2";
  EXPECT_EQ(model.Answer(request, "s").status, 401);
  request = ARequest();
  request.headers.pop_back();
  EXPECT_EQ(model.Answer(request, "s").status, 400);
  request = ARequest();
  request.method = "GET";
  EXPECT_EQ(model.Answer(request, "s").status, 405);
  EXPECT_TRUE(TextModel::Serves("/responses"));
  EXPECT_FALSE(TextModel::Serves("/v1/realtime"));
}

TEST(TextModelTest, FaultsComeOneByOne) {
  TextModel model("sk-1");
  model.SetFaults({"http:429:7", "http:503", "incomplete", "refusal", "garbage", "prose"});
  const base::HttpResponse limited = model.Answer(ARequest(), "s");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.headers, (base::HttpHeaders{{"Retry-After", "7"}}));
  EXPECT_EQ(model.Answer(ARequest(), "s").status, 503);
  EXPECT_EQ(Json::parse(model.Answer(ARequest(), "s").body)["incomplete_details"]["reason"], "max_output_tokens");
  EXPECT_EQ(Json::parse(model.Answer(ARequest(), "s").body)["output"][1]["content"][0]["type"], "refusal");
  EXPECT_FALSE(Json::accept(model.Answer(ARequest(), "s").body));
  EXPECT_EQ(TextOf(model.Answer(ARequest(), "s")), "s");
  EXPECT_THAT(TextOf(model.Answer(ARequest(), "s")), HasSubstr("mood"));
}

}  // namespace
}  // namespace callbridge::sim
