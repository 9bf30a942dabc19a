// docs/schema.md: its queries run, and its tables name every column.

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "src/store/sqlite/schema.h"
#include "tests/store/sqlite/temporary_folder.h"

namespace callbridge::store {
namespace {

class SchemaDocTest : public testing::Test {
 protected:
  SchemaDocTest() {
    std::ifstream file("docs/schema.md");
    doc_.assign(std::istreambuf_iterator<char>(file), {});
    auto database = Database::Open(folder_.File("calls.db"), absl::Seconds(1));
    database_ = std::make_unique<Database>(*std::move(database));
    EXPECT_TRUE(Migrate(*database_, SqliteMigrations()).ok());
  }

  TemporaryFolder folder_;
  std::string doc_;
  std::unique_ptr<Database> database_;
};

TEST_F(SchemaDocTest, EveryQueryRuns) {
  int queries = 0;
  for (size_t at = doc_.find("```sql\n"); at != std::string::npos; at = doc_.find("```sql\n", at + 1)) {
    const size_t begin = at + 7;
    const std::string sql = doc_.substr(begin, doc_.find("```", begin) - begin);
    EXPECT_TRUE(database_->PrepareOnce(sql).Run().ok()) << sql;
    ++queries;
  }
  EXPECT_GE(queries, 5);
}

TEST_F(SchemaDocTest, EveryColumnIsNamed) {
  Query tables =
      database_->PrepareOnce("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  int columns = 0;
  while (tables.Step()) {
    const std::string table = tables.GetText();
    const size_t begin = doc_.find(absl::StrCat("## ", table, ":"));
    ASSERT_NE(begin, std::string::npos) << table;
    const std::string section = doc_.substr(begin, doc_.find("\n## ", begin) - begin);
    Query names = database_->PrepareOnce("SELECT name FROM pragma_table_info(?)");
    names.Text(table);
    while (names.Step()) {
      const std::string column = names.GetText();
      EXPECT_TRUE(absl::StrContains(section, absl::StrCat("`", column, "`"))) << table << "." << column;
      ++columns;
    }
  }
  EXPECT_GT(columns, 60);
}

}  // namespace
}  // namespace callbridge::store
