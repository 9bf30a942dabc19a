#ifndef CALLBRIDGE_SRC_AUDIO_PLAYOUT_LEDGER_H_
#define CALLBRIDGE_SRC_AUDIO_PLAYOUT_LEDGER_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace callbridge::audio {

// 8 kHz mu-law: one byte a sample, eight a millisecond (G.711).
inline constexpr int64_t kBytesPerMs = 8;
inline absl::Duration PlayingTime(int64_t bytes) { return absl::Microseconds(bytes * 1000 / kBytesPerMs); }

// What the caller has heard: per item of the model what was received from it, sent to the carrier, and heard.
//
// The carrier plays what it gets in order and in real time, and acknowledges checkpoints. Between acknowledgements the
// clock estimates: audio plays from when it was sent plus the carrier's start delay, which is learned from the
// acknowledgements. Heard is never less than what was acknowledged and never more than what was sent.
//
// Pure, not thread-safe. Positions are bytes of the stream since the last Clear().
class PlayoutLedger {
 public:
  struct Item {
    std::string item_id;
    int64_t received = 0;  // Bytes, as are the others.
    int64_t sent = 0;
    int64_t heard = 0;          // As of the call that returned this.
    bool acknowledged = false;  // `heard` rests on a checkpoint, not on the clock.
    bool complete = false;      // The model will send no more of it.
  };

  // Audio of an item came from the model. New items play behind all earlier ones.
  void OnReceived(absl::string_view item_id, int64_t bytes);

  // The model will send no more audio of this item. False: it is not known, or was complete already.
  bool OnComplete(absl::string_view item_id);
  // Items of which more may come, oldest first.
  std::vector<std::string> Incomplete() const;

  // `bytes` of an item were handed to the carrier.
  void OnSent(absl::string_view item_id, int64_t bytes, absl::Time now);

  // A checkpoint with this number was sent behind all audio so far. Numbers grow over the whole call.
  void OnCheckpointSent(int64_t number);

  // The carrier acknowledged it. False: it is not awaited (a repeat, or one that a clear swallowed), and nothing
  // changes.
  bool OnCheckpointPlayed(int64_t number, absl::Time now);

  // Everything not heard is thrown away: the carrier was told to clear. Returns the items that were not heard to their
  // end (or are not complete), oldest first, and forgets all items and checkpoints.
  std::vector<Item> Clear(absl::Time now);

  // Removes and returns the items at the front that are complete and heard to their end.
  std::vector<Item> TakeFinished(absl::Time now);

  // When the audio sent so far will have been heard, by the estimate; InfinitePast if none is out.
  absl::Time playout_end() const { return sent_ > 0 ? play_end_ : absl::InfinitePast(); }

  // When the oldest item will have been heard to its end; InfiniteFuture while more of it is to come or to be sent.
  absl::Time FrontEnd() const;

  // How much of what was sent has not been heard.
  absl::Duration Ahead(absl::Time now) const { return PlayingTime(sent_ - HeardPosition(now)); }

  // When audio sent at `now` would begin to sound.
  absl::Time NextStart(absl::Time now) const { return std::max(play_end_, now + start_delay_); }

  // No item is known: everything received was heard, or cleared.
  bool empty() const { return items_.empty(); }
  int64_t unacknowledged_checkpoints() const { return static_cast<int64_t>(checkpoints_.size()); }
  absl::Duration start_delay() const { return start_delay_; }

 private:
  struct Entry {
    std::string item_id;
    int64_t received = 0;
    int64_t sent = 0;
    int64_t first =
        -1;  // Position of its first byte sent; items are sent one after the other, so its bytes are contiguous.
    bool complete = false;
  };
  struct Checkpoint {
    int64_t number;
    int64_t position;
    bool first_of_spell;
  };

  Entry& Find(absl::string_view item_id);
  int64_t HeardPosition(absl::Time now) const;
  Item Report(const Entry& entry, int64_t heard_position) const;

  std::deque<Entry> items_;
  std::deque<Checkpoint> checkpoints_;
  int64_t sent_ = 0;          // Position behind the last byte sent.
  int64_t acknowledged_ = 0;  // Position behind the last byte acknowledged.
  int64_t spell_start_ = 0;   // Position before the present spell of sound: everything in front of it was heard.
  absl::Time play_end_ = absl::InfinitePast();
  absl::Duration start_delay_ = absl::Milliseconds(60);  // Until learned: a carrier's jitter buffer is 50 to 150 ms.
  bool spell_started_ = false;                           // A spell of sound began and no checkpoint was sent in it yet.
};

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_PLAYOUT_LEDGER_H_
