#ifndef CALLBRIDGE_TESTS_STORE_SPOOL_FRAGILE_DISK_H_
#define CALLBRIDGE_TESTS_STORE_SPOOL_FRAGILE_DISK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "src/base/mutex.h"
#include "src/store/spool/disk.h"

namespace callbridge::store {

// A disk in memory that knows what was synced and what was not, and can lose the latter as a loss of power does: the
// names of files that were made or removed since SyncFolder() are there or not, of what was appended since Sync() any
// prefix is there, or zeroes, or other bytes, and what was cut off may be back. One folder. Thread-safe.
class FragileDisk final : public Disk {
 public:
  // From here on: the operation after `operations` more ones fails (an append with part of it written), and so do all
  // behind it, as when the machine has stopped. -1: none fails.
  void StopAfter(int operations);
  bool stopped() const;

  // Each operation whose name this is fails once more: "append" (half of it is written), "sync", "truncate", ...
  void FailNext(const std::string& operation, int times = 1);

  // Power goes and comes back: files hold what is left of them, nothing fails any more, locks are let go.
  void LosePower(std::mt19937& random);

  // For tests that look or spoil. Paths as the spool gave them.
  std::string Content(const std::string& path) const;
  void SetContent(const std::string& path, std::string content);  // Durable.
  std::vector<std::string> Paths() const;

  absl::Status MakeFolder(const std::string& folder) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override;
  absl::StatusOr<std::string> Read(const std::string& path, int64_t from) override;
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncFolder(const std::string& folder) override;
  absl::StatusOr<std::unique_ptr<Held>> Lock(const std::string& path) override;

 private:
  struct Node {
    std::string now;
    std::string durable;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  class OpenFile;
  class HeldLock;

  absl::Status Begin(const std::string& operation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable base::Mutex mutex_;
  Names now_ ABSL_GUARDED_BY(mutex_);
  Names durable_ ABSL_GUARDED_BY(mutex_);
  int left_ ABSL_GUARDED_BY(mutex_) = -1;
  std::map<std::string, int> failing_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<int> locks_ = std::make_shared<int>(0);
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_TESTS_STORE_SPOOL_FRAGILE_DISK_H_
