#include "src/store/postgres/schema.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace callbridge::store {
namespace {

// A step may have to rewrite a big table.
constexpr absl::Duration kStepLimit = absl::Minutes(30);

constexpr char kVersionTable[] = R"sql(
CREATE TABLE schema_version (
  version    integer     NOT NULL PRIMARY KEY,
  name       text        NOT NULL,
  checksum   text        NOT NULL,
  applied_at timestamptz NOT NULL
))sql";

absl::StatusOr<bool> ReadBool(Connection& connection, absl::string_view sql) {
  absl::StatusOr<std::vector<Rows>> rows = connection.Run({Statement(sql)});
  if (!rows.ok()) return rows.status();
  return (*rows)[0].Next() && (*rows)[0].GetBool();
}

// Whether one of these tables is there. A look into the catalogue itself: what the session remembers of it may be older
// than the lock that it waited for.
absl::StatusOr<bool> HasTable(Connection& connection, absl::string_view names) {
  return ReadBool(connection, absl::StrCat("SELECT EXISTS (SELECT 1 FROM pg_class WHERE relname IN (", names,
                                           ") AND pg_table_is_visible(oid))"));
}

// True: there is a schema of ours. False: there is none.
absl::StatusOr<bool> IsOurs(Connection& connection) {
  absl::StatusOr<bool> ours = HasTable(connection, "'schema_version'");
  if (!ours.ok() || *ours) return ours;
  const absl::StatusOr<bool> foreign = HasTable(connection, "'leads', 'call_logs', 'call_events'");
  if (!foreign.ok()) return foreign.status();
  if (!*foreign) return false;
  return absl::FailedPreconditionError(
      "the database has tables of these names that are not callbridge's, or were restored without schema_version: use "
      "another database or schema");
}

// How many of `migrations` are there already.
absl::StatusOr<size_t> CheckApplied(Connection& connection, absl::Span<const Migration> migrations) {
  const absl::StatusOr<bool> ours = IsOurs(connection);
  if (!ours.ok()) return ours.status();
  if (!*ours) return 0;
  absl::StatusOr<std::vector<Rows>> found =
      connection.Run({Statement("SELECT version, name, checksum FROM schema_version ORDER BY version")});
  if (!found.ok()) return found.status();
  Rows& rows = (*found)[0];
  size_t applied = 0;
  while (rows.Next()) {
    const int64_t version = rows.GetInt();
    const std::string name = rows.GetText();
    if (version > static_cast<int64_t>(migrations.size())) {
      return absl::FailedPreconditionError(absl::StrCat("the schema has version ", version, " (", name,
                                                        "), this callbridge knows ", migrations.size(),
                                                        ": start the newer callbridge"));
    }
    const Migration& expected = migrations[applied++];
    if (version != expected.version) {
      return absl::FailedPreconditionError(
          absl::StrCat("the schema is half made: ", expected.name, " is missing: restore a backup"));
    }
    if (rows.GetText() == expected.checksum) continue;
    return absl::FailedPreconditionError(absl::StrCat("the schema was made by a changed migration ", expected.name,
                                                      ": start the callbridge that made it"));
  }
  if (!rows.status().ok()) return rows.status();
  if (applied > 0) return applied;
  return absl::FailedPreconditionError("the schema is half made: schema_version is empty: restore a backup");
}

// Adds the next migration. False: there is none left.
absl::StatusOr<bool> MigrateOnce(Connection& connection, absl::Span<const Migration> migrations) {
  absl::Status status =
      connection.Execute(absl::StrCat("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '1min'; "
                                      "SELECT pg_advisory_xact_lock(",
                                      kLockSpace, ", ", kSchemaLock, "); SET LOCAL lock_timeout = '10s'"),
                         kStepLimit);
  if (!status.ok()) return status;
  // Looked at again under the lock: another process may have been faster.
  const absl::StatusOr<size_t> applied = CheckApplied(connection, migrations);
  if (!applied.ok()) return applied.status();
  if (*applied == migrations.size()) {
    status = connection.Execute("ROLLBACK");
    if (!status.ok()) return status;
    return false;
  }
  const Migration& next = migrations[*applied];
  if (*applied == 0) status = connection.Execute(kVersionTable);
  if (status.ok()) status = connection.Execute(std::string(next.sql), kStepLimit);
  if (!status.ok()) return status;
  Statement note("INSERT INTO schema_version (version, name, checksum, applied_at) VALUES ($1, $2, $3, now())");
  note.Int(next.version).Text(next.name).Text(next.checksum);
  status = connection.Run({note, Statement("COMMIT")}).status();
  if (!status.ok()) return status;
  return true;
}

}  // namespace

absl::Status Migrate(Connection& connection, absl::Span<const Migration> migrations) {
  // First without a lock, so that a database that is up to date costs nobody anything.
  const absl::StatusOr<size_t> applied = CheckApplied(connection, migrations);
  if (!applied.ok()) return applied.status();
  for (size_t i = *applied; i < migrations.size(); ++i) {
    const absl::StatusOr<bool> added = MigrateOnce(connection, migrations);
    if (!added.ok()) return added.status();
    if (!*added) break;
  }
  return absl::OkStatus();
}

absl::Status CheckCurrent(Connection& connection, absl::Span<const Migration> migrations) {
  const absl::StatusOr<size_t> applied = CheckApplied(connection, migrations);
  if (!applied.ok()) return applied.status();
  if (*applied == migrations.size()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the schema has version ", *applied, ", this callbridge needs ",
                                                    migrations.size(), ": run `callbridge migrate` first"));
}

absl::Status AddPartitions(Connection& connection) {
  // The day before, as a call may begin before midnight and be written down after it; a week ahead, so that a server
  // that nothing is written to for days has one for the day on which it goes on.
  const auto rows = connection.Run({Statement(
      "SELECT callbridge_add_day((now() AT TIME ZONE 'UTC')::date + day) FROM generate_series(-1, 7) AS day")});
  return rows.status();
}

}  // namespace callbridge::store
