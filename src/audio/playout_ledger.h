#ifndef CALLBRIDGE_SRC_AUDIO_PLAYOUT_LEDGER_H_
#define CALLBRIDGE_SRC_AUDIO_PLAYOUT_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/audio/spell_clock.h"

namespace callbridge::audio {

// 8 kHz mu-law: one byte a sample, eight a millisecond (G.711).
inline constexpr int64_t kBytesPerMs = 8;
inline absl::Duration PlayingTime(int64_t bytes) { return absl::Microseconds(bytes * 1000 / kBytesPerMs); }

// What the caller has heard: per item of the model what was received from it, sent to the carrier, and heard.
//
// The carrier plays what it gets in order and in real time, and acknowledges checkpoints. What is sent while the
// carrier has audio left continues a spell of sound; a spell begins to sound some time after its first byte came.
// That time is learned: from the spell's own acknowledgements, which may be lost or late (SpellClock), and until one
// has come from what was usual in the call (StartDelays). From there on the clock tells. Heard is never less than what
// was acknowledged and never more than what was sent.
//
// Pure, not thread-safe. Positions are bytes sent since the beginning, less what was withdrawn.
class PlayoutLedger {
 public:
  struct Item {
    std::string item_id;
    int64_t received = 0;  // Bytes, as are the others.
    int64_t sent = 0;
    int64_t heard = 0;          // As of the call that returned this.
    bool acknowledged = false;  // `heard` rests on a checkpoint, not on the clock.
    bool calibrated = false;    // ... or on the clock, and a checkpoint of this stream has set that.
    bool complete = false;      // The model will send no more of it.
    // When its first byte sounded, or will, as far as is known now; InfiniteFuture: none was sent.
    absl::Time first_sound = absl::InfiniteFuture();
  };

  // A stream of the carrier begins: nothing is known of it yet but what was usual in this call.
  void OnNewStream();

  // Audio of an item came from the model. New items play behind all earlier ones.
  void OnReceived(absl::string_view item_id, int64_t bytes);

  // The model will send no more audio of this item. False: it is not known, or was complete already.
  bool OnComplete(absl::string_view item_id);
  bool Complete(absl::string_view item_id) const;
  // Items of which more may come, oldest first.
  std::vector<std::string> Incomplete() const;

  // `bytes` of an item were handed to the carrier.
  void OnSent(absl::string_view item_id, int64_t bytes, absl::Time now);

  // A checkpoint with this number was sent behind all audio so far. Numbers grow over the whole call.
  void OnCheckpointSent(int64_t number);

  // The carrier acknowledged it. False: it is not awaited (a repeat, one that a clear swallowed, or one behind a later
  // one), and nothing changes.
  bool OnCheckpointPlayed(int64_t number, absl::Time now);

  // Everything not heard is thrown away: the carrier was told to clear. Returns the items that were not heard to their
  // end (or are not complete), oldest first, and forgets all items and checkpoints.
  std::vector<Item> Clear(absl::Time now);

  // Everything was heard up to `position`, at most HeardPosition() and no less than a byte group before it, and what
  // lies behind it counts as not sent: the carrier was told to clear, and it will be sent again. Forgets checkpoints.
  void Withdraw(int64_t position);

  // Removes and returns the items at the front that are complete and heard to their end.
  std::vector<Item> TakeFinished(absl::Time now);

  // The oldest item that was not heard to its end, or of which more may come.
  absl::optional<Item> Audible(absl::Time now) const;

  // When the audio sent so far will have been heard; InfinitePast if none is out.
  absl::Time playout_end() const;

  // When the oldest item will have been heard to its end; InfiniteFuture while more of it is to come or to be sent.
  absl::Time FrontEnd() const;

  // When the first byte of an item sounded, or will, as far as is known now; InfiniteFuture: none was sent, or the item
  // is not known (any more).
  absl::Time FirstSound(absl::string_view item_id) const;

  // Position behind the last byte sent; and behind the last byte heard.
  int64_t sent() const { return sent_; }
  int64_t HeardPosition(absl::Time now) const;

  // How much of what was sent has not been heard.
  absl::Duration Ahead(absl::Time now) const { return PlayingTime(sent_ - HeardPosition(now)); }

  // How many bytes were sent since the carrier had surely nothing left; 0 if it has nothing now.
  int64_t BytesSinceSilence(absl::Time now) const { return SurelyDry(now) ? 0 : sent_ - silence_; }

  // No item is known: everything received was heard, or cleared.
  bool empty() const { return items_.empty(); }
  int64_t unacknowledged_checkpoints() const { return static_cast<int64_t>(checkpoints_.size()); }
  // From sending audio into silence to its sound, as is to be expected.
  absl::Duration start_delay() const { return delays_.Guess(); }

 private:
  struct Entry {
    std::string item_id;
    int64_t received = 0;
    int64_t sent = 0;
    // Position of its first byte sent; items are sent one after the other, so its bytes are contiguous.
    int64_t first = -1;
    absl::Time first_sound = absl::InfiniteFuture();  // Once it is settled.
    bool complete = false;
  };
  struct Checkpoint {
    int64_t number;
    int64_t position;
  };
  struct Spell {
    int64_t position;   // Of its first byte.
    absl::Time sent;    // That byte.
    absl::Time latest;  // That byte sounds no later, usually.
    SpellClock clock;
    absl::Time start;  // When that byte sounds.
    bool from_silence;
    bool learned = false;
  };

  Entry& Find(absl::string_view item_id);
  const Entry* Known(absl::string_view item_id) const;
  Item Report(const Entry& entry, int64_t heard_position) const;
  bool SurelyDry(absl::Time now) const;
  void BeginSpell(absl::Time now);
  void ForgetSpells();
  void SetStarts(size_t from);
  // Behind the last byte of a spell; and when it will have been heard.
  int64_t End(size_t spell) const { return spell + 1 < spells_.size() ? spells_[spell + 1].position : sent_; }
  absl::Time EndTime(size_t spell) const {
    return spells_[spell].start + PlayingTime(End(spell) - spells_[spell].position);
  }
  void CountPassed(int passed);
  // When the first byte of a spell is believed to sound: no earlier than is sure while nothing was heard of it.
  absl::Time Believed(const Spell& spell) const;
  absl::Time SoundTime(const Entry& entry) const;

  std::deque<Entry> items_;
  std::deque<Checkpoint> checkpoints_;
  std::deque<Spell> spells_;  // The last few. Empty: all that was sent is settled.
  StartDelays delays_;
  int64_t sent_ = 0;
  int64_t acknowledged_ = 0;  // Position behind the last byte acknowledged.
  int64_t settled_ = 0;       // Position before which everything counts as heard for good.
  int64_t silence_ = 0;       // Position at which the carrier had surely nothing left, the last time.
  bool calibrated_ = false;
  // Of the last checkpoints that the carrier has passed for certain: how many, and how many were acknowledged in time.
  int passed_ = 0;
  int told_ = 0;
};

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_PLAYOUT_LEDGER_H_
