#include "src/store/postgres/schema.h"

#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/store/postgres/postgres_server.h"

namespace callbridge::store {
namespace {

class PostgresSchemaTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!PostgresServer::WhyMissing().empty()) GTEST_SKIP() << PostgresServer::WhyMissing();
    uri_ = server().NewDatabase();
  }
  static PostgresServer& server() { return PostgresServer::Shared(); }
  static std::unique_ptr<Connection> Connect(const std::string& uri) {
    auto connection = Connection::Open(*Target::Parse(uri), Limits());
    EXPECT_TRUE(connection.ok()) << connection.status();
    return *std::move(connection);
  }
  static absl::Status MigrateTo(const std::string& uri, absl::Span<const Migration> migrations) {
    return Migrate(*Connect(uri), migrations);
  }
  std::string Query(const std::string& sql) { return server().Query(uri_, sql); }
  static std::string Columns(const std::string& uri) {
    return server().Query(uri,
                          "SELECT table_name, column_name, data_type, is_nullable, column_default FROM "
                          "information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2");
  }
  void ExpectRefused(const absl::Status& status, absl::string_view words) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), words)) << status;
  }

  std::string uri_;
};

TEST_F(PostgresSchemaTest, AnEmptyDatabaseGetsEveryMigration) {
  ASSERT_TRUE(MigrateTo(uri_, PostgresMigrations()).ok());
  EXPECT_EQ(Query("SELECT count(*) FROM schema_version"), absl::StrCat(PostgresMigrations().size(), ";"));
}

TEST_F(PostgresSchemaTest, MigrationsAreNumberedAndHaveTheirChecksum) {
  int expected = 0;
  for (const Migration& migration : PostgresMigrations()) {
    EXPECT_EQ(migration.version, ++expected);
    EXPECT_EQ(migration.checksum.size(), 64);
  }
  EXPECT_GE(expected, 2);
}

TEST_F(PostgresSchemaTest, ARepeatChangesNothing) {
  ASSERT_TRUE(MigrateTo(uri_, PostgresMigrations()).ok());
  const std::string applied = Query("SELECT applied_at FROM schema_version");
  ASSERT_TRUE(MigrateTo(uri_, PostgresMigrations()).ok());
  EXPECT_EQ(Query("SELECT applied_at FROM schema_version"), applied);
}

TEST_F(PostgresSchemaTest, EveryEarlierVersionIsUpgradedToTheSameSchema) {
  ASSERT_TRUE(MigrateTo(uri_, PostgresMigrations()).ok());
  for (size_t version = 1; version < PostgresMigrations().size(); ++version) {
    SCOPED_TRACE(version);
    const std::string older = server().NewDatabase();
    ASSERT_TRUE(MigrateTo(older, PostgresMigrations().first(version)).ok());
    server().Query(older, "INSERT INTO leads (id, phone, created_at, updated_at) VALUES ('l', '+1', now(), now())");
    ASSERT_TRUE(MigrateTo(older, PostgresMigrations()).ok());
    EXPECT_EQ(Columns(older), Columns(uri_));
    EXPECT_EQ(server().Query(older, "SELECT id FROM leads"), "l;");
  }
}

TEST_F(PostgresSchemaTest, ANewerSchemaIsRefused) {
  std::vector<Migration> newer(PostgresMigrations().begin(), PostgresMigrations().end());
  newer.push_back({static_cast<int>(newer.size()) + 1, "9999_future", "sum", "CREATE TABLE future (x int)"});
  ASSERT_TRUE(MigrateTo(uri_, newer).ok());
  ExpectRefused(MigrateTo(uri_, PostgresMigrations()), "9999_future");
  ExpectRefused(MigrateTo(uri_, PostgresMigrations()), "newer");
}

TEST_F(PostgresSchemaTest, AChangedMigrationIsRefused) {
  ASSERT_TRUE(MigrateTo(uri_, PostgresMigrations()).ok());
  Query("UPDATE schema_version SET checksum = 'other' WHERE version = 2");
  ExpectRefused(MigrateTo(uri_, PostgresMigrations()), PostgresMigrations()[1].name);
}

TEST_F(PostgresSchemaTest, AHalfMadeSchemaIsRefused) {
  ASSERT_TRUE(MigrateTo(uri_, PostgresMigrations()).ok());
  Query("DELETE FROM schema_version WHERE version = 1");
  ExpectRefused(MigrateTo(uri_, PostgresMigrations()), "0001_calls is missing");
  Query("DELETE FROM schema_version");
  ExpectRefused(MigrateTo(uri_, PostgresMigrations()), "half made");
  Query("DROP TABLE schema_version");
  ExpectRefused(MigrateTo(uri_, PostgresMigrations()), "without schema_version");
}

TEST_F(PostgresSchemaTest, TablesOfOthersMayBeThere) {
  Query("CREATE TABLE theirs (x int); INSERT INTO theirs VALUES (7)");
  ASSERT_TRUE(MigrateTo(uri_, PostgresMigrations()).ok());
  EXPECT_EQ(Query("SELECT x FROM theirs"), "7;");
}

