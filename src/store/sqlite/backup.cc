#include "src/store/sqlite/backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "src/store/sqlite/database.h"
#include "src/store/sqlite/schema.h"

namespace callbridge::store {
namespace {

constexpr int kPagesPerStep = 1024;
constexpr int kBusyWaitMs = 20;
constexpr int kMostBusyWaits = 500;  // Ten seconds in which not a single page could be copied.

absl::Status Named(const std::string& path, const absl::Status& status) {
  return status.ok() ? status : absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

// A connection by hand: Database makes files that are not there.
struct Connection {
  ~Connection() { sqlite3_close_v2(handle); }
  absl::Status Open(const std::string& path, int flags) {
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_EXRESCODE, nullptr);
    return code == SQLITE_OK ? absl::OkStatus() : SqliteError(code);
  }
  sqlite3* handle = nullptr;
};

absl::Status CopyPages(sqlite3* from, sqlite3* to) {
  sqlite3_backup* const backup = sqlite3_backup_init(to, "main", from, "main");
  if (backup == nullptr) return SqliteError(sqlite3_extended_errcode(to));
  int code = SQLITE_OK;
  for (int waits = 0; code == SQLITE_OK || waits < kMostBusyWaits;) {
    // The pages of a step are read as of one moment; what a writer changes in between is copied again.
    code = sqlite3_backup_step(backup, kPagesPerStep);
    if (code == SQLITE_OK) continue;
    if ((code & 0xFF) != SQLITE_BUSY && (code & 0xFF) != SQLITE_LOCKED) break;
    ++waits;
    sqlite3_sleep(kBusyWaitMs);
  }
  const int finished = sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) return SqliteError(finished == SQLITE_OK ? code : finished);
  return absl::OkStatus();
}

absl::Status SyncFile(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::UnavailableError(std::strerror(errno));
  const bool synced = ::fsync(descriptor) == 0;
  const int error = errno;
  ::close(descriptor);
  return synced ? absl::OkStatus() : absl::UnavailableError(std::strerror(error));
}

// An empty file that only its owner may read: what people said is nobody else's.
absl::Status MakePrivate(const std::string& path) {
  ::unlink(path.c_str());
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return absl::UnavailableError(absl::StrCat("cannot be opened: ", std::strerror(errno)));
  ::close(descriptor);
  return absl::OkStatus();
}

// Whoever serves from the copy is to know that it is one. Copies of a schema that cannot say so stay as they are.
absl::Status MarkAsBackup(sqlite3* copy) {
  sqlite3_stmt* column = nullptr;
  int code = sqlite3_prepare_v2(copy, "SELECT 1 FROM pragma_table_info('log_state') WHERE name = 'is_backup'", -1,
                                &column, nullptr);
  if (code == SQLITE_OK) code = sqlite3_step(column);
  sqlite3_finalize(column);
  if (code == SQLITE_DONE) return absl::OkStatus();
  if (code == SQLITE_ROW) code = sqlite3_exec(copy, "UPDATE log_state SET is_backup = 1", nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : SqliteError(code);
}

absl::Status MakePartial(const std::string& from, const std::string& partial) {
  Connection source;
  absl::Status status = source.Open(from, SQLITE_OPEN_READONLY);
  if (!status.ok()) return Named(from, status);
  Connection target;
  status = target.Open(partial, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (status.ok()) status = CopyPages(source.handle, target.handle);
  if (status.ok()) status = MarkAsBackup(target.handle);
  if (!status.ok()) return Named(partial, status);
  return absl::OkStatus();
}

}  // namespace

absl::Status BackUp(const std::string& from, const std::string& to) {
  std::error_code ignored;
  if (!std::filesystem::exists(from, ignored)) return Named(from, absl::NotFoundError("there is no such database"));
  if (std::filesystem::exists(to, ignored)) {
    return Named(to, absl::AlreadyExistsError("is there already; a backup overwrites nothing, name a new file"));
  }
  absl::Status status = Named(from, CheckOurs(from));
  if (!status.ok()) return status;
  const std::string partial = to + ".partial";
  status = Named(partial, MakePrivate(partial));
  if (status.ok()) status = MakePartial(from, partial);
  if (status.ok()) status = Named(partial, SyncFile(partial));
  // A link, unlike a rename, takes nobody's place.
  if (status.ok() && ::link(partial.c_str(), to.c_str()) != 0) {
    status = Named(to, absl::UnavailableError(std::strerror(errno)));
  }
  ::unlink(partial.c_str());
  for (const char* beside : {"-journal", "-wal", "-shm"}) ::unlink((partial + beside).c_str());
  return status;
}

}  // namespace callbridge::store
