#ifndef CALLBRIDGE_SRC_STORE_SPOOL_SPOOL_LOG_H_
#define CALLBRIDGE_SRC_STORE_SPOOL_SPOOL_LOG_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "src/store/spool/disk.h"

namespace callbridge::store {

// A queue of records on disk: appended at one end, taken at the other, in files of bounded size ("segments",
// spool-00000001.log, ...) of a folder that belongs to one process at a time.
//
// A record lies there as its length and its CRC-32C (4 bytes each, little-endian; the checksum is of the length's bytes
// and the record) and then itself. A record that was appended is there after any crash until it was popped, and
// sometimes still afterwards: those that were popped may come again, before those behind them, until Clear() is OK.
//   spool-N.log.torn         the end of a segment that a crash left half written; nobody was told that it is kept
//   spool-N.log.quarantined  a copy of a segment with a bad record in its middle
//   spool.refused            see Refuse()
// Nothing here reads or removes those: they are for people. Not thread-safe.
class SpoolLog {
 public:
  struct Options {
    std::string folder;
    int64_t limit_bytes = int64_t{512} << 20;  // Of all segments.
    int64_t segment_bytes = int64_t{4} << 20;  // About; at least one record.
    Disk* disk = &RealDisk();
  };

  // Makes the folder or takes it over with what is in it. kFailedPrecondition: another process has it. kDataLoss: a
  // segment has a bad record that is not just its torn end. The message names the file and the offset; the file is
  // quarantined and then cut off before that record, so that what stood before it is there at the next Open().
  static absl::StatusOr<std::unique_ptr<SpoolLog>> Open(const Options& options);

  // OK: the record is durable. kUnavailable: it is not kept; the message says why, such as the limit.
  absl::Status Append(absl::string_view record);

  // The oldest record; nullopt: there is none. A segment that has gone bad since it was written is quarantined and
  // logged, and what stands before the bad record and in the next segments goes on.
  absl::StatusOr<absl::optional<std::string>> Front();

  // The front is done with. Only after Front() gave one.
  void Pop();

  // With no record left: none comes back, whatever happens.
  absl::Status Clear();

  // Keeps a record that nobody will take in spool.refused, as a JSON line with the time and `why`.
  absl::Status Refuse(absl::string_view record, absl::string_view why);

  int64_t records() const { return records_; }      // That were not popped.
  int64_t bytes() const;                            // Of all segments, as they lie on the disk.
  int quarantined() const { return quarantined_; }  // Quarantined files in the folder.

 private:
  struct Segment {
    std::string path;
    int64_t size = 0;  // Of whole, durable records.
    int64_t records = 0;
  };

  explicit SpoolLog(const Options& options);

  std::string PathOf(int64_t number) const;
  absl::Status TakeOver();
  absl::Status TakeOverSegment(const std::string& name, bool last);
  absl::Status CutTornEnd(const std::string& path, int64_t good, absl::string_view torn);
  absl::Status Quarantine(const std::string& path, absl::string_view all, int64_t good);
  absl::Status WriteFile(const std::string& path, absl::string_view data);
  absl::Status CutTo(const std::string& path, int64_t size);
  absl::Status NewSegment();
  absl::Status WriteDurably(absl::string_view framed);
  absl::Status RepairTail();
  absl::Status FillFromHead();
  absl::Status RemoveHead();

  const Options options_;
  std::unique_ptr<Disk::Held> lock_;
  std::deque<Segment> segments_;      // Oldest first; the last is appended to if `tail_` is set.
  std::unique_ptr<Disk::File> tail_;  // Null: the next record begins a segment.
  bool tail_broken_ = false;          // Behind the tail's size there may be part of a record that was not kept.
  int64_t next_number_ = 1;
  int64_t records_ = 0;
  int64_t head_read_ = 0;          // How far the first segment was read into `front_`.
  std::deque<std::string> front_;  // Of the first segment, not popped.
  int quarantined_ = 0;
};

}  // namespace callbridge::store

#endif  // CALLBRIDGE_SRC_STORE_SPOOL_SPOOL_LOG_H_
