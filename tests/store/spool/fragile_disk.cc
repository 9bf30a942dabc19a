#include "tests/store/spool/fragile_disk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace callbridge::store {

class FragileDisk::OpenFile final : public Disk::File {
 public:
  OpenFile(FragileDisk& disk, std::shared_ptr<Node> node) : disk_(disk), node_(std::move(node)) {}

  absl::Status Append(absl::string_view data) override {
    base::MutexLock lock(disk_.mutex_);
    if (absl::Status status = disk_.Begin("append"); !status.ok()) {
      absl::StrAppend(&node_->now, data.substr(0, data.size() / 2));
      return status;
    }
    absl::StrAppend(&node_->now, data);
    return absl::OkStatus();
  }
  absl::Status Sync() override {
    base::MutexLock lock(disk_.mutex_);
    if (absl::Status status = disk_.Begin("sync"); !status.ok()) return status;
    node_->durable = node_->now;
    return absl::OkStatus();
  }
  absl::Status Truncate(int64_t size) override {
    base::MutexLock lock(disk_.mutex_);
    if (absl::Status status = disk_.Begin("truncate"); !status.ok()) return status;
    node_->now.resize(static_cast<size_t>(size));
    return absl::OkStatus();
  }

 private:
  FragileDisk& disk_;
  const std::shared_ptr<Node> node_;
};

class FragileDisk::HeldLock final : public Disk::Held {
 public:
  explicit HeldLock(std::shared_ptr<int> locks) : locks_(std::move(locks)) { ++*locks_; }
  ~HeldLock() override { --*locks_; }

 private:
  const std::shared_ptr<int> locks_;
};

absl::Status FragileDisk::Begin(const std::string& operation) {
  if (left_ == 0) return absl::UnavailableError("the machine has stopped");
  if (left_ > 0) --left_;
  auto failing = failing_.find(operation);
  if (failing == failing_.end() || failing->second == 0) return absl::OkStatus();
  --failing->second;
  return absl::UnavailableError(absl::StrCat("cannot ", operation, ": No space left on device"));
}

void FragileDisk::StopAfter(int operations) {
  base::MutexLock lock(mutex_);
  left_ = operations;
}

bool FragileDisk::stopped() const {
  base::MutexLock lock(mutex_);
  return left_ == 0;
}

void FragileDisk::FailNext(const std::string& operation, int times) {
  base::MutexLock lock(mutex_);
  failing_[operation] = times;
}

void FragileDisk::LosePower(std::mt19937& random) {
  const auto pick = [&random](size_t below) { return below == 0 ? 0 : static_cast<size_t>(random() % below); };
  base::MutexLock lock(mutex_);
  Names left;
  for (const Names* names : {&now_, &durable_}) {
    const Names& others = names == &now_ ? durable_ : now_;
    for (const auto& [path, node] : *names) {
      const auto other = others.find(path);
      if ((other != others.end() && other->second == node) || pick(2) == 0) left[path] = node;
    }
  }
  for (auto& [path, node] : left) {
    std::string content = node->durable;
    if (node->now != node->durable) {
      // What both begin with is safe; of the rest, this or that.
      const size_t common = static_cast<size_t>(
          std::mismatch(
              node->now.begin(),
              node->now.begin() + static_cast<std::ptrdiff_t>(std::min(node->now.size(), node->durable.size())),
              node->durable.begin())
              .first -
          node->now.begin());
      switch (pick(4)) {
        case 0: break;
        case 1: content = node->now; break;
        case 2: content = node->now.substr(0, common + pick(node->now.size() - common + 1)); break;
        default:  // The size was written, the data was not, or something else is there.
          content = node->now.substr(0, common + pick(node->now.size() - common + 1));
          content.resize(std::max(content.size(), node->now.size()), pick(2) == 0 ? '\0' : 'x');
      }
    }
    node = std::make_shared<Node>(Node{content, content});
  }
  now_ = left;
  durable_ = left;
  left_ = -1;
  failing_.clear();
  locks_ = std::make_shared<int>(0);
}

std::string FragileDisk::Content(const std::string& path) const {
  base::MutexLock lock(mutex_);
  const auto found = now_.find(path);
  return found == now_.end() ? "" : found->second->now;
}

void FragileDisk::SetContent(const std::string& path, std::string content) {
  base::MutexLock lock(mutex_);
  auto& node = now_[path];
  if (node == nullptr) node = std::make_shared<Node>();
  node->now = node->durable = std::move(content);
  durable_ = now_;
}

std::vector<std::string> FragileDisk::Paths() const {
  base::MutexLock lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, node] : now_) paths.push_back(path);
  return paths;
}

absl::Status FragileDisk::MakeFolder(const std::string&) {
  base::MutexLock lock(mutex_);
  return Begin("make folder");
}

absl::StatusOr<std::vector<std::string>> FragileDisk::List(const std::string& folder) {
  base::MutexLock lock(mutex_);
  if (absl::Status status = Begin("list"); !status.ok()) return status;
  std::vector<std::string> names;
  for (const auto& [path, node] : now_) {
    if (absl::StartsWith(path, folder + "/")) names.push_back(path.substr(folder.size() + 1));
  }
  return names;
}

absl::StatusOr<std::string> FragileDisk::Read(const std::string& path, int64_t from) {
  base::MutexLock lock(mutex_);
  if (absl::Status status = Begin("read"); !status.ok()) return status;
  const auto found = now_.find(path);
  if (found == now_.end()) return absl::NotFoundError(path);
  const auto at = static_cast<size_t>(from);
  return at >= found->second->now.size() ? "" : found->second->now.substr(at);
}

absl::StatusOr<std::unique_ptr<Disk::File>> FragileDisk::Open(const std::string& path) {
  base::MutexLock lock(mutex_);
  if (absl::Status status = Begin("open"); !status.ok()) return status;
  auto& node = now_[path];
  if (node == nullptr) node = std::make_shared<Node>();
  return std::unique_ptr<File>(std::make_unique<OpenFile>(*this, node));
}

absl::Status FragileDisk::Remove(const std::string& path) {
  base::MutexLock lock(mutex_);
  if (absl::Status status = Begin("remove"); !status.ok()) return status;
  return now_.erase(path) > 0 ? absl::OkStatus() : absl::NotFoundError(path);
}

absl::Status FragileDisk::SyncFolder(const std::string&) {
  base::MutexLock lock(mutex_);
  if (absl::Status status = Begin("sync folder"); !status.ok()) return status;
  durable_ = now_;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Disk::Held>> FragileDisk::Lock(const std::string& path) {
  base::MutexLock lock(mutex_);
  if (absl::Status status = Begin("lock"); !status.ok()) return status;
  if (*locks_ > 0) return absl::FailedPreconditionError(absl::StrCat(path, " is held by another process"));
  return std::unique_ptr<Held>(std::make_unique<HeldLock>(locks_));
}

}  // namespace callbridge::store
