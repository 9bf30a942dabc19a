// Damaged, reordered and deep messages.

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "src/openai/server_event.h"
#include "tests/openai/samples.h"

namespace callbridge::openai {
namespace {

using Json = nlohmann::ordered_json;

TEST(ServerEventRobustnessTest, NoPrefixIsAnEvent) {
  ServerEventParser parser;
  for (const Sample& sample : kSamples) {
    const std::string whole = sample.json;
    for (size_t size = 0; size < whole.size(); ++size) {
      // A copy of its own, so that a read past the end is seen by the sanitizer.
      const std::vector<char> prefix(whole.begin(), whole.begin() + size);
      EXPECT_FALSE(parser.Parse({prefix.data(), prefix.size()}).ok()) << sample.name << " cut at " << size;
    }
    EXPECT_TRUE(parser.Parse(whole).ok()) << sample.name;
  }
}

TEST(ServerEventRobustnessTest, OneBadByteNeverCrashesNorLetsBadBase64Through) {
  ServerEventParser parser;
  const std::string bad_bytes = std::string("\0\"\\{}[]:,u/=", 12) +
                                "\n\x7F\x80\xC3\xED\xFF"
                                "0e-.";
  for (const Sample& sample : kSamples) {
    std::string damaged = sample.json;
    for (size_t at = 0; at < damaged.size(); ++at) {
      const char before = damaged[at];
      for (const char byte : bad_bytes) {
        damaged[at] = byte;
        const auto event = parser.Parse(damaged);
        if (!event.ok() || !std::holds_alternative<AudioDelta>(*event)) continue;
        const auto& delta = std::get<AudioDelta>(*event);
        const std::string safe =
            absl::StrCat("{\"a\":\"", delta.base64, "\",\"b\":\"", delta.item_id, delta.response_id, "\"}");
        EXPECT_EQ(Json::parse(safe, nullptr, false)["a"], std::string(delta.base64)) << at;
      }
      damaged[at] = before;
    }
  }
}

// The same event again and again, its keys shuffled at every level.
Json Shuffled(const Json& json, std::mt19937& random) {
  if (json.is_array()) {
    Json array = Json::array();
    for (const Json& member : json) array.push_back(Shuffled(member, random));
    return array;
  }
  if (!json.is_object()) return json;
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  std::shuffle(keys.begin(), keys.end(), random);
  Json object = Json::object();
  for (const std::string& key : keys) object[key] = Shuffled(json[key], random);
  object["a_key_of_tomorrow"] = {{"type", "error"}, {"delta", "!"}, {"item_id", Json::array({1, 2})}};
  return object;
}

TEST(ServerEventRobustnessTest, OrderOfKeysAndUnknownKeysDoNotMatter) {
  std::mt19937 random(7);
  ServerEventParser parser;
  for (const Sample& sample : kSamples) {
    ServerEventParser other;
    const auto expected = other.Parse(sample.json);
    ASSERT_TRUE(expected.ok()) << sample.name;
    for (int round = 0; round < 50; ++round) {
      const std::string text = Shuffled(Json::parse(sample.json), random).dump(round % 2 == 0 ? -1 : 2);
      const auto event = parser.Parse(text);
      ASSERT_TRUE(event.ok()) << sample.name << ": " << event.status() << " in " << text;
      EXPECT_EQ(event->index(), expected->index()) << text;
    }
  }
}

TEST(ServerEventRobustnessTest, AudioDeltaReadsTheSameInEveryOrder) {
  std::vector<std::string> fields = {R"("type":"response.output_audio.delta")",
                                     R"("delta" : "AAECA/8=" )",
                                     R"("item_id":"item_B")",
                                     R"("response_id":"resp_1")",
                                     R"("content_index":2)",
                                     R"("x":{"type":"error","delta":[]})"};
  std::sort(fields.begin(), fields.end());
  ServerEventParser parser;
  do {
    const std::string text = absl::StrCat("{", fields[0], ",", fields[1], ",", fields[2], ", ", fields[3], ",\n",
                                          fields[4], ",", fields[5], "}\n");
    const auto event = parser.Parse(text);
    ASSERT_TRUE(event.ok()) << event.status() << text;
    const auto& delta = std::get<AudioDelta>(*event);
    ASSERT_EQ(delta.base64, "AAECA/8=") << text;
    ASSERT_EQ(delta.bytes, 5) << text;
    ASSERT_EQ(delta.item_id, "item_B") << text;
    ASSERT_EQ(delta.response_id, "resp_1") << text;
    ASSERT_EQ(delta.content_index, 2) << text;
  } while (std::next_permutation(fields.begin(), fields.end()));
}

TEST(ServerEventRobustnessTest, TheFirstOfRepeatedKeysCounts) {
  ServerEventParser parser;
  const auto audio = parser.Parse(
      R"({"type":"response.output_audio.delta","item_id":"a","item_id":"b","delta":"AAAA","delta":"!","type":"error"})");
  ASSERT_TRUE(audio.ok()) << audio.status();
  EXPECT_EQ(std::get<AudioDelta>(*audio).item_id, "a");
  EXPECT_EQ(std::get<AudioDelta>(*audio).bytes, 3);
  const auto deleted = parser.Parse(R"({"type":"conversation.item.deleted","item_id":"a","item_id":"b"})");
  ASSERT_TRUE(deleted.ok());
  EXPECT_EQ(std::get<ItemDeleted>(*deleted).item_id, "a");
}

TEST(ServerEventRobustnessTest, DeepNestingIsRefusedNotFollowed) {
  ServerEventParser parser;
  for (const char* head : {R"({"type":"error","x":)",
                           R"({"type":"response.output_audio.delta","item_id":"i","delta":"AAAA","x":)", R"({"x":)"}) {
    const std::string open(200000, '[');
    const std::string close(200000, ']');
    EXPECT_FALSE(parser.Parse(absl::StrCat(head, open)).ok());
    const auto closed = parser.Parse(absl::StrCat(head, open, close, "}"));
    EXPECT_TRUE(!closed.ok() || absl::StrContains(head, "audio"));
    EXPECT_TRUE(parser.Parse(kSamples[0].json).ok());
  }
}

}  // namespace
}  // namespace callbridge::openai
