#ifndef CALLBRIDGE_SRC_STORE_POSTGRES_CONNECTION_H_
#define CALLBRIDGE_SRC_STORE_POSTGRES_CONNECTION_H_

#include <postgresql/libpq-fe.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "src/store/postgres/statement.h"
#include "src/store/postgres/target.h"

namespace callbridge::store {

// How long things may take before they fail with kUnavailable.
struct Limits {
  absl::Duration connect =
      absl::Seconds(3);  // For all hosts together. Looking up a name is the system's, and beyond this.
  absl::Duration exchange = absl::Seconds(3);  // From sending statements to their last answer.
  absl::Duration lock = absl::Seconds(2);      // For a lock of another transaction.
};

// One connection to a PostgreSQL server. A server that hangs holds nobody longer than the limits: everything is sent
// and read without blocking. After an error that IsExpected() does not name, the connection is broken and good for
// nothing but destruction. Errors as SqlError(), or kUnavailable in libpq's words when none came. Not thread-safe.
class Connection {
 public:
  // kUnavailable: refused, hanging, or no host that fits. kFailedPrecondition: a server before version 14, or a
  // database whose encoding is not UTF8.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const Target& target, const Limits& limits);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends all statements in one pipeline and waits for all answers: one round trip and, outside of BEGIN and COMMIT,
  // one transaction, which is committed when this returns OK. Statements are prepared when they are first met.
  absl::StatusOr<std::vector<Rows>> Run(absl::Span<const Statement> statements) {
    return Run(statements, limits_.exchange);
  }
  absl::StatusOr<std::vector<Rows>> Run(absl::Span<const Statement> statements, absl::Duration limit);

  // Runs statements without parameters, separated by ';'.
  absl::Status Execute(const std::string& sql, absl::Duration limit);
  absl::Status Execute(const std::string& sql) { return Execute(sql, limits_.exchange); }

  // Looks, without waiting, whether the server has closed the connection.
  bool IsAlive();

  bool broken() const { return broken_; }

  // Of the last failure: the server's code, empty if none came; and whether what was sent may have been committed all
  // the same.
  const std::string& sql_state() const { return sql_state_; }
  bool in_doubt() const { return in_doubt_; }

  // Whether the connection went away in the last exchange, as opposed to a server that is slow or says no.
  bool lost() const { return lost_; }

  // Whether a BEGIN has no end yet.
  bool in_transaction() const;

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Result = std::unique_ptr<PGresult, Clear>;

  Connection(const Target& target, const Limits& limits) : target_(target), limits_(limits) {}
  static absl::StatusOr<std::unique_ptr<Connection>> OpenHost(const Target& target, size_t host, const Limits& limits,
                                                              absl::Duration at_most);
  absl::Status Connect(size_t host, Deadline deadline);
  absl::Status SetUp(Deadline deadline);

  // Of a pipeline. `sql` and `name` of one that prepares; empty: it runs a statement.
  struct Message {
    std::string sql;
    std::string name;
  };
  absl::Status Send(absl::Span<const Statement> statements, std::vector<Message>* messages);
  absl::StatusOr<std::vector<Rows>> Receive(const std::vector<Message>& messages, Deadline deadline);
  // Waits for the next result; null: the end of a statement's.
  absl::StatusOr<Result> Next(Deadline deadline);
  absl::Status Wait(short events, Deadline deadline);
  absl::Status Begin();
  absl::Status Fail(absl::Status status);
  absl::Status Lost();
  absl::Status Slow();
  absl::Status FromServer(const PGresult* result);

  const Target target_;
  const Limits limits_;
  std::unique_ptr<PGconn, Finish> connection_;
  std::map<std::string, std::string> prepared_;  // By text of the statement: its name.
  bool broken_ = false;
  bool lost_ = false;
  bool in_doubt_ = false;
  std::string sql_state_;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_POSTGRES_CONNECTION_H_
