#ifndef CALLBRIDGE_SRC_AUDIO_ASSISTANT_PLAYOUT_H_
#define CALLBRIDGE_SRC_AUDIO_ASSISTANT_PLAYOUT_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/audio/playout_ledger.h"

namespace callbridge::audio {

// Takes the assistant's audio from the model and hands it to the carrier a little ahead of its playout, so that the
// model may be as fast as it likes while little lies at the carrier that an interruption would throw away.
//
// Audio is base64 text throughout and never decoded. Pieces are cut at quanta of four characters, which are three whole
// bytes. Pure, not thread-safe.
class AssistantPlayout {
 public:
  // What it does to the carrier. Must not call back.
  class Carrier {
   public:
    virtual ~Carrier() = default;
    virtual void Play(absl::string_view item_id, absl::string_view base64) = 0;
    virtual void Checkpoint(int64_t number) = 0;
  };

  struct Options {
    // How far ahead of the playout audio is handed over.
    absl::Duration lead = absl::Milliseconds(400);
    // Longest piece in characters: 2,136 are 1,602 bytes, 200 ms. A multiple of four.
    size_t max_piece_chars = 2136;
    // A checkpoint follows at least each so much audio, and the end of each item.
    int64_t checkpoint_bytes = 400 * kBytesPerMs;
  };

  AssistantPlayout(const Options& options, Carrier& carrier) : options_(options), carrier_(carrier) {}

  // Audio of an item: `base64` is checked and padded, `bytes` its decoded length. Sends what the lead allows, keeps the
  // rest.
  void OnAudio(absl::string_view item_id, absl::string_view base64, int64_t bytes, absl::Time now);

  // No more audio of this item, or of any that came so far, will come. Repeats and unknown items change nothing.
  void OnItemComplete(absl::string_view item_id, absl::Time now);
  void CompleteAll(absl::Time now);

  // Sends what has become due.
  void Pump(absl::Time now);

  // A checkpoint was acknowledged; unknown numbers change nothing.
  bool OnCheckpointPlayed(int64_t number, absl::Time now) { return ledger_.OnCheckpointPlayed(number, now); }

  // The caller speaks, or the stream is gone: drops the queue and forgets what was not heard. Returns the items that
  // were cut. The caller of this tells the carrier to clear.
  std::vector<PlayoutLedger::Item> Cut(absl::Time now);

  // Items that were heard to their end since the last call.
  std::vector<PlayoutLedger::Item> TakeFinished(absl::Time now) { return ledger_.TakeFinished(now); }

  // Nothing queued, and all that was sent has been heard.
  bool Silent(absl::Time now) const {
    return queue_.empty() && (ledger_.empty() || ledger_.Ahead(now) <= absl::ZeroDuration());
  }

  // Whether anything would be thrown away by an interruption.
  bool Interruptible(absl::Time now) const { return !queue_.empty() || ledger_.Ahead(now) > absl::ZeroDuration(); }

  // When Pump or TakeFinished has something to do; InfiniteFuture if nothing is under way.
  absl::Time NextWake() const;

  const PlayoutLedger& ledger() const { return ledger_; }
  int64_t queued_bytes() const { return queued_bytes_; }

 private:
  struct Piece {
    std::string item_id;
    std::string base64;
    size_t offset = 0;  // Characters already sent.
  };

  bool LeadAllows(absl::Time now) const { return ledger_.playout_end() - now < options_.lead; }
  // Sends from the front of `base64` while the lead allows; returns how many characters went.
  size_t Send(absl::string_view item_id, absl::string_view base64, absl::Time now);
  void SendCheckpoint();

  const Options options_;
  Carrier& carrier_;
  PlayoutLedger ledger_;
  std::deque<Piece> queue_;
  int64_t queued_bytes_ = 0;
  int64_t since_checkpoint_ = 0;  // Bytes sent since the last checkpoint.
  int64_t next_checkpoint_ = 1;
  std::vector<std::string> complete_unsent_;  // Items that are complete while parts of them are queued.
};

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_ASSISTANT_PLAYOUT_H_
