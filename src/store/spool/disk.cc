#include "src/store/spool/disk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace callbridge::store {
namespace {

absl::Status Failed(absl::string_view what, const std::string& path, int error) {
  const std::string message = absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
}

// A descriptor, closed at the end.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, int mode = 0) : fd_(open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  const int fd_;
};

class RealFile final : public Disk::File {
 public:
  explicit RealFile(const std::string& path) : path_(path), file_(path, O_WRONLY | O_APPEND | O_CREAT, 0600) {}
  bool ok() const { return file_.ok(); }

  absl::Status Append(absl::string_view data) override {
    while (!data.empty()) {
      const ssize_t written = write(file_.get(), data.data(), data.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Failed("write", path_, errno);
      data.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }
  absl::Status Sync() override { return fdatasync(file_.get()) == 0 ? absl::OkStatus() : Failed("sync", path_, errno); }
  absl::Status Truncate(int64_t size) override {
    return ftruncate(file_.get(), size) == 0 ? absl::OkStatus() : Failed("cut off the end of", path_, errno);
  }

 private:
  const std::string path_;
  const Descriptor file_;
};

class RealLock final : public Disk::Held {
 public:
  explicit RealLock(const std::string& path) : file_(path, O_RDWR | O_CREAT, 0600) {}
  bool ok() const { return file_.ok(); }
  bool Take() { return flock(file_.get(), LOCK_EX | LOCK_NB) == 0; }

 private:
  const Descriptor file_;  // Closing it lets go.
};

class MachineDisk final : public Disk {
 public:
  absl::Status MakeFolder(const std::string& folder) override {
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::path(folder).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, error);
    if (error) return Failed("make", parent, error.value());
    if (mkdir(folder.c_str(), 0700) == 0 || (errno == EEXIST && std::filesystem::is_directory(folder, error))) {
      return absl::OkStatus();
    }
    return Failed("make", folder, errno);
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
      names.push_back(entry->path().filename());
    if (error) return Failed("list", folder, error.value());
    return names;
  }

  absl::StatusOr<std::string> Read(const std::string& path, int64_t from) override {
    const Descriptor file(path, O_RDONLY);
    if (!file.ok()) return Failed("read", path, errno);
    std::string text;
    char buffer[65536];
    for (;;) {
      const ssize_t got = pread(file.get(), buffer, sizeof(buffer), from + static_cast<int64_t>(text.size()));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Failed("read", path, errno);
      if (got == 0) return text;
      text.append(buffer, static_cast<size_t>(got));
    }
  }

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path) override {
    auto file = std::make_unique<RealFile>(path);
    if (!file->ok()) return Failed("open", path, errno);
    return file;
  }

  absl::Status Remove(const std::string& path) override {
    return unlink(path.c_str()) == 0 ? absl::OkStatus() : Failed("remove", path, errno);
  }

  absl::Status SyncFolder(const std::string& folder) override {
    const Descriptor opened(folder, O_RDONLY | O_DIRECTORY);
    if (!opened.ok() || fsync(opened.get()) != 0) return Failed("sync", folder, errno);
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<Held>> Lock(const std::string& path) override {
    auto lock = std::make_unique<RealLock>(path);
    if (!lock->ok()) return Failed("open", path, errno);
    if (lock->Take()) return lock;
    return absl::FailedPreconditionError(absl::StrCat(path, " is held by another process"));
  }
};

}  // namespace

Disk& RealDisk() {
  static auto& disk = *new MachineDisk();
  return disk;
}

}  // namespace callbridge::store
