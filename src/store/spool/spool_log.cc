#include "src/store/spool/spool_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "nlohmann/json.hpp"
#include "src/base/log.h"
#include "src/store/spool/crc32c.h"
#include "src/store/text.h"

namespace callbridge::store {
namespace {

using base::Log;
using base::LogKind;

constexpr size_t kHeader = 8;
constexpr char kPrefix[] = "spool-";
constexpr char kSuffix[] = ".log";
constexpr char kQuarantined[] = ".quarantined";
constexpr char kTorn[] = ".torn";

std::string LittleEndian(uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

uint32_t FromLittleEndian(absl::string_view bytes) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

std::string Frame(absl::string_view record) {
  const std::string length = LittleEndian(static_cast<uint32_t>(record.size()));
  return absl::StrCat(length, LittleEndian(Crc32c(absl::StrCat(length, record))), record);
}

// The record that begins at `data`; nullopt: none does.
absl::optional<absl::string_view> Unframe(absl::string_view data) {
  if (data.size() < kHeader) return absl::nullopt;
  const uint32_t length = FromLittleEndian(data);
  if (length == 0 || length > data.size() - kHeader) return absl::nullopt;
  const absl::string_view record = data.substr(kHeader, length);
  if (FromLittleEndian(data.substr(4)) != Crc32c(absl::StrCat(data.substr(0, 4), record))) return absl::nullopt;
  return record;
}

struct Scanned {
  std::vector<absl::string_view> records;
  size_t good = 0;    // Where the last of them ends.
  bool more = false;  // A whole record lies somewhere behind that.
};

Scanned Scan(absl::string_view data) {
  Scanned scanned;
  while (const auto record = Unframe(data.substr(scanned.good))) {
    scanned.records.push_back(*record);
    scanned.good += kHeader + record->size();
  }
  for (size_t at = scanned.good + 1; at + kHeader < data.size() && !scanned.more; ++at) {
    scanned.more = Unframe(data.substr(at)).has_value();
  }
  return scanned;
}

// The number of a segment's file; nullopt: it is none.
absl::optional<int64_t> NumberOf(absl::string_view name) {
  int64_t number = 0;
  if (!absl::ConsumePrefix(&name, kPrefix) || !absl::ConsumeSuffix(&name, kSuffix)) return absl::nullopt;
  return absl::SimpleAtoi(name, &number) ? absl::make_optional(number) : absl::nullopt;
}

}  // namespace

SpoolLog::SpoolLog(const Options& options) : options_(options) {}

std::string SpoolLog::PathOf(int64_t number) const {
  return absl::StrFormat("%s/%s%08d%s", options_.folder, kPrefix, number, kSuffix);
}

absl::StatusOr<std::unique_ptr<SpoolLog>> SpoolLog::Open(const Options& options) {
  std::unique_ptr<SpoolLog> log(new SpoolLog(options));
  if (absl::Status status = options.disk->MakeFolder(options.folder); !status.ok()) return status;
  auto lock = options.disk->Lock(options.folder + "/lock");
  if (!lock.ok()) return lock.status();
  log->lock_ = *std::move(lock);
  if (absl::Status status = log->TakeOver(); !status.ok()) return status;
  return log;
}

absl::Status SpoolLog::TakeOver() {
  auto names = options_.disk->List(options_.folder);
  if (!names.ok()) return names.status();
  std::sort(names->begin(), names->end());  // Numbers have leading zeroes.
  std::vector<std::string> found;
  for (const std::string& name : *names) {
    if (absl::EndsWith(name, kQuarantined)) ++quarantined_;
    // Also of what was set aside: its name must not be used again.
    const auto number = NumberOf(name.substr(0, name.find(kSuffix) + sizeof(kSuffix) - 1));
    if (number) next_number_ = std::max(next_number_, *number + 1);
    if (NumberOf(name)) found.push_back(name);
  }
  for (const std::string& name : found) {
    if (absl::Status status = TakeOverSegment(name, name == found.back()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SpoolLog::TakeOverSegment(const std::string& name, bool last) {
  const std::string path = absl::StrCat(options_.folder, "/", name);
  const auto data = options_.disk->Read(path, 0);
  if (!data.ok()) return data.status();
  const Scanned scanned = Scan(*data);
  if (scanned.good < data->size()) {
    // Only what was appended last can be torn: each append is synced before the next one.
    if (scanned.more || !last) {
      if (absl::Status status = Quarantine(path, *data, static_cast<int64_t>(scanned.good)); !status.ok())
        return status;
      return absl::DataLossError(absl::StrCat(
          path, ": bad record at offset ", scanned.good, "; what stands from there on (", data->size() - scanned.good,
          " bytes) is not replayed and is kept in ", path, kQuarantined, "; start again to go on without it"));
    }
    const absl::string_view torn = absl::string_view(*data).substr(scanned.good);
    if (absl::Status status = CutTornEnd(path, static_cast<int64_t>(scanned.good), torn); !status.ok()) return status;
  }
  segments_.push_back({path, static_cast<int64_t>(scanned.good), static_cast<int64_t>(scanned.records.size())});
  records_ += static_cast<int64_t>(scanned.records.size());
  return absl::OkStatus();
}

absl::Status SpoolLog::CutTornEnd(const std::string& path, int64_t good, absl::string_view torn) {
  if (absl::Status status = WriteFile(path + kTorn, torn); !status.ok()) return status;
  if (absl::Status status = CutTo(path, good); !status.ok()) return status;
  Log(LogKind::kTrouble, "", "the spool ended in half a record, which was cut off",
      {{"file", path},
       {"offset", absl::StrCat(good)},
       {"bytes", absl::StrCat(torn.size())},
       {"kept_in", path + kTorn}});
  return absl::OkStatus();
}

absl::Status SpoolLog::Quarantine(const std::string& path, absl::string_view all, int64_t good) {
  // First the copy: a crash in between finds the bad record again.
  if (absl::Status status = WriteFile(path + kQuarantined, all); !status.ok()) return status;
  if (absl::Status status = CutTo(path, good); !status.ok()) return status;
  ++quarantined_;
  return absl::OkStatus();
}

absl::Status SpoolLog::WriteFile(const std::string& path, absl::string_view data) {
  auto file = options_.disk->Open(path);
  if (!file.ok()) return file.status();
  if (absl::Status status = (*file)->Truncate(0); !status.ok()) return status;
  if (absl::Status status = (*file)->Append(data); !status.ok()) return status;
  if (absl::Status status = (*file)->Sync(); !status.ok()) return status;
  return options_.disk->SyncFolder(options_.folder);
}

absl::Status SpoolLog::CutTo(const std::string& path, int64_t size) {
  auto file = options_.disk->Open(path);
  if (!file.ok()) return file.status();
  if (absl::Status status = (*file)->Truncate(size); !status.ok()) return status;
  return (*file)->Sync();
}

int64_t SpoolLog::bytes() const {
  int64_t bytes = 0;
  for (const Segment& segment : segments_) bytes += segment.size;
  return bytes;
}

absl::Status SpoolLog::Append(absl::string_view record) {
  const std::string framed = Frame(record);
  const auto size = static_cast<int64_t>(framed.size());
  if (bytes() + size > options_.limit_bytes) {
    return absl::UnavailableError(
        absl::StrCat("the spool in ", options_.folder, " is full (", options_.limit_bytes >> 20, " MB)"));
  }
  if (absl::Status status = RepairTail(); !status.ok()) return status;
  const bool full =
      tail_ != nullptr && segments_.back().records > 0 && segments_.back().size + size > options_.segment_bytes;
  if (full) tail_ = nullptr;
  if (tail_ == nullptr) {
    if (absl::Status status = NewSegment(); !status.ok()) return status;
  }
  if (absl::Status status = WriteDurably(framed); !status.ok()) return status;
  segments_.back().size += size;
  ++segments_.back().records;
  ++records_;
  return absl::OkStatus();
}

absl::Status SpoolLog::NewSegment() {
  const std::string path = PathOf(next_number_);
  auto file = options_.disk->Open(path);
  if (!file.ok()) return file.status();
  // Without this a loss of power could leave the records, but not the file's name.
  if (absl::Status status = options_.disk->SyncFolder(options_.folder); !status.ok()) return status;
  ++next_number_;
  tail_ = *std::move(file);
  segments_.push_back({path, 0, 0});
  return absl::OkStatus();
}

absl::Status SpoolLog::WriteDurably(absl::string_view framed) {
  absl::Status status = tail_->Append(framed);
  if (status.ok()) status = tail_->Sync();
  if (status.ok()) return status;
  tail_broken_ = true;
  (void)RepairTail();  // Else before the next append.
  return status;
}

absl::Status SpoolLog::RepairTail() {
  if (!tail_broken_) return absl::OkStatus();
  absl::Status status = tail_->Truncate(segments_.back().size);
  if (status.ok()) status = tail_->Sync();
  if (status.ok()) tail_broken_ = false;
  return status;
}

absl::StatusOr<absl::optional<std::string>> SpoolLog::Front() {
  while (front_.empty() && !segments_.empty()) {
    if (head_read_ < segments_.front().size) {
      if (absl::Status status = FillFromHead(); !status.ok()) return status;
      continue;
    }
    if (segments_.size() == 1 && tail_ != nullptr) break;  // More may come.
    if (absl::Status status = RemoveHead(); !status.ok()) return status;
  }
  if (front_.empty()) return absl::optional<std::string>();
  return absl::make_optional(front_.front());
}

absl::Status SpoolLog::FillFromHead() {
  Segment& head = segments_.front();
  auto data = options_.disk->Read(head.path, head_read_);
  if (!data.ok()) return data.status();
  const auto wanted = static_cast<size_t>(head.size - head_read_);
  const Scanned scanned = Scan(absl::string_view(*data).substr(0, wanted));
  if (scanned.good < wanted) {
    const auto all = options_.disk->Read(head.path, 0);
    if (!all.ok()) return all.status();
    const int64_t good = head_read_ + static_cast<int64_t>(scanned.good);
    if (segments_.size() == 1) tail_ = nullptr;
    if (absl::Status status = Quarantine(head.path, *all, good); !status.ok()) return status;
    tail_broken_ = tail_broken_ && tail_ != nullptr;
    // Those that were popped are counted in neither.
    int64_t behind = 0;
    for (size_t i = 1; i < segments_.size(); ++i) behind += segments_[i].records;
    const int64_t left = records_ - behind - static_cast<int64_t>(scanned.records.size());
    Log(LogKind::kTrouble, "", "a file of the spool has gone bad; what stands from there on is not replayed",
        {{"file", head.path},
         {"offset", absl::StrCat(good)},
         {"records", absl::StrCat(left)},
         {"kept_in", head.path + kQuarantined}});
    records_ -= left;
    head.records -= left;
    head.size = good;
  }
  for (const absl::string_view record : scanned.records) front_.emplace_back(record);
  head_read_ = head.size;
  return absl::OkStatus();
}

void SpoolLog::Pop() {
  front_.pop_front();
  --records_;
}

absl::Status SpoolLog::Clear() {
  if (records_ > 0) return absl::FailedPreconditionError("the spool is not empty");
  tail_ = nullptr;
  tail_broken_ = false;
  while (!segments_.empty()) {
    if (absl::Status status = RemoveHead(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SpoolLog::RemoveHead() {
  if (absl::Status status = options_.disk->Remove(segments_.front().path); !status.ok() && !absl::IsNotFound(status))
    return status;
  // One at a time: an old segment must not come back without those that came behind it.
  if (absl::Status status = options_.disk->SyncFolder(options_.folder); !status.ok()) return status;
  segments_.pop_front();
  head_read_ = 0;
  return absl::OkStatus();
}

absl::Status SpoolLog::Refuse(absl::string_view record, absl::string_view why) {
  const nlohmann::json line = {{"time", FormatTimestamp(absl::Now())},
                               {"why", CleanText(why)},
                               {"record", CleanText(absl::StripTrailingAsciiWhitespace(record))}};
  auto file = options_.disk->Open(options_.folder + "/spool.refused");
  if (!file.ok()) return file.status();
  if (absl::Status status = (*file)->Append(line.dump() + "\n"); !status.ok()) return status;
  if (absl::Status status = (*file)->Sync(); !status.ok()) return status;
  return options_.disk->SyncFolder(options_.folder);
}

}  // namespace callbridge::store
