#include "src/store/sqlite/schema.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace callbridge::store {
namespace {

constexpr absl::string_view kVersionTable = R"sql(
CREATE TABLE schema_version (
  version    INTEGER NOT NULL PRIMARY KEY,
  name       TEXT    NOT NULL,
  checksum   TEXT    NOT NULL,
  applied_at TEXT    NOT NULL
) STRICT)sql";

absl::StatusOr<int64_t> ReadInt(Database& database, absl::string_view sql) {
  Query query = database.PrepareOnce(sql);
  const int64_t value = query.Step() ? query.GetInt() : 0;
  if (!query.status().ok()) return query.status();
  return value;
}

// True: the file is ours. False: it is empty.
absl::StatusOr<bool> IsOurs(Database& database) {
  const absl::StatusOr<int64_t> id = ReadInt(database, "PRAGMA application_id");
  if (!id.ok()) {
    const bool garbage = absl::StrContains(id.status().message(), sqlite3_errstr(SQLITE_NOTADB));
    return garbage ? absl::FailedPreconditionError("the file is not a database") : id.status();
  }
  const absl::StatusOr<int64_t> tables = ReadInt(database, "SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  if (*id == kApplicationId) return *tables > 0;
  if (*id == 0 && *tables == 0) return false;
  return absl::FailedPreconditionError("the file is a database of another program");
}

// How many of `migrations` are there already.
absl::StatusOr<size_t> CheckApplied(Database& database, absl::Span<const Migration> migrations) {
  const absl::StatusOr<bool> ours = IsOurs(database);
  if (!ours.ok()) return ours.status();
  if (!*ours) return 0;
  Query query = database.PrepareOnce("SELECT version, name, checksum FROM schema_version ORDER BY version");
  size_t applied = 0;
  while (query.Step()) {
    const int64_t version = query.GetInt();
    const std::string name = query.GetText();
    if (applied >= migrations.size()) {
      return absl::FailedPreconditionError(absl::StrCat("the schema has version ", version, " (", name,
                                                        "), this callbridge knows ", migrations.size(),
                                                        ": start the newer callbridge"));
    }
    const Migration& expected = migrations[applied++];
    if (version == expected.version && query.GetText() == expected.checksum) continue;
    return absl::FailedPreconditionError(absl::StrCat("the schema was made by a changed migration ", expected.name,
                                                      ": start the callbridge that made it"));
  }
  if (!query.status().ok()) return query.status();
  return applied;
}

// Adds the next migration. False: there is none left.
absl::StatusOr<bool> MigrateOnce(Database& database, absl::Span<const Migration> migrations) {
  Transaction transaction(database, "BEGIN EXCLUSIVE");
  if (!transaction.status().ok()) return transaction.status();
  // Looked at again under the lock: another process may have been faster.
  const absl::StatusOr<size_t> applied = CheckApplied(database, migrations);
  if (!applied.ok()) return applied.status();
  if (*applied == migrations.size()) return false;
  const Migration& next = migrations[*applied];
  if (*applied == 0) {
    const absl::Status made =
        database.Execute(absl::StrCat("PRAGMA application_id = ", kApplicationId, ";", kVersionTable));
    if (!made.ok()) return made;
  }
  absl::Status status = database.Execute(next.sql);
  if (!status.ok()) return status;
  status = database.PrepareOnce("INSERT INTO schema_version (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)")
               .Int(next.version)
               .Text(next.name)
               .Text(next.checksum)
               .Time(absl::Now())
               .Run();
  if (!status.ok()) return status;
  status = transaction.Commit();
  if (!status.ok()) return status;
  return true;
}

}  // namespace

absl::Status CheckOurs(const std::string& path) {
  absl::StatusOr<Database> database = Database::OpenToRead(path);
  if (!database.ok()) return database.status();
  const absl::StatusOr<bool> ours = IsOurs(*database);
  if (!ours.ok()) return ours.status();
  return *ours ? absl::OkStatus() : absl::FailedPreconditionError("the file is empty, and no database of callbridge");
}

absl::Status CheckCurrent(Database& database, absl::Span<const Migration> migrations) {
  const absl::StatusOr<size_t> applied = CheckApplied(database, migrations);
  if (!applied.ok()) return applied.status();
  if (*applied == migrations.size()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the schema has version ", *applied, ", this callbridge needs ",
                                                    migrations.size(), ": run `callbridge migrate` first"));
}

absl::Status Migrate(Database& database, absl::Span<const Migration> migrations) {
  // First without a lock, so that a file of somebody else's, or one on a read-only disk, is refused in the right words.
  const absl::StatusOr<size_t> applied = CheckApplied(database, migrations);
  if (!applied.ok()) return applied.status();
  for (size_t i = *applied; i < migrations.size(); ++i) {
    const absl::StatusOr<bool> added = MigrateOnce(database, migrations);
    if (!added.ok()) return added.status();
    if (!*added) break;
  }
  return absl::OkStatus();
}

}  // namespace callbridge::store
