#ifndef CALLBRIDGE_SRC_AUDIO_SPELL_CLOCK_H_
#define CALLBRIDGE_SRC_AUDIO_SPELL_CLOCK_H_

#include <array>
#include <cstddef>

#include "absl/time/time.h"

namespace callbridge::audio {

// How long the carrier has needed so far from getting the first audio of a spell to its sound. Until a call's carrier
// has shown its own times, 50 to 150 ms: what jitter buffers of telephony take.
class StartDelays {
 public:
  StartDelays();

  // A spell's delay is known. `better`: it replaces what was learned last.
  void Learn(absl::Duration delay, bool better);

  // What to expect: a little above the middle. An acknowledgement can only show that it was earlier, so a guess that is
  // late is put right at once, one that is early only by a second acknowledgement.
  absl::Duration Guess() const;
  // The longest that is usual.
  absl::Duration Latest() const;

 private:
  std::array<absl::Duration, 16> last_;
  size_t next_ = 0;
};

// When a spell of sound (audio without a gap, from its first byte) began to sound at the carrier, from what the
// carrier's acknowledgements say. Each is late by an unknown time and says only "the spell began at this time or
// earlier", so the earliest counts, once a second one agrees with it. A few that agree on a later time show a gap
// inside the spell.
//
// Pure, not thread-safe.
class SpellClock {
 public:
  // `guess`: what to believe until told. `latest`: beyond it three must agree.
  SpellClock(absl::Time guess, absl::Time latest) : guess_(guess), latest_(latest) {}

  // By an acknowledgement the spell began at `start` or earlier.
  void OnAcknowledged(absl::Time start);

  absl::Time start() const;
  bool heard_of() const { return agreed_ > 0; }
  // start() rests on acknowledgements that agree.
  bool sure() const { return agreed_ >= 3 || (agreed_ == 2 && earliest_ <= latest_); }

 private:
  absl::Time guess_;
  absl::Time latest_;
  absl::Time earliest_ = absl::InfiniteFuture();
  int agreed_ = 0;  // Acknowledgements about `earliest_`.
  absl::Time later_first_ = absl::InfiniteFuture();
  absl::Time later_last_ = absl::InfinitePast();
  int later_ = 0;  // In a row, that agree with each other on a later time.
};

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_SPELL_CLOCK_H_
