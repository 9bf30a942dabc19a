#include "src/audio/spell_clock.h"

#include <algorithm>

namespace callbridge::audio {
namespace {

// How far apart acknowledgements that were not held up may be. Less than the first checkpoints of a spell are apart:
// if two are held up and come at once, they do not agree.
constexpr absl::Duration kAgreement = absl::Milliseconds(18);
constexpr int kGapWitnesses = 4;

}  // namespace

StartDelays::StartDelays() {
  for (size_t i = 0; i < last_.size(); ++i) last_[i] = absl::Milliseconds(i % 2 == 0 ? 60 : 140);
}

void StartDelays::Learn(absl::Duration delay, bool better) {
  if (better) next_ = (next_ + last_.size() - 1) % last_.size();
  last_[next_] = delay;
  next_ = (next_ + 1) % last_.size();
}

// A few spells hardly show the extremes: the more they differ, the further out these are.
absl::Duration StartDelays::Guess() const {
  const auto [least, most] = std::minmax_element(last_.begin(), last_.end());
  const absl::Duration beyond = (*most - *least) / 8;
  return *least - beyond + (*most - *least + 2 * beyond) * 3 / 5;
}

absl::Duration StartDelays::Latest() const {
  const auto [least, most] = std::minmax_element(last_.begin(), last_.end());
  return *most + (*most - *least) / 8;
}

absl::Time SpellClock::start() const {
  if (sure()) return earliest_;
  // One alone is believed at once if it is earlier than expected: it cannot be too early. A later one may be late.
  return heard_of() ? std::min(earliest_, guess_ + (latest_ - guess_) / 8) : guess_;
}

void SpellClock::OnAcknowledged(absl::Time start) {
  if (start > earliest_ + kAgreement) {
    const bool agrees = later_ > 0 && start <= later_first_ + kAgreement && start >= later_last_ - kAgreement;
    later_ = agrees ? later_ + 1 : 1;
    later_first_ = agrees ? std::min(later_first_, start) : start;
    later_last_ = agrees ? std::max(later_last_, start) : start;
    if (later_ < kGapWitnesses) return;
    earliest_ = later_first_;
    agreed_ = later_;
  } else {
    agreed_ = start < earliest_ - kAgreement ? 1 : agreed_ + 1;
    earliest_ = std::min(earliest_, start);
  }
  later_ = 0;
}

}  // namespace callbridge::audio
