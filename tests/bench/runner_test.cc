#include "src/bench/runner.h"

#include "gtest/gtest.h"

namespace callbridge::bench {
namespace {

TEST(MeasureTest, ProgramThatDoesNotListenIsARunThatDidNotComeAbout) {
  RunnerOptions options;
  options.server = "/bin/false";
  options.folder = ::testing::TempDir();
  Case load;
  load.calls = 1;
  const Trial run = Measure(options, Program::kCallbridge, load);
  EXPECT_NE(run.trouble.find("ended instead of listening"), std::string::npos) << run.trouble;
}

}  // namespace
}  // namespace callbridge::bench
