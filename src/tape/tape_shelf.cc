#include "src/tape/tape_shelf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"

namespace callbridge::tape {
namespace {

// What may wait for the disk before a tape is given up: more than ten minutes of a call.
constexpr int64_t kMostWaiting = 1 << 20;

// One file. Take() on the call's loop; the rest on the executor, one task after the other.
class TapeFile : public std::enable_shared_from_this<TapeFile> {
 public:
  TapeFile(std::string path, std::string call_id, base::Executor& executor)
      : path_(std::move(path)), call_id_(std::move(call_id)), executor_(executor) {}
  ~TapeFile() {
    if (file_ >= 0) close(file_);
  }

  bool Take(std::string text) {
    if (failed_) return false;
    const auto size = static_cast<int64_t>(text.size());
    if (waiting_.fetch_add(size) + size > kMostWaiting) {
      Say("the disk does not keep up");  // What waits is still written.
      return false;
    }
    executor_.Post([self = shared_from_this(), text = std::move(text)] {
      self->Write(text);
      self->waiting_ -= static_cast<int64_t>(text.size());
    });
    return true;
  }

 private:
  void Write(const std::string& text) {
    if (failed_) return;
    if (file_ < 0) file_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t written = 0;
    while (file_ >= 0 && written < text.size()) {
      const ssize_t count = write(file_, text.data() + written, text.size() - written);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      written += static_cast<size_t>(count);
    }
    if (written < text.size()) GiveUp(std::strerror(errno));
  }

  void GiveUp(const char* why) {
    failed_ = true;
    Say(why);
  }

  void Say(const char* why) const {
    base::Log(base::LogKind::kTrouble, call_id_, "the call's tape is given up", {{"file", path_}, {"why", why}});
  }

  const std::string path_;
  const std::string call_id_;
  base::Executor& executor_;
  std::atomic<bool> failed_{false};
  std::atomic<int64_t> waiting_{0};
  int file_ = -1;
};

class FileOut final : public TapeOut {
 public:
  FileOut(std::shared_ptr<TapeFile> file, base::Executor& executor) : file_(std::move(file)), executor_(executor) {}
  // The file is closed where it was written, not on the loop.
  ~FileOut() override {
    executor_.Post([file = std::move(file_)] {});
  }
  bool Take(std::string text) override { return file_->Take(std::move(text)); }

 private:
  std::shared_ptr<TapeFile> file_;
  base::Executor& executor_;
};

}  // namespace

absl::Status TapeShelf::Check() const {
  struct stat found;
  if (stat(folder_.c_str(), &found) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(folder_, ": a folder that exists is needed"));
  }
  if (!S_ISDIR(found.st_mode)) return absl::InvalidArgumentError(absl::StrCat(folder_, ": is no folder"));
  if (access(folder_.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat(folder_, ": files cannot be made there"));
}

std::unique_ptr<TapeWriter> TapeShelf::NewTape(const call::CallOptions& call, call::CommandSink& sink,
                                               absl::Time now) const {
  const std::string begin = absl::FormatTime("%Y%m%dT%H%M%E3SZ", now, absl::UTCTimeZone());
  auto file = std::make_shared<TapeFile>(absl::StrCat(folder_, "/", begin, "-", call.call_id, ".tape"), call.call_id,
                                         executor_);
  return std::make_unique<TapeWriter>(options_, call, sink, std::make_unique<FileOut>(std::move(file), executor_));
}

}  // namespace callbridge::tape
