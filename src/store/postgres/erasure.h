#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_ERASURE_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_ERASURE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/store/postgres/connection.h"
#include "src/store/records.h"

// What goes from the records: people who are erased, and what is older than it is to be kept. Both expect an open
// transaction and leave it open.
namespace callbridge::store {

// As CallStore::EraseNumber(), of what was checked.
absl::StatusOr<Erasure> EraseNumber(Connection& connection, absl::string_view number, absl::string_view by,
                                    absl::Time now);
Statement SelectErasures(int limit);
Erasure ReadErasure(Rows& rows);

// As CallStore::Purge().
absl::StatusOr<Purged> Purge(Connection& connection, const Retention& keep, int max_calls);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_ERASURE_H_
