#include "src/store/sqlite/sqlite_store.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/store/sqlite/temporary_folder.h"

namespace callbridge::store {
namespace {

const absl::Time kStart = absl::FromUnixMicros(1'700'000'000'123'456);

CallRecord MakeCall(const std::string& id) {
  CallRecord call;
  call.call_id = id;
  call.from = "+15550001111";
  call.to = "+15559990000";
  call.agent = "desk";
  call.create_time = kStart;
  return call;
}

CallWrite Append(const std::string& id, int64_t sequence) {
  CallWrite write;
  write.call_id = id;
  write.events = {{id, sequence, kStart, call::DtmfReceived{"1"}}};
  return write;
}

class SqliteStoreTest : public testing::Test {
 protected:
  std::unique_ptr<CallStore> Open(const std::string& path) {
    auto store = SqliteStore::Open(path, options_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  std::string Path() const { return folder_.File("calls.db"); }
  std::string Read(const std::string& sql) {
    auto database = Database::Open(Path(), absl::Seconds(1));
    EXPECT_TRUE(database.ok());
    Query query = database->PrepareOnce(sql);
    std::string rows;
    while (query.Step()) absl::StrAppend(&rows, query.GetText(), ";");
    EXPECT_TRUE(query.status().ok()) << query.status();
    return rows;
  }
  // The error is one line that names the path.
  void ExpectRefused(const std::string& path, absl::StatusCode code, absl::string_view words) {
    SCOPED_TRACE(path);
    const auto store = SqliteStore::Open(path, options_);
    EXPECT_EQ(store.status().code(), code) << store.status();
    EXPECT_TRUE(absl::StrContains(store.status().message(), path)) << store.status();
    EXPECT_TRUE(absl::StrContains(store.status().message(), words)) << store.status();
    EXPECT_FALSE(absl::StrContains(store.status().message(), "\n"));
  }

  TemporaryFolder folder_;
  SqliteStore::Options options_{absl::Milliseconds(50)};
};

TEST_F(SqliteStoreTest, MakesItsFolder) { EXPECT_NE(Open(folder_.File("a/b/calls.db")), nullptr); }

TEST_F(SqliteStoreTest, RefusesWhatIsNotItsDatabase) {
  std::ofstream(folder_.File("text.db")) << std::string(5000, 'x');
  ExpectRefused(folder_.File("text.db"), absl::StatusCode::kFailedPrecondition, "not a database");
  std::ofstream(folder_.File("short.db")) << "hello";
  ExpectRefused(folder_.File("short.db"), absl::StatusCode::kFailedPrecondition, "not a database");
  ASSERT_TRUE(Database::Open(folder_.File("theirs.db"), absl::Seconds(1))->Execute("CREATE TABLE theirs (x)").ok());
  ExpectRefused(folder_.File("theirs.db"), absl::StatusCode::kFailedPrecondition, "another program");
}

TEST_F(SqliteStoreTest, RefusesADatabaseOfANewerCallbridge) {
  Open(Path()).reset();
  ASSERT_TRUE(Database::Open(Path(), absl::Seconds(1))
                  ->Execute("INSERT INTO schema_version VALUES (9999, '9999_future', 'sum', '')")
                  .ok());
  ExpectRefused(Path(), absl::StatusCode::kFailedPrecondition, "9999_future");
  ExpectRefused(Path(), absl::StatusCode::kFailedPrecondition, "start the newer callbridge");
}

// A purge of a database of years must not look at all that was purged before.
TEST_F(SqliteStoreTest, PurgesFindWhatIsLeftByAnIndex) {
  Open(Path()).reset();
  const auto plan = [this](const std::string& condition) {
    auto database = Database::Open(Path(), absl::Seconds(1));
    Query query = database->PrepareOnce(absl::StrCat(
        "EXPLAIN QUERY PLAN SELECT id FROM call_logs WHERE ended_at < ? AND state IN ('completed', 'failed') "
        "AND ",
        condition, " ORDER BY ended_at, id LIMIT ?"));
    std::string rows;
    while (query.Step()) {
      query.GetInt(), query.GetInt(), query.GetInt();
      absl::StrAppend(&rows, query.GetText(), ";");
    }
    return rows;
  };
  EXPECT_TRUE(absl::StrContains(plan("event_floor < event_head"), "call_logs_with_events"))
      << plan("event_floor < event_head");
  EXPECT_TRUE(absl::StrContains(plan("transcript_purged = 0"), "call_logs_with_transcript"));
  EXPECT_TRUE(absl::StrContains(plan("true"), "call_logs_ended"));
}

TEST_F(SqliteStoreTest, AFullDiskIsNamed) {
  auto database = Database::Open(Path(), absl::Seconds(1));
  ASSERT_TRUE(database->Execute("CREATE TABLE t (x); PRAGMA max_page_count = 2").ok());
  const absl::Status status = database->PrepareOnce("INSERT INTO t VALUES (?)").Text(std::string(100'000, 'x')).Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "the disk is full")) << status;
}

TEST_F(SqliteStoreTest, RefusesPathsThatCannotBeWritten) {
  std::ofstream(folder_.File("file")) << "";
  ExpectRefused(folder_.File("file/calls.db"), absl::StatusCode::kUnavailable, "folder");
  ExpectRefused("/proc/callbridge/calls.db", absl::StatusCode::kUnavailable, "folder");
  ExpectRefused("/proc/calls.db", absl::StatusCode::kUnavailable, "cannot be written");
  ExpectRefused(folder_.File(""), absl::StatusCode::kInvalidArgument, "folder");
  ExpectRefused("", absl::StatusCode::kInvalidArgument, "not the path of a file");
  ExpectRefused(":memory:", absl::StatusCode::kInvalidArgument, "not the path of a file");
}

TEST_F(SqliteStoreTest, ReadersOfTheFileMeetAWriteAheadLog) {
  auto store = Open(Path());
  EXPECT_EQ(Read("PRAGMA journal_mode"), "wal;");
}

TEST_F(SqliteStoreTest, TwoStoresOnOneFileAreRefused) {
  auto store = Open(Path());
  ExpectRefused(Path(), absl::StatusCode::kFailedPrecondition, "another callbridge uses it");
  store.reset();
  EXPECT_NE(Open(Path()), nullptr);
}

TEST_F(SqliteStoreTest, RowsReadWellInPlainSql) {
  auto store = Open(Path());
  ASSERT_TRUE(store->CreateCall(MakeCall("c1"), {}, RequestKey{"crm", "r", "f"}).ok());
  EXPECT_EQ(Read("SELECT status || ' ' || state || ' ' || created_at || ' ' || transferred FROM call_logs"),
            "called dialing 2023-11-14T22:13:20.123456Z 0;");
  CallWrite write = Append("c1", 1);
  write.transferred = true;
  write.transfer_reason = "price";
  write.transfer.emplace();
  write.transfer->transfer_id = "t";
  write.transfer->outcome = call::TransferOutcome::kBridged;
  write.end.emplace();
  write.end->end_time = kStart + absl::Seconds(61);
  write.end->duration_seconds = 61;
  write.end->termination.failed = false;
  ASSERT_TRUE(store->Apply(write, nullptr).ok());
  EXPECT_EQ(Read("SELECT transferred || transfer_reason || transfer_outcome || duration || ended_at || end_reason FROM "
                 "call_logs"),
            "1pricebridged612023-11-14T22:14:21.123456Zinternal_error;");
  EXPECT_EQ(Read("SELECT status FROM call_logs"), "called;");
  EXPECT_EQ(Read("SELECT call_status || transferred_to_human FROM leads"), "transferred1;");
  EXPECT_EQ(Read("SELECT json_extract(payload, '$.digit') FROM call_events WHERE type = 'dtmf_received'"), "1;");
}

TEST_F(SqliteStoreTest, AWriteDuringAForeignLockIsUnavailableAndReadsGoOn) {
  auto store = Open(Path());
  ASSERT_TRUE(store->CreateCall(MakeCall("c1"), {}, absl::nullopt).ok());
  auto other = Database::Open(Path(), absl::Seconds(1));
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE").ok());
  EXPECT_EQ(store->Apply(Append("c1", 1), nullptr).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->CreateCall(MakeCall("c2"), {}, absl::nullopt).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->CloseOpenCalls({}, kStart, false).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(store->GetCall("c1").ok());
  ASSERT_TRUE(other->Execute("ROLLBACK").ok());
  EXPECT_TRUE(store->Apply(Append("c1", 1), nullptr).ok());
}

TEST_F(SqliteStoreTest, ADamagedRowIsAnErrorWithoutItsValue) {
  auto store = Open(Path());
  ASSERT_TRUE(store->CreateCall(MakeCall("c1"), {{"c1", 1, kStart, call::DtmfReceived{"1"}}}, absl::nullopt).ok());
  auto other = Database::Open(Path(), absl::Seconds(1));
  ASSERT_TRUE(other->Execute("UPDATE call_logs SET state = 'secret'; UPDATE call_events SET type = 'secret'").ok());
  const absl::Status call = store->GetCall("c1").status();
  EXPECT_EQ(call.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(call.message(), "state")) << call;
  EXPECT_FALSE(absl::StrContains(call.message(), "secret")) << call;
  const absl::Status events = store->ReadEvents(0, 10).status();
  EXPECT_EQ(events.code(), absl::StatusCode::kInternal);
  EXPECT_FALSE(absl::StrContains(events.message(), "secret")) << events;
}

// Runs `body` in a child and returns its process id.
template <typename Body>
pid_t Fork(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  return child;
}

int WaitFor(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(SqliteStoreTest, AFullDiskIsUnavailableAndTakesNothingBack) {
  // A limit on the size of files stands for a full disk; in a child, as it cannot be raised again.
  const pid_t child = Fork([this] {
    auto store = SqliteStore::Open(Path(), options_);
    if (!store.ok() || !(*store)->CreateCall(MakeCall("c1"), {}, absl::nullopt).ok()) ::_exit(1);
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{400'000, 400'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    CallWrite write = Append("c1", 1);
    write.summary = std::string(1 << 20, 'x');
    if ((*store)->Apply(write, nullptr).code() != absl::StatusCode::kUnavailable) ::_exit(2);
    if (!(*store)->Apply(Append("c1", 1), nullptr).ok()) ::_exit(3);
  });
  EXPECT_EQ(WEXITSTATUS(WaitFor(child)), 0);
  auto store = Open(Path());
  EXPECT_EQ(store->GetCall("c1")->summary, "");
  EXPECT_EQ(store->GetCall("c1")->event_head, 1);
}

TEST_F(SqliteStoreTest, AnotherProcessIsKeptOutUntilItsOwnerDies) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t owner = Fork([this, &pipe_ends] {
    auto store = SqliteStore::Open(Path(), options_);
    const char ready = store.ok() ? 'y' : 'n';
    if (::write(pipe_ends[1], &ready, 1) != 1) ::_exit(1);
    ::pause();
  });
  char ready = 0;
  ASSERT_EQ(::read(pipe_ends[0], &ready, 1), 1);
  EXPECT_EQ(ready, 'y');
  ExpectRefused(Path(), absl::StatusCode::kFailedPrecondition, "another callbridge uses it");
  ::kill(owner, SIGKILL);
  WaitFor(owner);
  EXPECT_NE(Open(Path()), nullptr);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

// What was acknowledged before a kill -9 in the middle of appending is there afterwards, without a gap.
TEST_F(SqliteStoreTest, WhatWasAcknowledgedSurvivesKill) {
  constexpr int kKills = 5;
  int64_t head = 0;
  ASSERT_TRUE(Open(Path())->CreateCall(MakeCall("c1"), {}, absl::nullopt).ok());
  for (int kill = 0; kill < kKills; ++kill) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t writer = Fork([this, &pipe_ends, head] {
      auto store = SqliteStore::Open(Path(), options_);
      if (!store.ok()) ::_exit(1);
      for (int64_t sequence = head + 1; sequence < head + 100'000; ++sequence) {
        CallWrite write = Append("c1", sequence);
        call::TranscriptItem item;
        item.item_id = absl::StrCat("i", sequence);
        item.position = sequence;
        write.transcript_items = {item};
        if (!(*store)->Apply(write, nullptr).ok()) ::_exit(2);
        if (::write(pipe_ends[1], &sequence, sizeof(sequence)) != sizeof(sequence)) ::_exit(3);
      }
    });
    ::close(pipe_ends[1]);
    int64_t acknowledged = 0;
    for (int i = 0; i < 20 + kill; ++i) {
      ASSERT_EQ(::read(pipe_ends[0], &acknowledged, sizeof(acknowledged)), static_cast<ssize_t>(sizeof(acknowledged)));
    }
    ::kill(writer, SIGKILL);
    WaitFor(writer);
    for (int64_t more = 0; ::read(pipe_ends[0], &more, sizeof(more)) == sizeof(more);) acknowledged = more;
    ::close(pipe_ends[0]);

    auto store = Open(Path());
    ASSERT_NE(store, nullptr);
    head = store->GetCall("c1")->event_head;
    EXPECT_GE(head, acknowledged);
    EXPECT_LE(head, acknowledged + 1);
    const auto events = store->ReadCallEvents("c1", 0, 1'000'000);
    ASSERT_TRUE(events.ok());
    ASSERT_EQ(events->size(), head);
    EXPECT_EQ(events->back().event.sequence, head);
    EXPECT_EQ(store->GetTranscript("c1")->size(), head) << "all of a write or nothing";
  }
}

}  // namespace
}  // namespace callbridge::store
