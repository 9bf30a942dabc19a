#ifndef CALLBRIDGE_SRC_STORE_SQLITE_ERASURE_H_
#define CALLBRIDGE_SRC_STORE_SQLITE_ERASURE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/store/records.h"
#include "src/store/sqlite/database.h"

// What goes from the records: people who are erased, and what is older than it is to be kept. Functions that write
// expect an open transaction.
namespace callbridge::store {

// As CallStore::EraseNumber(), of what was checked.
absl::StatusOr<Erasure> EraseNumber(Database& database, absl::string_view number, absl::string_view by, absl::Time now);
absl::StatusOr<std::vector<Erasure>> SelectErasures(Database& database, int limit);

// As CallStore::Purge().
absl::StatusOr<Purged> Purge(Database& database, const Retention& keep, int max_calls);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SQLITE_ERASURE_H_
