#ifndef CALLBRIDGE_SRC_STORE_SQLITE_DATABASE_H_
#define CALLBRIDGE_SRC_STORE_SQLITE_DATABASE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

// SQLite as values and absl::Status. Results of SQLite become kUnavailable (busy, locked, disk full, I/O error,
// read-only, cannot open: worth a retry) or kInternal (the rest), in fixed words with SQLite's code: what was bound is
// never in a message.
namespace callbridge::store {

// The status for SQLite's extended result `code`, which is none of OK, ROW and DONE.
absl::Status SqliteError(int code);

// One run of a statement. Binds and reads columns from left to right; the first failure sticks and shows in status(),
// so that a chain of binds needs no checks. Not thread-safe. Must not outlive its Database.
class Query {
 public:
  Query(Query&&) = default;
  Query& operator=(Query&&) = delete;

  // Bind the next parameter. Text goes through CleanText().
  Query& Text(absl::string_view value);
  Query& TextOrNull(absl::string_view value);  // Empty: NULL.
  Query& Int(int64_t value);
  Query& Bool(bool value) { return Int(value ? 1 : 0); }
  Query& Time(absl::Time value);        // FormatTimestamp().
  Query& TimeOrNull(absl::Time value);  // NULL if it is not storable: the infinite times.
  Query& Null();

  // Moves to the next row. False: there is none, or status() is an error.
  bool Step();

  // For statements whose rows do not matter: steps to the end.
  absl::Status Run();

  const absl::Status& status() const { return status_; }

  // Read the next column of the current row; NULL reads as "", 0 and InfinitePast. A time that cannot be read sets
  // status().
  std::string GetText();
  int64_t GetInt();
  absl::optional<int64_t> GetIntOrNull();
  bool GetBool() { return GetInt() != 0; }
  absl::Time GetTime();
  bool NextIsNull() const;

  // Reads an enum's word; one that is not known sets status().
  template <typename Enum>
  Enum GetEnum() {
    Enum value{};
    if (!Parse(GetText(), &value)) Damaged();
    return value;
  }
  // The row holds what we never write.
  void Damaged();

 private:
  friend class Database;
  struct Done {
    bool cached;
    void operator()(sqlite3_stmt* statement) const;
  };
  Query(sqlite3_stmt* statement, bool cached, absl::Status status)
      : statement_(statement, Done{cached}), status_(std::move(status)) {}
  void Check(int code);

  std::unique_ptr<sqlite3_stmt, Done> statement_;
  absl::Status status_;
  int parameter_ = 0;
  int column_ = 0;
};

// One connection. Not thread-safe.
class Database {
 public:
  // Opens `path`, making the file if it is not there. Statements wait up to `busy_timeout` for other processes' locks.
  static absl::StatusOr<Database> Open(const std::string& path, absl::Duration busy_timeout);

  // Opens `path`, which must be there, and changes nothing in it.
  static absl::StatusOr<Database> OpenToRead(const std::string& path);

  // A run of `sql`, one statement. It is compiled once and kept: at most one run of a text at a time.
  Query Prepare(absl::string_view sql);

  // The same without keeping it, for statements put together at run time.
  Query PrepareOnce(absl::string_view sql);

  // Runs statements separated by ';', ignoring their rows.
  absl::Status Execute(absl::string_view sql);

  // Whether the file can only be read.
  bool read_only() const;

  // Whether a transaction is open: SQLite itself takes back some that failed.
  bool in_transaction() const;

  int64_t last_insert_rowid() const;

  // How many rows the last INSERT, UPDATE or DELETE touched, without those of triggers.
  int64_t changes() const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  static absl::StatusOr<Database> OpenWith(const std::string& path, int how, absl::Duration busy_timeout);
  explicit Database(sqlite3* connection) : connection_(connection) {}

  std::unique_ptr<sqlite3, Close> connection_;
  std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>> cache_;
};

// BEGIN, and ROLLBACK unless Commit() succeeded.
class Transaction {
 public:
  // `begin`: "BEGIN IMMEDIATE" to write, "BEGIN EXCLUSIVE" to change the schema, "BEGIN" to read one state of the
  // database.
  Transaction(Database& database, absl::string_view begin);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Whether it began.
  const absl::Status& status() const { return status_; }
  absl::Status Commit();

 private:
  Database& database_;
  absl::Status status_;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SQLITE_DATABASE_H_
