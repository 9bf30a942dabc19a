#include "src/demo/records.h"

#include <sqlite3.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace callbridge::demo {
namespace {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

constexpr int kBusyMilliseconds = 2000;

}  // namespace

absl::StatusOr<Table> ReadTable(const std::string& path, const std::string& name) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
  const std::unique_ptr<sqlite3, Close> database(opened);
  const auto failed = [&] { return absl::UnavailableError(absl::StrCat(path, ": ", sqlite3_errmsg(database.get()))); };
  if (code != SQLITE_OK) return failed();
  sqlite3_busy_timeout(database.get(), kBusyMilliseconds);
  const std::string sql = absl::StrCat("SELECT * FROM ", name, " ORDER BY created_at");
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database.get(), sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK) return failed();
  const std::unique_ptr<sqlite3_stmt, Close> statement(prepared);
  Table table;
  const int columns = sqlite3_column_count(prepared);
  for (int i = 0; i < columns; ++i) table.columns.emplace_back(sqlite3_column_name(prepared, i));
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(prepared)) == SQLITE_ROW) {
    std::vector<std::string> row;
    for (int i = 0; i < columns; ++i) {
      const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(prepared, i));
      row.emplace_back(text == nullptr ? "" : text);
    }
    table.rows.push_back(std::move(row));
  }
  if (step != SQLITE_DONE) return failed();
  return table;
}

}  // namespace callbridge::demo
