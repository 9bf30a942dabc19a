#include "src/net/asio_loop.h"

#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>

#include "absl/time/time.h"
#include "src/base/log.h"

namespace callbridge::net {
namespace {

// The wait that Asio runs refers to State only, so that the timer may be destroyed at any time, in its own task too.
class AsioTimer final : public Timer {
 public:
  AsioTimer(AsioLoop& loop, base::Task task) : state_(std::make_shared<State>(loop, std::move(task))) {}
  ~AsioTimer() override { Cancel(); }

  void Set(absl::Time when) override {
    const uint64_t setting = ++state_->setting;
    const absl::Duration wait = std::max(when - state_->loop.clock().Now(), absl::ZeroDuration());
    state_->timer.expires_after(absl::ToChronoNanoseconds(wait));
    state_->timer.async_wait([state = state_, setting](const asio::error_code& error) {
      // A wait that had expired when it was cancelled still comes without an error: the number tells.
      if (error || setting != state->setting) return;
      ++state->setting;
      state->task();
    });
  }

  void Cancel() override {
    ++state_->setting;
    state_->timer.cancel();
  }

 private:
  struct State {
    State(AsioLoop& l, base::Task t) : loop(l), timer(l.io()), task(std::move(t)) {}
    AsioLoop& loop;
    asio::steady_timer timer;
    base::Task task;
    uint64_t setting = 0;
  };
  std::shared_ptr<State> state_;
};

}  // namespace

AsioLoop::AsioLoop(const std::string& name) : thread_([this, name] { Run(name); }) {}

AsioLoop::~AsioLoop() { Stop(); }

void AsioLoop::Post(base::Task task) {
  if (dropping_) return;
  asio::post(io_, [this, task = std::move(task)]() mutable {
    if (!dropping_) task();
  });
}

std::unique_ptr<Timer> AsioLoop::NewTimer(base::Task task) {
  return std::make_unique<AsioTimer>(*this, std::move(task));
}

void AsioLoop::Run(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  while (true) {
    try {
      io_.run();
      return;
    } catch (const std::exception& error) {
      // Nothing of ours throws. One connection's trouble must not take the loop's other calls with it.
      base::Log(base::LogKind::kTrouble, "", "exception on an event loop", {{"loop", name}, {"what", error.what()}});
    }
  }
}

void AsioLoop::Stop() {
  {
    base::MutexLock lock(mutex_);
    if (state_ == State::kRunning) {
      state_ = State::kStopping;
      dropping_ = true;
      asio::post(io_, [this] {
        RunStopHooks();
        io_.stop();
      });
    } else {
      while (state_ != State::kStopped) changed_.Wait(mutex_);
      return;
    }
  }
  thread_.join();
  base::MutexLock lock(mutex_);
  state_ = State::kStopped;
  changed_.NotifyAll();
}

void AsioLoop::RunStopHooks() {
  std::map<int, std::function<void()>> hooks;
  {
    base::MutexLock lock(mutex_);
    hooks.swap(hooks_);
  }
  for (auto& [id, hook] : hooks) hook();
}

void AsioLoop::RunAndWait(base::Task task) {
  bool done = false;
  {
    base::MutexLock lock(mutex_);
    if (state_ == State::kRunning) {
      // Under the lock, so that it is queued before Stop()'s last task, behind which nothing runs.
      asio::post(io_, [&] {
        task();
        base::MutexLock done_lock(mutex_);
        done = true;
        changed_.NotifyAll();
      });
      while (!done) changed_.Wait(mutex_);
      return;
    }
    while (state_ != State::kStopped) changed_.Wait(mutex_);
  }
  task();
}

int AsioLoop::AddStopHook(std::function<void()> cut) {
  base::MutexLock lock(mutex_);
  hooks_.emplace(next_hook_, std::move(cut));
  return next_hook_++;
}

void AsioLoop::RemoveStopHook(int id) {
  base::MutexLock lock(mutex_);
  hooks_.erase(id);
}

}  // namespace callbridge::net
