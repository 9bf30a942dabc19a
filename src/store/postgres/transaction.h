#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_TRANSACTION_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_TRANSACTION_H_

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "src/store/postgres/connection.h"

namespace callbridge::store {

// Runs `work`, a function from Connection& to a StatusOr, between a BEGIN and a COMMIT; what it failed at is rolled
// back. `first` is run behind the BEGIN, and sees to it that the rest may be done at all.
template <typename Work>
auto InTransaction(Connection& connection, const std::vector<Statement>& first, Work work)
    -> decltype(work(connection)) {
  std::vector<Statement> batch = {Statement("BEGIN"), Statement("SET LOCAL statement_timeout = '1min'")};
  batch.insert(batch.end(), first.begin(), first.end());
  auto begun = connection.Run(batch);
  if (!begun.ok()) return begun.status();
  auto result = work(connection);
  if (connection.broken()) return result;
  const auto ended = connection.Run({Statement(result.ok() ? "COMMIT" : "ROLLBACK")});
  if (result.ok() && !ended.ok()) return ended.status();
  return result;
}

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_TRANSACTION_H_
