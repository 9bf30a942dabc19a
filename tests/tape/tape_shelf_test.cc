#include "src/tape/tape_shelf.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/base/executor.h"
#include "src/base/log.h"
#include "src/tape/reader.h"
#include "tests/tape/tape_of.h"

namespace callbridge::tape {
namespace {

class TapeShelfTest : public testing::Test {
 protected:
  TapeShelfTest() {
    folder_ = testing::TempDir() + "/tapes_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directory(folder_);
    call_.call_id = "call-1";
  }

  std::unique_ptr<TapeWriter> NewTape(const std::string& folder) {
    auto tape = TapeShelf(folder, {}, executor_).NewTape(call_, sink_, begin_);
    tape->OnBegin(begin_);
    return tape;
  }

  std::string Path() const { return folder_ + "/20231114T221320.123Z-call-1.tape"; }

  std::string folder_;
  base::ManualExecutor executor_;
  call::CallOptions call_;
  NoSink sink_;
  const absl::Time begin_ = absl::FromUnixMillis(1700000000123);
};

TEST_F(TapeShelfTest, EachCallLeavesItsFile) {
  auto tape = NewTape(folder_);
  for (int i = 0; i < 5; ++i) tape->OnInput(call::input::Tick{}, begin_ + absl::Seconds(i));
  EXPECT_EQ(executor_.RunAll(), 4);  // What is written so far is on the disk.
  const std::string path = Path();
  struct stat found = {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  EXPECT_FALSE(ReadTapeFile(path)->complete);
  tape->Do(call::command::Finished{});
  tape.reset();
  executor_.RunAll();
  const auto read = ReadTapeFile(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->complete);
  EXPECT_EQ(read->entries.size(), 6u);
}

TEST_F(TapeShelfTest, AFolderThatIsNotThereIsSaidOnceAndDisturbsNothing) {
  testing::internal::CaptureStderr();
  auto tape = NewTape(folder_ + "/none");
  for (int i = 0; i < 5; ++i) {
    tape->OnInput(call::input::Tick{}, begin_ + absl::Seconds(i));
    executor_.RunAll();
  }
  tape.reset();
  executor_.RunAll();
  base::FlushLog();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(absl::StrContains(log, "the call's tape is given up"), true) << log;
  EXPECT_EQ(log.find("given up"), log.rfind("given up")) << log;
}

// A limit on the size of files is as good as a full disk.
TEST_F(TapeShelfTest, AFullDiskEndsTheTapeOnly) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 3000;
  setrlimit(RLIMIT_FSIZE, &small);
  auto tape = NewTape(folder_);
  for (int i = 1; i < 200; ++i) {
    tape->OnInput(call::input::CallerText{"u1", "some words that were said"}, begin_ + absl::Seconds(i));
    executor_.RunAll();
  }
  tape->Do(call::command::Finished{});
  tape.reset();
  executor_.RunAll();
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(std::filesystem::file_size(Path()), 3000u);
  const auto read = ReadTapeFile(Path());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_FALSE(read->complete);
  EXPECT_GT(read->entries.size(), 1u);
}

TEST_F(TapeShelfTest, ADiskThatDoesNotKeepUpTakesNoMemory) {
  auto tape = NewTape(folder_);
  const std::string text(60000, 'x');
  int tasks = 0;
  for (int i = 0; i < 200; ++i) {
    tape->OnInput(call::input::CallerText{"u1", text}, begin_ + absl::Seconds(i));
  }
  tasks = executor_.RunAll();
  EXPECT_LT(tasks, 25);  // 1 MB.
  EXPECT_GT(tasks, 10);
  const auto read = ReadTapeFile(Path());
  EXPECT_FALSE(read->complete);
}

TEST_F(TapeShelfTest, AnotherFileIsNeverWrittenOver) {
  const std::string path = Path();
  std::ofstream(path) << "mine";
  NewTape(folder_).reset();
  executor_.RunAll();
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), "mine");
}

TEST_F(TapeShelfTest, AFolderThatCannotBeUsedIsKnownAtOnce) {
  EXPECT_TRUE(TapeShelf(folder_, {}, executor_).Check().ok());
  const absl::Status none = TapeShelf(folder_ + "/none", {}, executor_).Check();
  EXPECT_TRUE(absl::StrContains(none.message(), "a folder that exists is needed")) << none;
  std::ofstream(folder_ + "/file") << "x";
  EXPECT_TRUE(absl::StrContains(TapeShelf(folder_ + "/file", {}, executor_).Check().message(), "is no folder"));
}

}  // namespace
}  // namespace callbridge::tape
