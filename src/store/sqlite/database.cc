#include "src/store/sqlite/database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "src/store/text.h"

namespace callbridge::store {

absl::Status SqliteError(int code) {
  const auto unavailable = [code](absl::string_view words) {
    return absl::UnavailableError(absl::StrCat("database: ", words, " (SQLite ", code, ")"));
  };
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return unavailable("locked by another process");
    case SQLITE_FULL: return unavailable("the disk is full");
    case SQLITE_IOERR: return unavailable("the disk failed");
    case SQLITE_READONLY: return unavailable("the file or its folder is read-only");
    case SQLITE_CANTOPEN: return unavailable("the file cannot be opened");
    default: return absl::InternalError(absl::StrCat("database: ", sqlite3_errstr(code), " (SQLite ", code, ")"));
  }
}

void Query::Done::operator()(sqlite3_stmt* statement) const {
  if (!cached) {
    sqlite3_finalize(statement);
    return;
  }
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);  // A transcript of a megabyte must not stay behind.
}

void Query::Check(int code) {
  if (code != SQLITE_OK && status_.ok()) status_ = SqliteError(code);
}

Query& Query::Text(absl::string_view value) {
  ++parameter_;
  if (!status_.ok()) return *this;
  const std::string clean = CleanText(value);
  Check(sqlite3_bind_text64(statement_.get(), parameter_, clean.data(), clean.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Query& Query::TextOrNull(absl::string_view value) { return value.empty() ? Null() : Text(value); }

Query& Query::Int(int64_t value) {
  ++parameter_;
  if (status_.ok()) Check(sqlite3_bind_int64(statement_.get(), parameter_, value));
  return *this;
}

Query& Query::Time(absl::Time value) { return Text(FormatTimestamp(value)); }

Query& Query::TimeOrNull(absl::Time value) { return IsStorableTime(value) ? Time(value) : Null(); }

Query& Query::Null() {
  ++parameter_;
  if (status_.ok()) Check(sqlite3_bind_null(statement_.get(), parameter_));
  return *this;
}

bool Query::Step() {
  if (!status_.ok()) return false;
  column_ = 0;
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) Check(code);
  return false;
}

absl::Status Query::Run() {
  while (Step()) {
  }
  return status_;
}

std::string Query::GetText() {
  const int column = column_++;
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text == nullptr ? std::string() : std::string(text, sqlite3_column_bytes(statement_.get(), column));
}

int64_t Query::GetInt() { return sqlite3_column_int64(statement_.get(), column_++); }

absl::optional<int64_t> Query::GetIntOrNull() {
  const bool null = NextIsNull();
  const int64_t value = GetInt();
  return null ? absl::nullopt : absl::make_optional(value);
}

absl::Time Query::GetTime() {
  if (NextIsNull()) {
    ++column_;
    return absl::InfinitePast();
  }
  const absl::StatusOr<absl::Time> time = ParseTimestamp(GetText());
  if (time.ok()) return *time;
  Damaged();
  return absl::InfinitePast();
}

bool Query::NextIsNull() const { return sqlite3_column_type(statement_.get(), column_) == SQLITE_NULL; }

void Query::Damaged() {
  if (!status_.ok()) return;
  const char* name = sqlite3_column_name(statement_.get(), column_ - 1);
  status_ = absl::InternalError(
      absl::StrCat("database: column ", name == nullptr ? "?" : name, " holds what this version does not know"));
}

absl::StatusOr<Database> Database::Open(const std::string& path, absl::Duration busy_timeout) {
  return OpenWith(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, busy_timeout);
}

absl::StatusOr<Database> Database::OpenToRead(const std::string& path) {
  return OpenWith(path, SQLITE_OPEN_READONLY, absl::Seconds(2));
}

absl::StatusOr<Database> Database::OpenWith(const std::string& path, int how, absl::Duration busy_timeout) {
  sqlite3* connection = nullptr;
  const int flags = how | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  Database database(connection);  // SQLite gives one to be closed even when it fails.
  if (code != SQLITE_OK) return SqliteError(code);
  sqlite3_busy_timeout(connection, static_cast<int>(absl::ToInt64Milliseconds(busy_timeout)));
  return database;
}

Query Database::Prepare(absl::string_view sql) {
  const auto found = cache_.find(std::string(sql));
  if (found != cache_.end()) return Query(found->second.get(), /*cached=*/true, absl::OkStatus());
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return Query(nullptr, /*cached=*/true, SqliteError(code));
  cache_.emplace(sql, statement);
  return Query(statement, /*cached=*/true, absl::OkStatus());
}

Query Database::PrepareOnce(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  return Query(statement, /*cached=*/false, code == SQLITE_OK ? absl::OkStatus() : SqliteError(code));
}

absl::Status Database::Execute(absl::string_view sql) {
  const int code = sqlite3_exec(connection_.get(), std::string(sql).c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqliteError(code);
}

bool Database::read_only() const { return sqlite3_db_readonly(connection_.get(), "main") == 1; }

bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }

int64_t Database::last_insert_rowid() const { return sqlite3_last_insert_rowid(connection_.get()); }

int64_t Database::changes() const { return sqlite3_changes(connection_.get()); }

Transaction::Transaction(Database& database, absl::string_view begin)
    : database_(database), status_(database.Prepare(begin).Run()) {}

Transaction::~Transaction() {
  // Nothing to do for one that fails: SQLite takes the rest back when the connection closes.
  if (status_.ok() && database_.in_transaction()) database_.Prepare("ROLLBACK").Run().IgnoreError();
}

absl::Status Transaction::Commit() { return database_.Prepare("COMMIT").Run(); }

}  // namespace callbridge::store
