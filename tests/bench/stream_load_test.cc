#include "src/bench/stream_load.h"

#include "gtest/gtest.h"

namespace callbridge::bench {
namespace {

TEST(FormatStreamsTest, EachFigureIsInItsRow) {
  StreamFigures figures;
  figures.load = {200, 20};
  figures.events_per_second = 81.5;
  figures.p50_us = 1234;
  figures.p99_us = 5678;
  figures.core_percent = 43.2;
  figures.kb_per_stream = 21.1;
  figures.kb_per_stalled = 65.4;
  const std::string table = FormatStreams({figures});
  for (const char* figure : {"200", "20", "81.5", "1234", "5678", "43.2", "21.1", "65.4"})
    EXPECT_NE(table.find(figure), std::string::npos) << figure << "\n" << table;
}

TEST(MeasureStreamsTest, AServerThatDoesNotListenIsAnError) {
  StreamOptions options;
  options.server = "/bin/false";
  options.folder = ::testing::TempDir();
  const auto figures = MeasureStreams(options, {});
  ASSERT_FALSE(figures.ok());
  EXPECT_NE(std::string(figures.status().message()).find("ended instead of listening"), std::string::npos)
      << figures.status();
}

}  // namespace
}  // namespace callbridge::bench
