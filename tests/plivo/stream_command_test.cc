#include "src/plivo/stream_command.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace callbridge::plivo {
namespace {

using Json = nlohmann::json;

TEST(StreamCommandTest, PlayAudioSurroundsTheAudio) {
  const std::string base64 = "/////w==";
  const auto parts = PlayAudioParts(base64);
  EXPECT_EQ(parts[1].data(), base64.data()) << "not copied";
  EXPECT_EQ(absl::StrCat(parts[0], parts[1], parts[2]),
            R"({"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"/////w=="}})");
}

TEST(StreamCommandTest, Checkpoint) {
  EXPECT_EQ(FormatCheckpoint("S1", "utt-7").value(), R"({"event":"checkpoint","streamId":"S1","name":"utt-7"})");
}

TEST(StreamCommandTest, ClearAudio) {
  EXPECT_EQ(FormatClearAudio("S1").value(), R"({"event":"clearAudio","streamId":"S1"})");
}

TEST(StreamCommandTest, TextsAreEscaped) {
  const std::string odd = "a\"b\\c\n\x01\xC3\xA9</script>";
  const Json checkpoint = Json::parse(FormatCheckpoint(odd, odd).value());
  EXPECT_EQ(checkpoint["streamId"], odd);
  EXPECT_EQ(checkpoint["name"], odd);
  EXPECT_EQ(checkpoint.size(), 3u);
  EXPECT_EQ(Json::parse(FormatClearAudio(odd).value())["streamId"], odd);
}

TEST(StreamCommandTest, TextsThatAreNotUtf8AreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(FormatCheckpoint("S1", "a\xFF").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(FormatCheckpoint("\xFF", "a").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(FormatClearAudio("\xC3").status()));
}

TEST(StreamCommandTest, CheckpointNamesAreBounded) {
  EXPECT_TRUE(absl::IsInvalidArgument(FormatCheckpoint("S1", "").status()));
  EXPECT_TRUE(FormatCheckpoint("S1", std::string(kMaxCheckpointNameBytes, 'n')).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(FormatCheckpoint("S1", std::string(kMaxCheckpointNameBytes + 1, 'n')).status()));
}

TEST(StreamCommandTest, SendDtmf) {
  EXPECT_EQ(FormatSendDtmf("1234#").value(), R"({"event":"sendDTMF","dtmf":"1234#"})");
  EXPECT_TRUE(FormatSendDtmf("0123456789*#ABCD").ok());
  EXPECT_TRUE(FormatSendDtmf(std::string(64, '1')).ok());
  for (const std::string& digits :
       {std::string(), std::string("12a"), std::string("E"), std::string("1 2"), std::string("1w2"),
        std::string("1\"}"), std::string(65, '1'), std::string("1\0", 2)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(FormatSendDtmf(digits).status())) << digits;
  }
}

}  // namespace
}  // namespace callbridge::plivo
