#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_SCHEMA_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_SCHEMA_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "src/store/migrations/migration.h"
#include "src/store/postgres/connection.h"

namespace callbridge::store {

// First word of our advisory locks: "CBRG". The second says what for: who writes to the database, changing the schema,
// closing the calls of dead nodes, and adding a node.
inline constexpr int kLockSpace = 0x43425247;
inline constexpr int kOwnerLock = 1;
inline constexpr int kSchemaLock = 2;
inline constexpr int kReaperLock = 3;
inline constexpr int kNodesLock = 4;

// Brings the schema up to the last of `migrations`, each in a transaction of its own together with its row in
// schema_version(version, name, checksum, applied_at), while nobody else does: others wait. Writes nothing if it
// refuses: kFailedPrecondition: made by a newer callbridge; a migration that was applied here had another content; one
// is missing between others, or tables of these names are there without schema_version. Other errors as SqlError().
// Repeats do nothing.
absl::Status Migrate(Connection& connection, absl::Span<const Migration> migrations);

// kFailedPrecondition: the schema lacks the last of `migrations`, or Migrate() would refuse it. Writes nothing.
absl::Status CheckCurrent(Connection& connection, absl::Span<const Migration> migrations);

// Makes partitions of call_events for the days around now that have none. kUnavailable also if the default partition,
// which holds what has no partition of its own, is in use for long.
absl::Status AddPartitions(Connection& connection);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_SCHEMA_H_
