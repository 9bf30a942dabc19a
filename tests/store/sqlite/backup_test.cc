#include "src/store/sqlite/backup.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/store/migrations/migration.h"
#include "src/store/sqlite/database.h"
#include "src/store/sqlite/schema.h"
#include "src/store/sqlite/sqlite_store.h"
#include "tests/store/sqlite/temporary_folder.h"

namespace callbridge::store {
namespace {

const absl::Time kStart = absl::FromUnixMicros(1'700'000'000'123'456);

class BackupTest : public testing::Test {
 protected:
  std::unique_ptr<CallStore> Open(const std::string& path, bool read_only = false) {
    SqliteStore::Options options;
    options.read_only = read_only;
    auto store = SqliteStore::Open(path, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  static absl::Status Add(CallStore& store, const std::string& id) {
    CallRecord call;
    call.call_id = id;
    call.from = "+15550001111";
    call.create_time = kStart;
    return store.CreateCall(call, {{id, 1, kStart, call::DtmfReceived{"1"}}}, absl::nullopt).status();
  }
  void ExpectRefused(const std::string& from, const std::string& to, absl::StatusCode code, const std::string& path,
                     const std::string& words) {
    const absl::Status status = BackUp(from, to);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), path)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), words)) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "\n"));
  }
  int Copies() const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.File(""))) {
      count += absl::StartsWith(entry.path().filename().string(), "copy") ? 1 : 0;
    }
    return count;
  }
  std::string Path() const { return folder_.File("calls.db"); }
  std::string Copy() const { return folder_.File("copy.db"); }

  TemporaryFolder folder_;
};

TEST_F(BackupTest, ACopyIsWholeWhileAStoreWrites) {
  auto store = Open(Path());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Add(*store, absl::StrCat("before", i)).ok());
  std::atomic<bool> stop{false};
  std::atomic<int> added{0};
  std::thread writer([&] {
    while (!stop) {
      if (!Add(*store, absl::StrCat("during", added.load())).ok()) return;
      ++added;
    }
  });
  while (added < 5) std::this_thread::yield();
  const int least = added;
  const absl::Status status = BackUp(Path(), Copy());
  EXPECT_TRUE(status.ok()) << status;
  while (added < least + 5) std::this_thread::yield();  // The store goes on.
  stop = true;
  writer.join();
  EXPECT_TRUE(store->GetCall(absl::StrCat("during", added - 1)).ok());

  auto copy = Open(Copy());
  ASSERT_NE(copy, nullptr);
  EXPECT_TRUE(copy->GetCall("before49").ok());
  EXPECT_TRUE(copy->GetCall(absl::StrCat("during", least - 1)).ok()) << "all that was acknowledged before";
  const auto events = copy->ReadEvents(0, 1'000'000);
  ASSERT_TRUE(events.ok());
  const auto calls = copy->ListCalls({}, absl::nullopt, 1'000'000);
  EXPECT_EQ(events->size(), calls->size()) << "each call with its event: a moment between two writes";
  EXPECT_TRUE(Add(*copy, "after").ok()) << "a copy is a database like any other";
}

