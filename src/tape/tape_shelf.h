#ifndef CALLBRIDGE_SRC_TAPE_TAPE_SHELF_H_
#define CALLBRIDGE_SRC_TAPE_TAPE_SHELF_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "src/base/executor.h"
#include "src/call/command.h"
#include "src/call/options.h"
#include "src/tape/tape_writer.h"

namespace callbridge::tape {

// The folder in which each call leaves its tape: `<begin>-<call id>.tape`, readable by its owner only. Files are
// written on `executor`; a folder or disk that fails is logged once for each call and never disturbs it. Thread-safe.
class TapeShelf {
 public:
  // `executor` outlives the shelf and its tapes.
  TapeShelf(std::string folder, const TapeWriter::Options& options, base::Executor& executor)
      : folder_(std::move(folder)), options_(options), executor_(executor) {}

  // Whether tapes can be left there now: an error says what to do.
  absl::Status Check() const;

  // For a call that begins about `now`. `sink` outlives the tape.
  std::unique_ptr<TapeWriter> NewTape(const call::CallOptions& call, call::CommandSink& sink, absl::Time now) const;

 private:
  const std::string folder_;
  const TapeWriter::Options options_;
  base::Executor& executor_;
};

}  // namespace callbridge::tape

#endif  // CALLBRIDGE_SRC_TAPE_TAPE_SHELF_H_
