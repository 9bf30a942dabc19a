#include "src/audio/assistant_playout.h"

#include <algorithm>

namespace callbridge::audio {
namespace {

constexpr int64_t kQuantumBytes = 3;
constexpr int64_t kQuantumChars = 4;

int64_t DecodedBytes(absl::string_view base64) {
  int64_t bytes = static_cast<int64_t>(base64.size()) / kQuantumChars * kQuantumBytes;
  for (size_t i = base64.size(); i > 0 && base64[i - 1] == '='; --i) --bytes;
  return bytes;
}

// Characters of at least so many bytes.
int64_t CharsOf(int64_t bytes) { return (bytes + kQuantumBytes - 1) / kQuantumBytes * kQuantumChars; }

// The clock may be a little early: an item counts as heard by estimate only when its checkpoint could have come back.
constexpr absl::Duration kAcknowledgementSlack = absl::Milliseconds(20);

// Audio is kept so much longer than it seems to be needed: an acknowledgement may show that less was heard.
constexpr int64_t kKeptBehind = 100 * kBytesPerMs;

// Up to here pieces are cut where a checkpoint is due; from here on it waits for the end of its piece.
constexpr int64_t kExactCheckpoints = 160 * kBytesPerMs;

}  // namespace

void AssistantPlayout::OnAudio(absl::string_view item_id, absl::string_view base64, int64_t bytes, absl::Time now) {
  ledger_.OnReceived(item_id, bytes);
  if (!base64.empty()) {
    pieces_.push_back({std::string(item_id), std::string(base64), bytes});
    queued_bytes_ += bytes;
  }
  Pump(now);
}

void AssistantPlayout::Pump(absl::Time now) {
  DropHeard(now);
  while (!paused_ && next_ < pieces_.size() && LeadAllows(now)) SendPiece(now);
}

void AssistantPlayout::SendPiece(absl::Time now) {
  Piece& piece = pieces_[next_];
  size_t length = options_.max_piece_chars;
  if (ledger_.BytesSinceSilence(now) < kExactCheckpoints) {
    length = std::min(length, static_cast<size_t>(CharsOf(std::max<int64_t>(UntilCheckpoint(now), 1))));
  }
  const absl::string_view part = absl::string_view(piece.base64).substr(piece.offset, length);
  const int64_t bytes = DecodedBytes(part);
  if (piece.offset == 0) piece.position = ledger_.sent();
  carrier_.Play(piece.item_id, part);
  ledger_.OnSent(piece.item_id, bytes, now);
  piece.offset += part.size();
  queued_bytes_ -= bytes;
  since_checkpoint_ += bytes;
  if (UntilCheckpoint(now) <= 0) SendCheckpoint();
  if (piece.offset < piece.base64.size()) return;
  ++next_;
  const bool last = next_ == pieces_.size() || pieces_[next_].item_id != piece.item_id;
  if (last && since_checkpoint_ > 0 && ledger_.Complete(piece.item_id)) SendCheckpoint();
}

int64_t AssistantPlayout::UntilCheckpoint(absl::Time now) const {
  // Early in a spell nobody knows when it began to sound: there the first acknowledgements are worth the most.
  const int64_t spell = ledger_.BytesSinceSilence(now);
  const int64_t since = std::min(since_checkpoint_, spell);
  return std::min(options_.checkpoint_bytes, std::max(options_.first_checkpoint_bytes, (spell - since) / 2)) - since;
}

void AssistantPlayout::SendCheckpoint() {
  carrier_.Checkpoint(next_checkpoint_);
  ledger_.OnCheckpointSent(next_checkpoint_++);
  since_checkpoint_ = 0;
}

void AssistantPlayout::OnItemComplete(absl::string_view item_id, absl::Time now) {
  if (!ledger_.OnComplete(item_id) || since_checkpoint_ == 0) return;
  const bool queued = std::any_of(pieces_.begin() + static_cast<std::ptrdiff_t>(next_), pieces_.end(),
                                  [&](const Piece& piece) { return piece.item_id == item_id; });
  if (!queued) SendCheckpoint();
}

void AssistantPlayout::CompleteAll(absl::Time now) {
  for (const std::string& item_id : ledger_.Incomplete()) OnItemComplete(item_id, now);
}

void AssistantPlayout::DropHeard(absl::Time now) {
  if (next_ == 0) return;
  const int64_t heard = ledger_.HeardPosition(now) - kKeptBehind;
  while (next_ > 0 && pieces_.front().position + pieces_.front().bytes <= heard) {
    pieces_.pop_front();
    --next_;
  }
}

std::vector<PlayoutLedger::Item> AssistantPlayout::TakeFinished(absl::Time now) {
  std::vector<PlayoutLedger::Item> finished = ledger_.TakeFinished(now);
  if (ledger_.empty()) {
    pieces_.clear();
    next_ = 0;
  }
  return finished;
}

std::vector<PlayoutLedger::Item> AssistantPlayout::Cut(absl::Time now) {
  pieces_.clear();
  next_ = 0;
  queued_bytes_ = 0;
  since_checkpoint_ = 0;
  paused_ = false;
  return ledger_.Clear(now);
}

absl::optional<PlayoutLedger::Item> AssistantPlayout::Pause(absl::Time now) {
  absl::optional<PlayoutLedger::Item> audible = ledger_.Audible(now);
  if (paused_) return audible;
  paused_ = true;
  since_checkpoint_ = 0;
  TakeBack(ledger_.HeardPosition(now));
  return audible;
}

void AssistantPlayout::TakeBack(int64_t heard) {
  const auto was_heard = [&](const Piece& piece) {
    return piece.position >= 0 && piece.offset == piece.base64.size() && piece.position + piece.bytes <= heard;
  };
  while (!pieces_.empty() && was_heard(pieces_.front())) pieces_.pop_front();
  next_ = 0;
  if (pieces_.empty() || pieces_.front().position < 0) {
    ledger_.Withdraw(ledger_.sent());
    return;
  }
  Piece& sounding = pieces_.front();
  const int64_t quanta = std::max<int64_t>(heard - sounding.position, 0) / kQuantumBytes;
  const int64_t from = sounding.position + quanta * kQuantumBytes;
  for (Piece& piece : pieces_) {
    piece.offset = 0;
    piece.position = -1;
  }
  sounding.offset = quanta * kQuantumChars;
  sounding.position = from - quanta * kQuantumBytes;
  queued_bytes_ += ledger_.sent() - from;
  ledger_.Withdraw(from);
}

void AssistantPlayout::Resume(absl::Time now) {
  paused_ = false;
  Pump(now);
}

absl::Time AssistantPlayout::NextWake() const {
  const absl::Time finished = ledger_.FrontEnd() + kAcknowledgementSlack;
  if (paused_ || next_ == pieces_.size()) return finished;
  return std::min(finished, ledger_.playout_end() - options_.lead + absl::Milliseconds(1));
}

int64_t AssistantPlayout::kept_bytes() const {
  int64_t bytes = 0;
  for (const Piece& piece : pieces_) bytes += piece.bytes;
  return bytes;
}

}  // namespace callbridge::audio
