#include "src/nodes/hang_ups.h"

#include "absl/strings/str_cat.h"
#include "src/base/log.h"

namespace callbridge::nodes {

using base::Log;
using base::LogKind;

absl::Duration HangUps::Turn() {
  const auto jobs = table_.TakeHangUps(options_.patience, options_.batch);
  // Whoever renews the lease says that the database is away.
  if (!jobs.ok()) return options_.look;
  for (const store::HangUpJob& job : *jobs) Do(job);
  return jobs->size() < static_cast<size_t>(options_.batch) ? options_.look : absl::ZeroDuration();
}

void HangUps::Do(const store::HangUpJob& job) {
  const absl::Status status = hang_up_(job.carrier_call_id);
  if (status.ok()) {
    Log(LogKind::kEnd, job.call_id, "call of a dead node hung up", {});
  } else {
    // Nothing but the id is ours in this request: one that the carrier cannot read stays so.
    const bool last = absl::IsInvalidArgument(status) || job.attempts >= options_.attempts;
    Log(LogKind::kTrouble, job.call_id,
        last ? "hanging up a call of a dead node is given up" : "hanging up a call of a dead node failed",
        {{"why", std::string(status.message())}, {"attempt", absl::StrCat(job.attempts)}});
    if (!last) return;
  }
  ++done_;
  // If this fails somebody hangs it up once more, which is harmless.
  table_.FinishHangUp(job.call_id).IgnoreError();
}

}  // namespace callbridge::nodes
