#include "src/events/event_tailer.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "src/base/log.h"

namespace callbridge::events {
namespace {

using base::Log;
using base::LogKind;

EventTailer::Options Checked(EventTailer::Options options) {
  options.batch = std::max(options.batch, 1);
  options.idle_poll = std::max(options.idle_poll, options.poll);
  return options;
}

}  // namespace

EventTailer::EventTailer(Read read, EventHub& hub, Options options)
    : read_(std::move(read)), hub_(hub), options_(Checked(options)), due_(absl::Now() + Poll()), thread_([this] {
        Run();
      }) {
  pthread_setname_np(thread_.native_handle(), "cb-tailer");
  hub_.OnSubscriber([this] { Hint(0); });
}

EventTailer::~EventTailer() { Stop(); }

void EventTailer::Hint(int64_t position) {
  base::MutexLock lock(mutex_);
  if (position > 0 && position <= hinted_) return;
  if (position > 0) {
    hinted_ = position;
  } else {
    ++looks_;
  }
  changed_.NotifyAll();
}

bool EventTailer::Drain(absl::Duration at_most) {
  const absl::Time deadline = absl::Now() + at_most;
  base::MutexLock lock(mutex_);
  const int64_t mine = ++looks_;
  changed_.NotifyAll();
  while (looked_ < mine || hub_.head() < hinted_) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration() || stopping_) return false;
    changed_.WaitFor(mutex_, absl::ToChronoMilliseconds(std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
  }
  return true;
}

void EventTailer::Stop() {
  hub_.OnSubscriber(nullptr);
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void EventTailer::Run() {
  base::MutexLock lock(mutex_);
  for (;;) {
    WaitUntilDue();
    if (stopping_) return;
    const int64_t looks = looks_;
    mutex_.Unlock();
    const absl::Status status = ReadToTheEnd();
    mutex_.Lock();
    OnRead(status, looks);
    changed_.NotifyAll();
  }
}

void EventTailer::WaitUntilDue() {
  while (!stopping_) {
    // While pauses are due, hints do not shorten them: a store that is away must not be asked once for each commit.
    const bool hinted = pauses_ == 0 && (looks_ > looked_ || hinted_ > hub_.head());
    const absl::Duration left = due_ - absl::Now();
    if (hinted || left <= absl::ZeroDuration()) return;
    changed_.WaitFor(mutex_, absl::ToChronoMilliseconds(std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
  }
}

absl::Status EventTailer::ReadToTheEnd() {
  for (;;) {
    const int64_t before = hub_.head();
    auto events = read_(before, options_.batch);
    if (!events.ok()) return events.status();
    const bool all = events->size() < static_cast<size_t>(options_.batch);
    hub_.Publish(*std::move(events));
    // A log that repeats itself would keep this here for ever.
    if (all || hub_.head() <= before) return absl::OkStatus();
    base::MutexLock lock(mutex_);
    if (stopping_) return absl::CancelledError("stopping");
  }
}

void EventTailer::OnRead(const absl::Status& status, int64_t looks) {
  if (status.ok()) {
    if (std::exchange(failing_, false)) Log(LogKind::kDatabase, "", "the event log can be read again");
    looked_ = looks;
    // Readers of a shared log may be shown a commit a little later than it was made.
    if (hinted_ <= hub_.head()) pauses_ = 0;
    due_ = absl::Now() + (hinted_ <= hub_.head() ? Poll() : std::min(NextPause(), Poll()));
    return;
  }
  if (stopping_) return;
  if (!std::exchange(failing_, true)) {
    Log(LogKind::kTrouble, "", "the event log cannot be read; subscribers wait",
        {{"error", std::string(status.message())}});
  }
  due_ = absl::Now() + NextPause();
}

absl::Duration EventTailer::Poll() const { return hub_.subscribers() > 0 ? options_.poll : options_.idle_poll; }

absl::Duration EventTailer::NextPause() {
  const absl::Duration pause = options_.first_pause * (int64_t{1} << std::min(pauses_, 20));
  ++pauses_;
  return std::min(pause, options_.longest_pause);
}

}  // namespace callbridge::events
