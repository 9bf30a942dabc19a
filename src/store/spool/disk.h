#ifndef CALLBRIDGE_SRC_STORE_SPOOL_DISK_H_
#define CALLBRIDGE_SRC_STORE_SPOOL_DISK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace callbridge::store {

// What the spool asks of a file system; tests put one under it that loses what was not synced. Errors name the path and
// the cause; kNotFound: no such file, kUnavailable: the rest.
class Disk {
 public:
  // Open for appending. Closed by its destructor.
  class File {
   public:
    virtual ~File() = default;
    // All of it; after an error any part of it may be there.
    virtual absl::Status Append(absl::string_view data) = 0;
    // What was appended or cut off survives a loss of power once this is OK.
    virtual absl::Status Sync() = 0;
    virtual absl::Status Truncate(int64_t size) = 0;
  };
  // Held until it is destroyed or the process dies.
  class Held {
   public:
    virtual ~Held() = default;
  };

  virtual ~Disk() = default;

  // With those above it; for its owner only (0700). OK if it is there.
  virtual absl::Status MakeFolder(const std::string& folder) = 0;
  // The names of the files in it.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& folder) = 0;
  // From the byte `from` to the end.
  virtual absl::StatusOr<std::string> Read(const std::string& path, int64_t from) = 0;
  // Made if it is not there, for its owner only (0600).
  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Files that were made in it or removed from it stay so after a loss of power once this is OK.
  virtual absl::Status SyncFolder(const std::string& folder) = 0;
  // kFailedPrecondition: somebody else holds it.
  virtual absl::StatusOr<std::unique_ptr<Held>> Lock(const std::string& path) = 0;
};

// The machine's. Thread-safe, as all of this file's functions are.
Disk& RealDisk();

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SPOOL_DISK_H_
