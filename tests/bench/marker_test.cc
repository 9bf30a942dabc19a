#include "src/bench/marker.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "src/audio/base64_check.h"

namespace callbridge::bench {
namespace {

TEST(MarkerTest, ComesBackAsWritten) {
  std::string audio = SilentBase64(160);
  for (const uint64_t time : {uint64_t{0}, uint64_t{63}, uint64_t{64}, uint64_t{1'234'567'890'123'456}, UINT64_MAX}) {
    WriteMarker(time, audio);
    EXPECT_EQ(ReadMarker(audio), time);
  }
}

// A server that checks audio must let marked audio pass, in the same length.
TEST(MarkerTest, MarkedAudioIsStrictBase64) {
  for (const int bytes : {12, 13, 14, 160, 1600}) {
    std::string audio = SilentBase64(bytes);
    EXPECT_EQ(audio::DecodedSize(audio), bytes);
    WriteMarker(UINT64_MAX, audio);
    EXPECT_EQ(audio::DecodedSize(audio), bytes);
  }
}

TEST(MarkerTest, OtherAudioHasNone) {
  EXPECT_EQ(ReadMarker(""), absl::nullopt);
  EXPECT_EQ(ReadMarker(SilentBase64(160)), absl::nullopt);
  std::string audio = SilentBase64(160);
  WriteMarker(5, audio);
  EXPECT_EQ(ReadMarker(absl::string_view(audio).substr(0, kMarkerChars - 1)), absl::nullopt);
  // The second half of a piece that was cut.
  EXPECT_EQ(ReadMarker(absl::string_view(audio).substr(4)), absl::nullopt);
  audio[6] = '"';
  EXPECT_EQ(ReadMarker(audio), absl::nullopt);
}

}  // namespace
}  // namespace callbridge::bench