TEST_F(BackupTest, ACopyIsItsOwnersOnly) {
  ASSERT_TRUE(Add(*Open(Path()), "c1").ok());
  std::ofstream(Copy() + ".partial") << "of a backup that was killed";
  ASSERT_TRUE(BackUp(Path(), Copy()).ok());
  EXPECT_EQ(std::filesystem::status(Copy()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(Copies(), 1);
}

TEST_F(BackupTest, NothingIsOverwritten) {
  ASSERT_TRUE(Add(*Open(Path()), "c1").ok());
  std::ofstream(Copy()) << "precious";
  ExpectRefused(Path(), Copy(), absl::StatusCode::kAlreadyExists, Copy(), "is there already");
  std::string kept;
  std::ifstream(Copy()) >> kept;
  EXPECT_EQ(kept, "precious");
}

TEST_F(BackupTest, WhatIsNotOursIsNotCopied) {
  ExpectRefused(Path(), Copy(), absl::StatusCode::kNotFound, Path(), "no such database");
  EXPECT_FALSE(std::filesystem::exists(Path())) << "and none is made";
  std::ofstream(folder_.File("text")) << std::string(5000, 'x');
  ExpectRefused(folder_.File("text"), Copy(), absl::StatusCode::kFailedPrecondition, "text", "not a database");
  std::ofstream(folder_.File("empty")) << "";
  ExpectRefused(folder_.File("empty"), Copy(), absl::StatusCode::kFailedPrecondition, "empty", "no database of");
  ASSERT_TRUE(Database::Open(folder_.File("theirs"), absl::Seconds(1))->Execute("CREATE TABLE theirs (x)").ok());
  ExpectRefused(folder_.File("theirs"), Copy(), absl::StatusCode::kFailedPrecondition, "theirs", "another program");
  EXPECT_FALSE(std::filesystem::exists(Copy()));
}

TEST_F(BackupTest, APlaceThatCannotBeWritten) {
  ASSERT_TRUE(Add(*Open(Path()), "c1").ok());
  ExpectRefused(Path(), "/proc/nobody/copy.db", absl::StatusCode::kUnavailable, "/proc/nobody/copy.db",
                "cannot be opened");
}

TEST_F(BackupTest, AFullDiskLeavesNothingBehind) {
  {
    auto store = Open(Path());
    CallWrite write;
    ASSERT_TRUE(Add(*store, "c1").ok());
    write.call_id = "c1";
    write.summary = std::string(1 << 20, 'x');
    ASSERT_TRUE(store->Apply(write, nullptr).ok());
  }
  const pid_t child = ::fork();
  if (child == 0) {
    // A limit on the size of files stands for a full disk; in a child, as it cannot be raised again.
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200'000, 200'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const absl::Status status = BackUp(Path(), Copy());
    ::_exit(status.code() == absl::StatusCode::kUnavailable && absl::StrContains(status.message(), "copy.db") ? 0 : 1);
  }
  int result = 0;
  ::waitpid(child, &result, 0);
  EXPECT_EQ(WEXITSTATUS(result), 0);
  EXPECT_EQ(Copies(), 0);
}

// --- Opened to be read

TEST_F(BackupTest, AReadOnlyStoreReadsBesideTheOneThatWrites) {
  EXPECT_EQ(SqliteStore::Open(Path(), {absl::Seconds(1), true}).status().code(), absl::StatusCode::kUnavailable)
      << "it makes no file";
  auto store = Open(Path());
  ASSERT_TRUE(Add(*store, "c1").ok());
  auto reader = Open(Path(), /*read_only=*/true);
  ASSERT_NE(reader, nullptr);
  EXPECT_TRUE(reader->GetCall("c1").ok());
  ASSERT_TRUE(Add(*store, "c2").ok());
  EXPECT_TRUE(reader->GetCall("c2").ok());
  EXPECT_EQ(Add(*reader, "c3").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(reader->EraseNumber("+15552223333", "Grace", kStart).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(store->FindLead("+15550001111").ok());
}

TEST_F(BackupTest, AReadOnlyStoreDoesNotMigrate) {
  {
    auto database = Database::Open(Path(), absl::Seconds(1));
    ASSERT_TRUE(Migrate(*database, SqliteMigrations().first(4)).ok());
  }
  const auto reader = SqliteStore::Open(Path(), {absl::Seconds(1), true});
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(reader.status().message(), "callbridge migrate")) << reader.status();
}

// --- What is restored

TEST_F(BackupTest, WhoServesFromACopyServesFromARestoredDatabase) {
  {
    auto store = Open(Path());
    ASSERT_TRUE(Add(*store, "c1").ok());
    ASSERT_TRUE(BackUp(Path(), Copy()).ok());
    ASSERT_TRUE(Add(*store, "c2").ok());  // Position 2, which a subscriber has seen.
    EXPECT_TRUE(store->ListLostPositions()->empty()) << "the original is no copy";
  }
  EXPECT_EQ(Open(Copy(), /*read_only=*/true)->HeadPosition().value(), 1);
  {
    auto restored = Open(Copy());
    const std::vector<LostPositions> lost = *restored->ListLostPositions();
    ASSERT_EQ(lost.size(), 1);
    EXPECT_EQ(lost[0].after, 1);
    EXPECT_GT(lost[0].before, 2);
    ASSERT_TRUE(Add(*restored, "c3").ok());
    EXPECT_GE(*restored->HeadPosition(), lost[0].before);
  }
  EXPECT_EQ(Open(Copy())->ListLostPositions()->size(), 1) << "once";
}

TEST_F(BackupTest, ACopyOfACopyIsACopy) {
  ASSERT_TRUE(Add(*Open(Path()), "c1").ok());
  ASSERT_TRUE(BackUp(Path(), Copy()).ok());
  ASSERT_TRUE(BackUp(Copy(), folder_.File("copy2.db")).ok());
  EXPECT_EQ(Open(folder_.File("copy2.db"))->ListLostPositions()->size(), 1);
}

// --- What is erased

TEST_F(BackupTest, WhatWasErasedIsNotInTheFileAnyMore) {
  const std::string secret = "the-words-of-a-person-who-wants-to-be-forgotten";
  {
    auto store = Open(Path());
    ASSERT_TRUE(Add(*store, "c1").ok());
    CallWrite write;
    write.call_id = "c1";
    call::TranscriptItem item;
    item.item_id = "i";
    item.text_heard = secret;
    write.transcript_items = {item};
    write.events = {{"c1", 2, kStart, call::TranscriptItemFinal{item}}};
    write.end.emplace();
    write.end->end_time = kStart;
    write.end->transcript = secret + std::string(20'000, 'x');  // On pages of its own.
    ASSERT_TRUE(store->Apply(write, nullptr).ok());
    ASSERT_TRUE(store->EraseNumber("+15550001111", "Grace", kStart).ok());
    for (const char* suffix : {"", "-wal"}) {
      std::ifstream file(Path() + suffix, std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(file)), {});
      EXPECT_FALSE(absl::StrContains(bytes, secret)) << suffix;
      EXPECT_FALSE(absl::StrContains(bytes, "+15550001111")) << suffix;
    }
  }
}

}  // namespace
}  // namespace callbridge::store
