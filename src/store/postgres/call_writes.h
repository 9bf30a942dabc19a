#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_CALL_WRITES_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_CALL_WRITES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "src/call/types.h"
#include "src/store/postgres/connection.h"
#include "src/store/postgres/statement.h"
#include "src/store/records.h"

// What several parts of the store do with calls, put together from the statements of call_rows.h and log_rows.h.
namespace callbridge::store {

// Everything that a write of which `events` are new changes, as a part of one transaction in which `ordinal` events
// went before. The statement that moves the head comes first: the id of the transaction, which is in the positions, is
// then younger than that of every transaction that moved it before.
void AddWrite(const CallWrite& write, absl::Span<const call::Event> events, int64_t ordinal, bool erased,
              std::vector<Statement>* batch);

// Ends `open` as CallStore::CloseOpenCalls() does. Inside of a transaction that has locked their rows, whose id is
// younger than that of every transaction that appended to them.
absl::StatusOr<std::vector<OpenCall>> CloseCalls(Connection& connection, const std::vector<CallRecord>& open,
                                                 const call::Termination& termination, absl::Time now,
                                                 bool summaries_due);

template <typename Row>
absl::StatusOr<std::vector<Row>> ReadRows(Rows& rows, Row (*read)(Rows& rows)) {
  std::vector<Row> all;
  while (rows.Next()) all.push_back(read(rows));
  if (!rows.status().ok()) return rows.status();
  return all;
}

// The only row; nullopt: there is none.
template <typename Row>
absl::StatusOr<absl::optional<Row>> ReadRow(Rows& rows, Row (*read)(Rows& rows)) {
  absl::optional<Row> row;
  if (rows.Next()) row = read(rows);
  if (!rows.status().ok()) return rows.status();
  return row;
}

// All rows, each behind the id of the call that it belongs to.
template <typename Row>
std::map<std::string, std::vector<Row>> ReadByCall(Rows& rows, Row (*read)(Rows& rows)) {
  std::map<std::string, std::vector<Row>> by_call;
  while (rows.Next()) {
    std::vector<Row>& of_call = by_call[rows.GetText()];
    of_call.push_back(read(rows));
  }
  return by_call;
}

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_CALL_WRITES_H_
