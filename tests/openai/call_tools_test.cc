#include "src/openai/call_tools.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "src/openai/transfer_tool.h"

namespace callbridge::openai {
namespace {

using Json = nlohmann::json;

TEST(CallToolsTest, ASessionTakesTheTools) {
  SessionConfig config;
  config.tools = {EndCallTool(), SendDtmfTool(), TransferTool({{"sales", "buying"}})};
  EXPECT_TRUE(ValidateSessionConfig(config).ok()) << ValidateSessionConfig(config);
  for (const Tool& tool : config.tools) EXPECT_TRUE(IsBuiltInTool(tool.name)) << tool.name;
  EXPECT_FALSE(IsBuiltInTool("lookup"));
  EXPECT_FALSE(IsBuiltInTool(""));
}

TEST(CallToolsTest, EndNeedsNothingButAnObject) {
  EXPECT_EQ(ParseEndArguments(R"({"reason":"said goodbye"})")->reason, "said goodbye");
  for (const char* text : {"", "  \n", "{}", R"({"reason":7})", R"({"other":1})"}) {
    ASSERT_TRUE(ParseEndArguments(text).ok()) << text;
    EXPECT_EQ(ParseEndArguments(text)->reason, "") << text;
  }
  for (const char* text : {"[]", "null", "goodbye", "{", R"("x")"}) EXPECT_FALSE(ParseEndArguments(text).ok()) << text;
}

TEST(CallToolsTest, KeysAreChecked) {
  const struct {
    const char* arguments;
    const char* digits;
  } good[] = {
      {R"({"digits":"1"})", "1"},
      {R"({"digits":"0123456789*#ABCD"})", "0123456789*#ABCD"},
      {R"({"digits":"12#","more":1} )", "12#"},
      {R"({"digits":"ab"})", "AB"},
      {R"({"digits":"12345678901234567890123456789012"})", "12345678901234567890123456789012"},
  };
  for (const auto& row : good) {
    const auto parsed = ParseDtmfArguments(row.arguments);
    ASSERT_TRUE(parsed.ok()) << row.arguments << ": " << parsed.status();
    EXPECT_EQ(parsed->digits, row.digits);
  }
  const struct {
    const char* arguments;
    const char* says;
  } bad[] = {
      {"", "must be a string"},
      {"[]", "one JSON object"},
      {"{", "one JSON object"},
      {R"({"digits":12})", "must be a string"},
      {R"({"digits":null})", "must be a string"},
      {R"({"digits":""})", "at least one key"},
      {R"({"digits":"1w2"})", "pauses"},
      {R"({"digits":"1W2"})", "pauses"},
      {R"({"digits":"1 2"})", "leave out blanks"},
      {R"({"digits":"1-2"})", "0-9 * # A-D"},
      {R"({"digits":"E"})", "0-9 * # A-D"},
      {R"({"digits":"1\u0000"})", "0-9 * # A-D"},
      {R"({"digits":"123456789012345678901234567890123"})", "at most 32"},
  };
  for (const auto& row : bad) {
    const auto parsed = ParseDtmfArguments(row.arguments);
    ASSERT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << row.arguments;
    EXPECT_TRUE(absl::StrContains(parsed.status().message(), row.says)) << row.arguments << ": " << parsed.status();
  }
}

TEST(CallToolsTest, ArgumentsOfAnyToolAreAnObject) {
  EXPECT_EQ(*ToolArguments(""), "{}");
  EXPECT_EQ(*ToolArguments(" {\"b\": 1, \"a\": 2}\n"), "{\"b\": 1, \"a\": 2}");
  for (const char* text : {"[1]", "1", "{\"a\":}", "{} {}"}) EXPECT_FALSE(ToolArguments(text).ok()) << text;
}

TEST(ToolOutputTest, WordsAreAMessageAndJsonIsAResult) {
  const struct {
    const char* name;
    bool ok;
    std::string output;
    const char* json;
  } rows[] = {
      {"words", true, "done", R"({"status":"ok","message":"done"})"},
      {"words of a failure", false, "busy", R"({"status":"failed","message":"busy"})"},
      {"object", true, " {\"a\": [1]} ", R"({"status":"ok","result":{"a":[1]}})"},
      {"array", true, "[]", R"({"status":"ok","result":[]})"},
      {"object of a failure", false, "{}", R"({"status":"failed","result":{}})"},
      {"a string is words", true, "\"x\"", R"({"status":"ok","message":"\"x\""})"},
      {"broken object", true, "{\"a\":", R"({"status":"ok","message":"{\"a\":"})"},
      {"out of its braces", true, "{},\"status\":\"failed\",\"x\":{}",
       R"({"status":"ok","message":"{},\"status\":\"failed\",\"x\":{}"})"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(Json::parse(FormatToolOutput(row.ok, row.output)), Json::parse(row.json)) << row.name;
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  EXPECT_EQ(FormatToolOutput(true, deep), absl::StrCat(R"({"status":"ok","result":)", deep, "}"));
}

}  // namespace
}  // namespace callbridge::openai
