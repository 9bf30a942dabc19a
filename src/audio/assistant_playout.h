#ifndef CALLBRIDGE_SRC_AUDIO_ASSISTANT_PLAYOUT_H_
#define CALLBRIDGE_SRC_AUDIO_ASSISTANT_PLAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "src/audio/playout_ledger.h"

namespace callbridge::audio {

// Takes the assistant's audio from the model and hands it to the carrier a little ahead of its playout, so that the
// model may be as fast as it likes while little lies at the carrier that an interruption would throw away. A stored
// prompt is an item like any other.
//
// Audio is base64 text throughout and never decoded. Pieces are cut at quanta of four characters, which are three whole
// bytes. What was sent is kept until it was heard: Pause() takes it back. Pure, not thread-safe.
class AssistantPlayout {
 public:
  // What it does to the carrier. Must not call back.
  class Carrier {
   public:
    virtual ~Carrier() = default;
    virtual void Play(absl::string_view item_id, absl::string_view base64) = 0;
    virtual void Checkpoint(int64_t number) = 0;
  };

  // The characters of so much audio, rounded up to a whole quantum.
  static size_t PieceChars(absl::Duration length) {
    const int64_t bytes = absl::ToInt64Milliseconds(length) * kBytesPerMs;
    return static_cast<size_t>((bytes + 2) / 3 * 4);
  }

  struct Options {
    // How far ahead of the playout audio is handed over.
    absl::Duration lead = absl::Milliseconds(400);
    // Longest piece in characters, as PieceChars() has it. A multiple of four.
    size_t max_piece_chars = PieceChars(absl::Milliseconds(200));
    // Behind so much sound after a silence comes the first checkpoint, and the next each time that it is half as much
    // again, but not closer than that ...
    int64_t first_checkpoint_bytes = 20 * kBytesPerMs;
    // ... and not further apart than this, and at the end of each item.
    int64_t checkpoint_bytes = 200 * kBytesPerMs;
  };

  AssistantPlayout(const Options& options, Carrier& carrier) : options_(options), carrier_(carrier) {}

  // A stream of the carrier begins. What was sent on the last one was cut before.
  void OnNewStream() { ledger_.OnNewStream(); }

  // Audio of an item: `base64` is checked and padded, of any length, `bytes` its decoded length. Sends what the lead
  // allows, keeps the rest.
  void OnAudio(absl::string_view item_id, absl::string_view base64, int64_t bytes, absl::Time now);

  // No more audio of this item, or of any that came so far, will come. Repeats and unknown items change nothing.
  void OnItemComplete(absl::string_view item_id, absl::Time now);
  void CompleteAll(absl::Time now);

  // Sends what has become due.
  void Pump(absl::Time now);

  // A checkpoint was acknowledged; unknown numbers change nothing.
  bool OnCheckpointPlayed(int64_t number, absl::Time now) { return ledger_.OnCheckpointPlayed(number, now); }

  // The caller speaks, or the stream is gone: drops the queue and forgets what was not heard. Returns the items that
  // were cut. The caller of this tells the carrier to clear. Ends a pause: heard is what was heard before it.
  std::vector<PlayoutLedger::Item> Cut(absl::Time now);

  // The caller may be interrupting: what was sent and not heard goes back to the front of the queue, and nothing is
  // sent until Resume or Cut. The caller of this tells the carrier to clear. Returns the item that was sounding, or
  // would have next, as heard so far; nothing: there was none. A second pause changes nothing.
  absl::optional<PlayoutLedger::Item> Pause(absl::Time now);

  // Goes on where the pause began: nothing is left out by our reckoning, and at most two bytes sound twice. Without a
  // pause the same as Pump.
  void Resume(absl::Time now);

  bool paused() const { return paused_; }

  // Items that were heard to their end since the last call.
  std::vector<PlayoutLedger::Item> TakeFinished(absl::Time now);

  // Nothing queued, and all that was sent has been heard. Not while anything waits for the end of a pause.
  bool Silent(absl::Time now) const { return !Interruptible(now); }

  // Whether anything would be thrown away by an interruption.
  bool Interruptible(absl::Time now) const { return queued_bytes_ > 0 || ledger_.Ahead(now) > absl::ZeroDuration(); }

  // When Pump or TakeFinished has something to do; InfiniteFuture if nothing is under way.
  absl::Time NextWake() const;

  const PlayoutLedger& ledger() const { return ledger_; }
  int64_t queued_bytes() const { return queued_bytes_; }
  // Bytes of audio in memory: queued, or sent and perhaps not heard.
  int64_t kept_bytes() const;

 private:
  struct Piece {
    std::string item_id;
    std::string base64;
    int64_t bytes = 0;
    size_t offset = 0;      // Characters already sent.
    int64_t position = -1;  // Of its first byte in the ledger, once sent.
  };

  bool LeadAllows(absl::Time now) const { return ledger_.playout_end() - now < options_.lead; }
  void SendPiece(absl::Time now);
  void SendCheckpoint();
  // Bytes that may still be sent before a checkpoint is due.
  int64_t UntilCheckpoint(absl::Time now) const;
  void DropHeard(absl::Time now);
  void TakeBack(int64_t heard);

  const Options options_;
  Carrier& carrier_;
  PlayoutLedger ledger_;
  std::deque<Piece> pieces_;  // Sent and perhaps not heard, then queued.
  size_t next_ = 0;           // The first that has something queued.
  int64_t queued_bytes_ = 0;
  int64_t since_checkpoint_ = 0;  // Bytes sent since the last checkpoint.
  int64_t next_checkpoint_ = 1;
  bool paused_ = false;
};

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_ASSISTANT_PLAYOUT_H_
