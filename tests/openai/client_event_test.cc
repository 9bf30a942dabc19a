#include "src/openai/client_event.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace callbridge::openai {
namespace {

using Json = nlohmann::json;

TEST(ClientEventTest, AppendIsPartsAroundTheCallersBytes) {
  const std::string base64 = "f39/fw==";
  const auto parts = AppendParts(base64);
  EXPECT_EQ(parts[1].data(), base64.data());
  EXPECT_EQ(Json::parse(absl::StrCat(parts[0], parts[1], parts[2])),
            Json::parse(R"({"type":"input_audio_buffer.append","audio":"f39/fw=="})"));
}

TEST(ClientEventTest, Shapes) {
  const struct {
    std::string text;
    const char* json;
  } rows[] = {
      {FormatCommit("e"), R"({"type":"input_audio_buffer.commit","event_id":"e"})"},
      {FormatClear(""), R"({"type":"input_audio_buffer.clear"})"},
      {FormatSystemText("Say \"hi\"\n", "e"),
       R"({"type":"conversation.item.create","event_id":"e","item":{"type":"message","role":"system","content":[
       {"type":"input_text","text":"Say \"hi\"\n"}]}})"},
      {FormatUserText("Hi", ""),
       R"({"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}})"},
      {FormatAssistantText("Hello", ""),
       R"({"type":"conversation.item.create","item":{"type":"message","role":"assistant","content":[
       {"type":"output_text","text":"Hello"}]}})"},
      {FormatFunctionCall("call_1", "f", "{}", ""),
       R"({"type":"conversation.item.create","item":{"type":"function_call","call_id":"call_1","name":"f","arguments":"{}"}})"},
      {FormatUserText("[The caller pressed 1]", "e", {"cb_1", ""}),
       R"({"type":"conversation.item.create","event_id":"e","item":{"id":"cb_1","type":"message","role":"user","content":[
       {"type":"input_text","text":"[The caller pressed 1]"}]}})"},
      {FormatAssistantText("Hel", "", {"cb_2", "root"}),
       R"({"type":"conversation.item.create","previous_item_id":"root","item":{"id":"cb_2","type":"message",
       "role":"assistant","content":[{"type":"output_text","text":"Hel"}]}})"},
      {FormatFunctionCall("call_1", "f", "{}", "", {"fc_1", "item_1"}),
       R"({"type":"conversation.item.create","previous_item_id":"item_1","item":{"id":"fc_1","type":"function_call",
       "call_id":"call_1","name":"f","arguments":"{}"}})"},
      {FormatFunctionCallOutput("call_1", R"({"ok":true})", "o"),
       R"({"type":"conversation.item.create","event_id":"o","item":{"type":"function_call_output","call_id":"call_1",
       "output":"{\"ok\":true}"}})"},
      {FormatTruncate("item_1", 0, 1480, "t"),
       R"({"type":"conversation.item.truncate","event_id":"t","item_id":"item_1","content_index":0,"audio_end_ms":1480})"},
      {FormatTruncate("item_1", 0, -5, ""),
       R"({"type":"conversation.item.truncate","item_id":"item_1","content_index":0,"audio_end_ms":0})"},
      {FormatDelete("item_1", ""), R"({"type":"conversation.item.delete","item_id":"item_1"})"},
      {FormatResponseCreate("r"), R"({"type":"response.create","event_id":"r"})"},
      {FormatResponseCreate("Be brief.", "r"),
       R"({"type":"response.create","event_id":"r","response":{"instructions":"Be brief.","tool_choice":"none"}})"},
      {FormatTextAside("Summarise.", "call_summary", 600, "s"),
       R"({"type":"response.create","event_id":"s","response":{"conversation":"none","output_modalities":["text"],
       "metadata":{"purpose":"call_summary"},"tools":[],"tool_choice":"none","max_output_tokens":600,"instructions":"Summarise."}})"},
      {FormatCancel("resp_1", "x"), R"({"type":"response.cancel","event_id":"x","response_id":"resp_1"})"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Json::parse(row.text), Json::parse(row.json));
    EXPECT_TRUE(absl::StartsWith(row.text, "{\"type\":")) << row.text;
  }
}

TEST(ClientEventTest, HostileTextStaysInItsString) {
  const std::string hostile = "\"}]}},{\"type\":\"x\"}\\ \x01 \xFF \xE2\x80\xA8";
  const Json json = Json::parse(FormatFunctionCallOutput(hostile, hostile, hostile));
  EXPECT_EQ(json["type"], "conversation.item.create");
  EXPECT_EQ(json["item"]["output"], "\"}]}},{\"type\":\"x\"}\\ \x01 \uFFFD \xE2\x80\xA8");
}

TEST(ClientEventTest, AsideIsKnownByItsPurpose) {
  EXPECT_TRUE(IsAside({{"purpose", "call_summary"}}, "call_summary"));
  EXPECT_FALSE(IsAside({{"purpose", "other"}}, "call_summary"));
  EXPECT_FALSE(IsAside({}, "call_summary"));
}

}  // namespace
}  // namespace callbridge::openai
