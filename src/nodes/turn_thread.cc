#include "src/nodes/turn_thread.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace callbridge::nodes {

TurnThread::TurnThread(const std::string& name, std::function<absl::Duration()> turn)
    : turn_(std::move(turn)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

TurnThread::~TurnThread() { Stop(); }

void TurnThread::Wake() {
  base::MutexLock lock(mutex_);
  woken_ = true;
  changed_.NotifyAll();
}

void TurnThread::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void TurnThread::Run() {
  absl::Time due = absl::InfinitePast();
  base::MutexLock lock(mutex_);
  for (;;) {
    while (!stopping_ && !woken_) {
      const absl::Duration left = due - absl::Now();
      if (left <= absl::ZeroDuration()) break;
      changed_.WaitFor(mutex_, absl::ToChronoMilliseconds(std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
    }
    if (stopping_) return;
    woken_ = false;
    mutex_.Unlock();
    const absl::Duration pause = turn_();
    mutex_.Lock();
    due = absl::Now() + pause;
  }
}

}  // namespace callbridge::nodes