TEST_F(PostgresSchemaTest, TheirTablesOfOurNamesAreLeftAlone) {
  Query("CREATE TABLE leads (x int)");
  ExpectRefused(MigrateTo(uri_, PostgresMigrations()), "not callbridge's");
  EXPECT_EQ(Query("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"), "1;");
}

TEST_F(PostgresSchemaTest, AMigrationThatFailsLeavesNothingBehind) {
  const Migration good{1, "0001_good", "a", "CREATE TABLE good (x int)"};
  const Migration bad{2, "0002_bad", "b", "CREATE TABLE half (x int); CREATE TABLE good (x int)"};
  EXPECT_FALSE(MigrateTo(uri_, {good, bad}).ok());
  EXPECT_EQ(Query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"),
            "good;schema_version;");
  EXPECT_EQ(Query("SELECT name FROM schema_version"), "0001_good;");
}

TEST_F(PostgresSchemaTest, StartersAtOnceMakeOneSchema) {
  constexpr int kStarters = 6;
  std::vector<std::thread> starters;
  std::vector<absl::Status> statuses(kStarters);
  for (int i = 0; i < kStarters; ++i) {
    starters.emplace_back([&, i] {
      auto connection = Connection::Open(*Target::Parse(uri_), Limits());
      statuses[i] = connection.ok() ? Migrate(**connection, PostgresMigrations()) : connection.status();
      // Who waits for the others for too long goes without.
      if (statuses[i].ok()) statuses[i] = AddPartitions(**connection);
      if (absl::IsUnavailable(statuses[i])) statuses[i] = absl::OkStatus();
    });
  }
  for (std::thread& starter : starters) starter.join();
  for (const absl::Status& status : statuses) EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Query("SELECT count(*) FROM schema_version"), absl::StrCat(PostgresMigrations().size(), ";"));
}

TEST_F(PostgresSchemaTest, PartitionsAreMadeAheadAndTakeWhatWasBeforeThem) {
  ASSERT_TRUE(MigrateTo(uri_, PostgresMigrations()).ok());
  Query(
      "INSERT INTO call_events (position, call_id, sequence, type, occurred_at, payload) VALUES "
      "(1, 'c', 1, 't', now(), '{}'), (2, 'c', 2, 't', '2001-01-01Z', '{}')");
  EXPECT_EQ(Query("SELECT count(*) FROM call_events_default"), "2;");
  ASSERT_TRUE(AddPartitions(*Connect(uri_)).ok());
  ASSERT_TRUE(AddPartitions(*Connect(uri_)).ok()) << "again";
  EXPECT_EQ(Query("SELECT sequence FROM call_events_default"), "2;") << "no partition is made for so long ago";
  EXPECT_EQ(Query("SELECT sequence FROM call_events ORDER BY 1"), "1;2;");
  EXPECT_EQ(Query("SELECT count(*) FROM pg_inherits WHERE inhparent = 'call_events'::regclass"), "10;");
  EXPECT_EQ(Query("SELECT count(*) FROM call_events WHERE tableoid = to_regclass('call_events_' || "
                  "to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'))"),
            "1;");
}

TEST_F(PostgresSchemaTest, EveryQueryOfTheDocumentRuns) {
  std::ifstream file("docs/schema.md");
  const std::string doc(std::istreambuf_iterator<char>(file), {});
  ASSERT_TRUE(MigrateTo(uri_, PostgresMigrations()).ok());
  const std::string fence = "```postgresql\n";
  int queries = 0;
  for (size_t at = doc.find(fence); at != std::string::npos; at = doc.find(fence, at + 1)) {
    const size_t begin = at + fence.size();
    Query(doc.substr(begin, doc.find("```", begin) - begin));
    ++queries;
  }
  EXPECT_GE(queries, 3);
}

// The names are SQLite's, so that reports and docs/schema.md are the same for both.
TEST_F(PostgresSchemaTest, TheDocumentNamesEveryColumn) {
  std::ifstream file("docs/schema.md");
  const std::string doc(std::istreambuf_iterator<char>(file), {});
  ASSERT_TRUE(MigrateTo(uri_, PostgresMigrations()).ok());
  const std::string columns = Query(
      "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
      "AND table_name NOT LIKE 'call_events_%' ORDER BY 1, 2");
  int count = 0;
  for (const absl::string_view row : absl::StrSplit(columns, ';', absl::SkipEmpty())) {
    const std::vector<std::string> names = absl::StrSplit(row, ',');
    const size_t begin = doc.find(absl::StrCat("## ", names[0], ":"));
    ASSERT_NE(begin, std::string::npos) << names[0];
    const std::string section = doc.substr(begin, doc.find("\n## ", begin) - begin);
    EXPECT_TRUE(absl::StrContains(section, absl::StrCat("`", names[1], "`"))) << row;
    ++count;
  }
  EXPECT_GT(count, 60);
}

}  // namespace
}  // namespace callbridge::store
