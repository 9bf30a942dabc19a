#ifndef CALLBRIDGE_TESTS_STORE_POSTGRES_POSTGRES_SERVER_H_
#define CALLBRIDGE_TESTS_STORE_POSTGRES_POSTGRES_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "src/store/postgres/connection.h"

namespace callbridge::store {

// A PostgreSQL server of a test's own, on a Unix socket in a folder of its own; both are gone with the test's process,
// however that ends. With fsync, without autovacuum: statistics are gathered in transactions that would hold the log
// back for a moment.
class PostgresServer {
 public:
  // Why there can be none on this machine; empty: there can.
  static const std::string& WhyMissing();

  // The one that all tests of a process share; made when it is first asked for. For those that stop it: leave it
  // running.
  static PostgresServer& Shared();

  // A new, empty database, and its URI.
  std::string NewDatabase();
  // The same with callbridge's schema.
  std::string NewStoreDatabase();

  // Runs statements in the database of `uri`, as the superuser, and returns what the last one shows: values separated
  // by
  // ',' and each row ended by ';'. Failures are failures of the test.
  std::string Query(const std::string& uri, const std::string& sql);

  // Puts what pg_dump says of the database of `uri` into a new one, and returns that one's URI.
  std::string Restore(const std::string& uri);

  // Ends its connections and the server, and starts it again. `sigstop`: freezes all its processes, as a machine that
  // hangs would.
  void Stop();
  void Start();
  void Freeze();
  void Thaw();

  const std::string& folder() const { return folder_; }

 private:
  PostgresServer();
  ~PostgresServer();
  void WaitUntilReady();
  std::string Uri(const std::string& database) const;
  void SignalAll(int signal);

  std::string folder_;
  pid_t server_ = 0;
  int databases_ = 0;
  bool has_template_ = false;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_TESTS_STORE_POSTGRES_POSTGRES_SERVER_H_
