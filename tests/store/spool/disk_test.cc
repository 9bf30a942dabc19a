#include "src/store/spool/disk.h"

#include <sys/stat.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/sqlite/temporary_folder.h"

namespace callbridge::store {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

int ModeOf(const std::string& path) {
  struct stat found = {};
  return stat(path.c_str(), &found) == 0 ? static_cast<int>(found.st_mode & 0777) : -1;
}

TEST(RealDisk, KeepsWhatIsAppendedForItsOwnerOnly) {
  const TemporaryFolder temporary;
  const std::string folder = temporary.File("above/spool");
  ASSERT_TRUE(RealDisk().MakeFolder(folder).ok());
  ASSERT_TRUE(RealDisk().MakeFolder(folder).ok()) << "it is there";
  EXPECT_EQ(ModeOf(folder), 0700);
  const std::string path = folder + "/file";
  {
    auto file = RealDisk().Open(path);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE((*file)->Append("one two").ok());
    EXPECT_TRUE((*file)->Truncate(4).ok());
    EXPECT_TRUE((*file)->Append("three").ok()) << "behind the cut";
    EXPECT_TRUE((*file)->Sync().ok());
    EXPECT_TRUE(RealDisk().SyncFolder(folder).ok());
  }
  EXPECT_EQ(ModeOf(path), 0600);
  EXPECT_EQ(*RealDisk().Read(path, 0), "one three");
  EXPECT_EQ(*RealDisk().Read(path, 4), "three");
  EXPECT_EQ(*RealDisk().Read(path, 100), "");
  EXPECT_THAT(*RealDisk().List(folder), UnorderedElementsAre("file"));
  EXPECT_TRUE(RealDisk().Remove(path).ok());
  EXPECT_EQ(RealDisk().Remove(path).code(), absl::StatusCode::kNotFound);
}

TEST(RealDisk, ReadsMoreThanOneBuffer) {
  const TemporaryFolder temporary;
  const std::string large(300'000, 'x');
  {
    auto file = RealDisk().Open(temporary.File("file"));
    ASSERT_TRUE((*file)->Append(large + "end").ok());
  }
  EXPECT_EQ(*RealDisk().Read(temporary.File("file"), 0), large + "end");
}

TEST(RealDisk, ALockHasOneHolder) {
  const TemporaryFolder temporary;
  auto first = RealDisk().Lock(temporary.File("lock"));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(RealDisk().Lock(temporary.File("lock")).status().code(), absl::StatusCode::kFailedPrecondition);
  first->reset();
  EXPECT_TRUE(RealDisk().Lock(temporary.File("lock")).ok());
}

TEST(RealDisk, ErrorsNameThePathAndTheCause) {
  const TemporaryFolder temporary;
  const std::string path = temporary.File("no/such/file");
  const std::pair<const char*, absl::Status> rows[] = {
      {"read", RealDisk().Read(path, 0).status()},
      {"open", RealDisk().Open(path).status()},
      {"list", RealDisk().List(path).status()},
      {"sync", RealDisk().SyncFolder(path)},
      {"lock", RealDisk().Lock(path).status()},
      {"remove", RealDisk().Remove(path)},
      {"folder", RealDisk().MakeFolder("/proc/no/spool")},
  };
  for (const auto& [name, status] : rows) {
    SCOPED_TRACE(name);
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr("/no"));
  }
}

}  // namespace
}  // namespace callbridge::store
