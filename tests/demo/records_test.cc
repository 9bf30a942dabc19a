#include "src/demo/records.h"

#include <sqlite3.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace callbridge::demo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RecordsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database_), SQLITE_OK);
    Run("PRAGMA journal_mode=WAL");
    Run("DROP TABLE IF EXISTS leads");
    Run("CREATE TABLE leads (id TEXT, age INTEGER, created_at TEXT)");
  }
  void TearDown() override { sqlite3_close(database_); }

  void Run(const char* sql) { ASSERT_EQ(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sql; }

  const std::string path_ = testing::TempDir() + "/records_test.db";
  sqlite3* database_ = nullptr;
};

TEST_F(RecordsTest, ReadsBesideAWriterInOrderOfCreation) {
  Run("INSERT INTO leads VALUES ('b', 2, '2026-02'), ('a', NULL, '2026-01')");
  Run("BEGIN IMMEDIATE; INSERT INTO leads VALUES ('c', 3, '2026-03')");
  const auto table = ReadTable(path_, "leads");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->columns, ElementsAre("id", "age", "created_at"));
  EXPECT_THAT(table->rows, ElementsAre(ElementsAre("a", "", "2026-01"), ElementsAre("b", "2", "2026-02")));
}

TEST_F(RecordsTest, SaysWhatIsMissing) {
  EXPECT_THAT(ReadTable(path_, "call_logs").status().message(), HasSubstr("no such table: call_logs"));
  EXPECT_THAT(ReadTable(path_ + ".absent", "leads").status().message(), HasSubstr("unable to open"));
}

}  // namespace
}  // namespace callbridge::demo
