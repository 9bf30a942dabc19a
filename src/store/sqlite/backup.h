#ifndef CALLBRIDGE_SRC_STORE_SQLITE_BACKUP_H_
#define CALLBRIDGE_SRC_STORE_SQLITE_BACKUP_H_

#include <string>

#include "absl/status/status.h"

namespace callbridge::store {

// Copies the database at `from` to the new file `to`, as it is at one moment, by SQLite's online backup: a server may
// use it meanwhile, and goes on writing. `to` appears whole, or not at all: it is made as `to`.partial, synced and
// linked. Messages are one line that names a path.
// Only its owner may read it.
// kNotFound: there is no file `from`. kAlreadyExists: there is a file `to`; nothing is overwritten.
// kFailedPrecondition: `from` is no database of ours. kUnavailable: the disk is full, or one of them cannot be opened.
absl::Status BackUp(const std::string& from, const std::string& to);

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SQLITE_BACKUP_H_
