#include "src/sim/carrier_ticker.h"

#include <algorithm>

namespace callbridge::sim {
namespace {

constexpr absl::Duration kStep = absl::Milliseconds(5);
constexpr absl::Duration kOldest = absl::Seconds(1);

}  // namespace

CarrierTicker::CarrierTicker(net::Loop& loop) : loop_(loop), timer_(loop.NewTimer([this] { Fire(); })) {}

void CarrierTicker::Add(Ticked* ticked) {
  phases_[next_phase_].push_back(ticked);
  next_phase_ = (next_phase_ + 1) % kPhases;
  if (++count_ > 1) return;
  due_ = loop_.clock().Now() + kStep;
  timer_->Set(due_);
}

void CarrierTicker::Remove(Ticked* ticked) {
  for (std::vector<Ticked*>& phase : phases_) {
    const auto found = std::find(phase.begin(), phase.end(), ticked);
    if (found == phase.end()) continue;
    *found = nullptr;
    --count_;
    if (count_ == 0) timer_->Cancel();
    return;
  }
}

void CarrierTicker::Fire() {
  const absl::Time now = loop_.clock().Now();
  while (now - due_ > kOldest) due_ += kStep * kPhases;
  for (; count_ > 0 && due_ <= now; due_ += kStep) {
    RunPhase(phases_[current_]);
    current_ = (current_ + 1) % kPhases;
  }
  if (count_ > 0) timer_->Set(due_);
}

void CarrierTicker::RunPhase(std::vector<Ticked*>& phase) {
  // By index: Add() inside OnTick() may move the vector.
  const size_t size = phase.size();
  for (size_t i = 0; i < size; ++i) {
    if (phase[i] != nullptr) phase[i]->OnTick(due_);
  }
  phase.erase(std::remove(phase.begin(), phase.end(), nullptr), phase.end());
}

}  // namespace callbridge::sim
