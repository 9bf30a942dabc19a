#include "src/store/sqlite/schema.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/store/sqlite/sqlite_store.h"
#include "tests/store/sqlite/temporary_folder.h"

namespace callbridge::store {
namespace {

class SchemaTest : public testing::Test {
 protected:
  Database Open(const std::string& name = "calls.db") {
    auto database = Database::Open(folder_.File(name), absl::Seconds(1));
    EXPECT_TRUE(database.ok()) << database.status();
    return *std::move(database);
  }
  static std::string Read(Database& database, const std::string& sql) {
    Query query = database.PrepareOnce(sql);
    std::string rows;
    while (query.Step()) absl::StrAppend(&rows, query.GetText(), ";");
    EXPECT_TRUE(query.status().ok()) << query.status();
    return rows;
  }
  static std::string Schema(Database& database) {
    return Read(database, "SELECT type || name || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name");
  }

  TemporaryFolder folder_;
};

TEST_F(SchemaTest, AFreshFileGetsEveryMigration) {
  Database database = Open();
  ASSERT_TRUE(Migrate(database, SqliteMigrations()).ok());
  EXPECT_EQ(Read(database, "PRAGMA application_id"), absl::StrCat(kApplicationId, ";"));
  EXPECT_EQ(Read(database, "SELECT count(*) FROM schema_version"), absl::StrCat(SqliteMigrations().size(), ";"));
}

TEST_F(SchemaTest, MigrationsAreNumberedAndHaveTheirChecksum) {
  int expected = 0;
  for (const Migration& migration : SqliteMigrations()) {
    EXPECT_EQ(migration.version, ++expected);
    EXPECT_EQ(migration.checksum.size(), 64);
    EXPECT_TRUE(absl::StrContains(migration.sql, " TABLE ")) << migration.name;
  }
  EXPECT_GE(expected, 3);
}

TEST_F(SchemaTest, ARepeatChangesNothing) {
  Database database = Open();
  ASSERT_TRUE(Migrate(database, SqliteMigrations()).ok());
  const std::string applied = Read(database, "SELECT applied_at FROM schema_version");
  ASSERT_TRUE(Migrate(database, SqliteMigrations()).ok());
  EXPECT_EQ(Read(database, "SELECT applied_at FROM schema_version"), applied);
}

TEST_F(SchemaTest, EveryEarlierVersionIsUpgradedToTheSameSchema) {
  Database fresh = Open("fresh.db");
  ASSERT_TRUE(Migrate(fresh, SqliteMigrations()).ok());
  for (size_t version = 1; version < SqliteMigrations().size(); ++version) {
    SCOPED_TRACE(version);
    Database database = Open(absl::StrCat("from", version, ".db"));
    ASSERT_TRUE(Migrate(database, SqliteMigrations().first(version)).ok());
    ASSERT_TRUE(
        database.Execute("INSERT INTO leads (id, phone, created_at, updated_at) VALUES ('l', '+1', '', '')").ok());
    ASSERT_TRUE(Migrate(database, SqliteMigrations()).ok());
    EXPECT_EQ(Schema(database), Schema(fresh));
    EXPECT_EQ(Read(database, "SELECT id FROM leads"), "l;");
  }
}

TEST_F(SchemaTest, ANewerSchemaIsRefused) {
  Database database = Open();
  std::vector<Migration> newer(SqliteMigrations().begin(), SqliteMigrations().end());
  newer.push_back({static_cast<int>(newer.size()) + 1, "9999_future", "sum", "CREATE TABLE future (x)"});
  ASSERT_TRUE(Migrate(database, newer).ok());
  const absl::Status status = Migrate(database, SqliteMigrations());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "9999_future")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "newer")) << status;
}

TEST_F(SchemaTest, AChangedMigrationIsRefused) {
  Database database = Open();
  ASSERT_TRUE(Migrate(database, SqliteMigrations()).ok());
  ASSERT_TRUE(database.Execute("UPDATE schema_version SET checksum = 'other' WHERE version = 2").ok());
  const absl::Status status = Migrate(database, SqliteMigrations());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), SqliteMigrations()[1].name)) << status;
}

TEST_F(SchemaTest, AMigrationThatFailsLeavesNothingBehind) {
  Database database = Open();
  const Migration good{1, "0001_good", "a", "CREATE TABLE good (x)"};
  const Migration bad{2, "0002_bad", "b", "CREATE TABLE half (x); CREATE TABLE good (x)"};
  EXPECT_FALSE(Migrate(database, {good, bad}).ok());
  EXPECT_EQ(Read(database, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"),
            "good;schema_version;");
  EXPECT_EQ(Read(database, "SELECT name FROM schema_version"), "0001_good;");
}

TEST_F(SchemaTest, ADatabaseOfAnotherProgramIsLeftAlone) {
  Database tables = Open("tables.db");
  ASSERT_TRUE(tables.Execute("CREATE TABLE theirs (x)").ok());
  Database id = Open("id.db");
  ASSERT_TRUE(id.Execute("PRAGMA application_id = 7").ok());
  for (Database* database : {&tables, &id}) {
    const std::string before = Schema(*database);
    EXPECT_EQ(Migrate(*database, SqliteMigrations()).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(Schema(*database), before);
    EXPECT_EQ(Read(*database, "PRAGMA journal_mode"), "delete;");
  }
}

TEST_F(SchemaTest, TheExclusiveLockKeepsOthersOut) {
  Database database = Open();
  ASSERT_TRUE(Migrate(database, SqliteMigrations().first(1)).ok());
  Database other = Open();
  ASSERT_TRUE(other.Execute("BEGIN IMMEDIATE").ok());
  EXPECT_EQ(Migrate(database, SqliteMigrations()).code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(other.Execute("ROLLBACK").ok());
  EXPECT_TRUE(Migrate(database, SqliteMigrations()).ok());
}

}  // namespace
}  // namespace callbridge::store
