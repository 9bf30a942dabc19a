#include "src/net/manual_loop.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>

namespace callbridge::net {

using TimerKey = std::pair<absl::Time, uint64_t>;  // When, and the how-manieth Set() it was.

struct ManualLoop::State {
  base::ManualClock clock;
  std::deque<base::Task> posted;
  std::map<TimerKey, ManualTimer*> timers;
  uint64_t settings = 0;

  explicit State(absl::Time start) : clock(start) {}
};

class ManualLoop::ManualTimer final : public Timer {
 public:
  ManualTimer(const std::shared_ptr<State>& state, base::Task task)
      : state_(state), task_(std::make_shared<base::Task>(std::move(task))) {}
  ~ManualTimer() override { Cancel(); }

  void Set(absl::Time when) override {
    Cancel();
    if (auto state = state_.lock()) {
      key_ = TimerKey(when, state->settings++);
      state->timers.emplace(*key_, this);
    }
  }

  void Cancel() override {
    auto state = state_.lock();
    if (state && key_) state->timers.erase(*key_);
    key_.reset();
  }

  void Fire() {
    Cancel();
    const auto task = task_;  // The task may destroy this timer.
    (*task)();
  }

 private:
  std::weak_ptr<State> state_;
  std::shared_ptr<base::Task> task_;
  absl::optional<TimerKey> key_;
};

ManualLoop::ManualLoop(absl::Time start) : state_(std::make_shared<State>(start)) {}

ManualLoop::~ManualLoop() {
  // What the dropped tasks own may post again or destroy timers: both must still find a whole state.
  while (!state_->posted.empty()) {
    base::Task dropped = std::move(state_->posted.front());
    state_->posted.pop_front();
  }
}

void ManualLoop::Post(base::Task task) { state_->posted.push_back(std::move(task)); }

const base::Clock& ManualLoop::clock() const { return state_->clock; }

std::unique_ptr<Timer> ManualLoop::NewTimer(base::Task task) {
  return std::make_unique<ManualTimer>(state_, std::move(task));
}

int ManualLoop::Run() { return Advance(absl::ZeroDuration()); }

int ManualLoop::Advance(absl::Duration by) {
  constexpr int kMaxTurns = 1'000'000;
  const absl::Time until = now() + by;
  int turns = 0;
  while (RunOne(until)) {
    if (++turns < kMaxTurns) continue;
    std::fprintf(stderr, "ManualLoop: still busy after %d turns; does a timer set itself to now?\n", kMaxTurns);
    std::abort();
  }
  state_->clock.Advance(until - now());
  return turns;
}

bool ManualLoop::RunOne(absl::Time until) {
  if (!state_->posted.empty()) {
    base::Task task = std::move(state_->posted.front());
    state_->posted.pop_front();
    std::move(task)();
    return true;
  }
  if (state_->timers.empty() || state_->timers.begin()->first.first > until) return false;
  const auto [key, timer] = *state_->timers.begin();
  state_->clock.Advance(std::max(key.first - now(), absl::ZeroDuration()));
  timer->Fire();
  return true;
}

absl::optional<absl::Time> ManualLoop::NextTimer() const {
  if (state_->timers.empty()) return absl::nullopt;
  return state_->timers.begin()->first.first;
}

}  // namespace callbridge::net
