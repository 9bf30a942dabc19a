#include "src/openai/summary.h"

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace callbridge::openai {
namespace {

ResponseDone Done(std::string text, ResponseStatus status = ResponseStatus::kCompleted) {
  ResponseDone done;
  done.status = status;
  Item item;
  item.type = ItemType::kMessage;
  item.role = Role::kAssistant;
  item.text = std::move(text);
  done.output = {item};
  return done;
}

TEST(SummaryTest, TheRequestIsAnAsideThatItsAnswerIsKnownBy) {
  const auto json = nlohmann::json::parse(FormatSummaryRequest("Mention the price.", "sum_1"));
  EXPECT_EQ(json["event_id"], "sum_1");
  EXPECT_EQ(json["response"]["conversation"], "none");
  EXPECT_EQ(json["response"]["output_modalities"], nlohmann::json::array({"text"}));
  EXPECT_TRUE(absl::EndsWith(json["response"]["instructions"].get<std::string>(), "\n\nMention the price."));
  ResponseDone done;
  ResponseCreated created;
  EXPECT_FALSE(IsSummary(done));
  EXPECT_FALSE(IsSummary(created));
  done.metadata = created.metadata = json["response"]["metadata"].get<Metadata>();
  EXPECT_TRUE(IsSummary(done));
  EXPECT_TRUE(IsSummary(created));
}

TEST(SummaryTest, TextIsFoundInWhateverTheModelWrote) {
  const struct {
    const char* written;
    const char* summary;
  } rows[] = {
      {"Ann called about a bill.", "Ann called about a bill."},
      {"  Ann called.\n", "Ann called."},
      {"```\nAnn called.\n```", "Ann called."},
      {"```Ann called.```", "Ann called."},
      {"```json\n{\"summary\":\"Ann called.\"}\n```", "Ann called."},
      {"{\"summary\":\" Ann called. \",\"x\":1}", "Ann called."},
      {"{\"reason\":\"bill\"}", "{\"reason\":\"bill\"}"},
      {"{\"summary\":[1]}", "{\"summary\":[1]}"},
      {"{ broken", "{ broken"},
      {"Summary: Ann called.", "Ann called."},
      {"**Summary:** Ann called.", "Ann called."},
      {"## Summary\nAnn called.", "Ann called."},
      {"Summary judgment was the topic.", "Summary judgment was the topic."},
      {"**Ann** called.", "**Ann** called."},
  };
  for (const auto& row : rows) EXPECT_EQ(SummaryText(Done(row.written)).value_or("none"), row.summary) << row.written;
}

TEST(SummaryTest, NothingWithoutTextOrWhenItFailed) {
  EXPECT_EQ(SummaryText(Done("")), std::nullopt);
  EXPECT_EQ(SummaryText(Done(" \n")), std::nullopt);
  EXPECT_EQ(SummaryText(Done("```\n```")), std::nullopt);
  EXPECT_EQ(SummaryText(ResponseDone()), std::nullopt);
  EXPECT_EQ(SummaryText(Done("Half", ResponseStatus::kFailed)), std::nullopt);
  EXPECT_EQ(SummaryText(Done("Half", ResponseStatus::kCancelled)), std::nullopt);
  EXPECT_EQ(SummaryText(Done("Half", ResponseStatus::kIncomplete)), "Half");
  ResponseDone call = Done("not words");
  call.output[0].type = ItemType::kFunctionCall;
  EXPECT_EQ(SummaryText(call), std::nullopt);
}

TEST(SummaryTest, LongOnesAreCutAtACharacter) {
  const std::string cut = SummaryText(Done("x" +
                                           [] {
                                             std::string text;
                                             for (int i = 0; i < 3000; ++i) text += "ü";
                                             return text;
                                           }()))
                              .value_or("");
  EXPECT_EQ(cut.size(), kMaxSummaryBytes - 1);
  EXPECT_TRUE(absl::EndsWith(cut, "ü"));
}

}  // namespace
}  // namespace callbridge::openai
