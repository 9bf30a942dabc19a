// Runs every tape that is given as an argument, and those in the folders: a call from the field becomes a test by
// adding its tape to tests/testdata/tapes.

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "src/tape/reader.h"
#include "src/tape/replay.h"

namespace callbridge::tape {
namespace {

constexpr char kFolder[] = "tests/testdata/tapes";

std::vector<std::string> Tapes() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".tape") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class TapesTest : public testing::TestWithParam<std::string> {};

TEST_P(TapesTest, GoesTheSameWay) {
  const auto tape = ReadTapeFile(GetParam());
  ASSERT_TRUE(tape.ok()) << GetParam() << ": " << tape.status();
  const Verdict verdict = Replay(*tape);
  EXPECT_TRUE(verdict.same) << GetParam() << ":\n" << verdict.difference;
  EXPECT_GT(verdict.results, 0);
}

INSTANTIATE_TEST_SUITE_P(Testdata, TapesTest, testing::ValuesIn(Tapes()), [](const auto& info) {
  std::string name = std::filesystem::path(info.param).stem();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace callbridge::tape
