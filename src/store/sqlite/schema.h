#ifndef CALLBRIDGE_SRC_STORE_SQLITE_SCHEMA_H_
#define CALLBRIDGE_SRC_STORE_SQLITE_SCHEMA_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "src/store/migrations/migration.h"
#include "src/store/sqlite/database.h"

namespace callbridge::store {

// PRAGMA application_id of our files: "CBRG". `file` and others recognize a database by it.
inline constexpr int64_t kApplicationId = 0x43425247;

// Whether the file at `path`, which is there, is a database of ours; writes nothing. kFailedPrecondition: it is none,
// or somebody else's, or empty. kUnavailable: it cannot be read.
absl::Status CheckOurs(const std::string& path);

// kFailedPrecondition: the schema lacks the last of `migrations`, or Migrate() would refuse it. Writes nothing.
absl::Status CheckCurrent(Database& database, absl::Span<const Migration> migrations);

// Brings the schema up to the last of `migrations`, each in an exclusive transaction of its own together with its row
// in schema_version(version, name, checksum, applied_at). An empty file becomes ours first. Writes nothing if it
// refuses: kFailedPrecondition: not a database, or somebody else's; made by a newer callbridge; or a migration that was
// applied here had another content. Other errors as SqliteError(). Repeats do nothing.
absl::Status Migrate(Database& database, absl::Span<const Migration> migrations);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SQLITE_SCHEMA_H_
