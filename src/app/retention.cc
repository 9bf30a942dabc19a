#include "src/app/retention.h"

#include <pthread.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "src/base/clock.h"
#include "src/base/log.h"

namespace callbridge::app {
namespace {

using base::Log;
using base::LogKind;

constexpr int kCallsPerBatch = 50;
constexpr absl::Duration kBetweenBatches = absl::Milliseconds(50);
constexpr absl::Duration kBetweenPurges = absl::Hours(24);
constexpr absl::Duration kBetweenTries = absl::Minutes(1);

absl::Time Before(int days, absl::Time now) { return days == 0 ? absl::InfinitePast() : now - absl::Hours(24) * days; }

}  // namespace

store::Retention KeptSince(const session::RetentionDays& days, absl::Time now) {
  return {Before(days.events, now), Before(days.transcripts, now), Before(days.calls, now)};
}

bool Purges(const session::RetentionDays& days) { return days.events + days.transcripts + days.calls > 0; }

absl::StatusOr<store::Purged> PurgeAll(store::CallStore& store, const store::Retention& keep,
                                       const std::function<bool()>& pause) {
  store::Purged all;
  do {
    const absl::StatusOr<store::Purged> batch = store.Purge(keep, kCallsPerBatch);
    if (!batch.ok()) return batch.status();
    all.events += batch->events;
    all.transcripts += batch->transcripts;
    all.calls += batch->calls;
    all.more = batch->more;
  } while (all.more && pause());
  return all;
}

DailyPurge::DailyPurge(store::CallStore& store, const session::RetentionDays& days) : store_(store), days_(days) {
  if (!Purges(days_)) return;
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "cb-purge");
}

DailyPurge::~DailyPurge() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

bool DailyPurge::Wait(absl::Duration time) {
  const absl::Time until = absl::Now() + time;
  base::MutexLock lock(mutex_);
  while (!stopping_ && absl::Now() < until) {
    wake_.WaitFor(mutex_, absl::ToChronoMilliseconds(until - absl::Now() + absl::Milliseconds(1)));
  }
  return !stopping_;
}

void DailyPurge::Run() {
  absl::Duration pause;
  do {
    const auto purged =
        PurgeAll(store_, KeptSince(days_, base::SystemClock().Now()), [this] { return Wait(kBetweenBatches); });
    pause = purged.ok() ? kBetweenPurges : kBetweenTries;
    if (!purged.ok()) {
      Log(LogKind::kTrouble, "", "old records could not be purged", {{"why", std::string(purged.status().message())}});
    } else if (purged->events + purged->transcripts + purged->calls > 0) {
      Log(LogKind::kDatabase, "", "old records purged",
          {{"events", absl::StrCat(purged->events)},
           {"transcripts", absl::StrCat(purged->transcripts)},
           {"calls", absl::StrCat(purged->calls)}});
    }
  } while (Wait(pause));
}

}  // namespace callbridge::app
