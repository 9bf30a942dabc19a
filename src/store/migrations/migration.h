#ifndef CALLBRIDGE_SRC_STORE_MIGRATIONS_MIGRATION_H_
#define CALLBRIDGE_SRC_STORE_MIGRATIONS_MIGRATION_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace callbridge::store {

// One step of a schema. A released step is never edited (its checksum is in every database): changes are new steps.
struct Migration {
  int version = 0;             // From 1, without gaps.
  absl::string_view name;      // File name without ".sql": "0001_calls".
  absl::string_view checksum;  // SHA-256 of the file, hexadecimal.
  absl::string_view sql;       // Statements; run inside a transaction, so without BEGIN and COMMIT.
};

// sqlite/*.sql and postgres/*.sql in order, embedded at build time.
absl::Span<const Migration> SqliteMigrations();
absl::Span<const Migration> PostgresMigrations();

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_MIGRATIONS_MIGRATION_H_
