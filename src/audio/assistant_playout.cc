#include "src/audio/assistant_playout.h"

#include <algorithm>

namespace callbridge::audio {
namespace {

int64_t DecodedBytes(absl::string_view base64) {
  int64_t bytes = static_cast<int64_t>(base64.size()) / 4 * 3;
  for (size_t i = base64.size(); i > 0 && base64[i - 1] == '='; --i) --bytes;
  return bytes;
}

// The clock may be a little early: an item counts as heard by estimate only when its checkpoint could have come back.
constexpr absl::Duration kAcknowledgementSlack = absl::Milliseconds(20);

}  // namespace

void AssistantPlayout::OnAudio(absl::string_view item_id, absl::string_view base64, int64_t bytes, absl::Time now) {
  ledger_.OnReceived(item_id, bytes);
  size_t sent = 0;
  if (queue_.empty()) sent = Send(item_id, base64, now);
  if (sent == base64.size()) return;
  queue_.push_back({std::string(item_id), std::string(base64.substr(sent)), 0});
  queued_bytes_ += DecodedBytes(queue_.back().base64);
}

size_t AssistantPlayout::Send(absl::string_view item_id, absl::string_view base64, absl::Time now) {
  size_t sent = 0;
  while (sent < base64.size() && LeadAllows(now)) {
    const absl::string_view piece = base64.substr(sent, options_.max_piece_chars);
    const int64_t bytes = DecodedBytes(piece);
    carrier_.Play(item_id, piece);
    ledger_.OnSent(item_id, bytes, now);
    sent += piece.size();
    since_checkpoint_ += bytes;
    if (since_checkpoint_ >= options_.checkpoint_bytes) SendCheckpoint();
  }
  return sent;
}

void AssistantPlayout::SendCheckpoint() {
  carrier_.Checkpoint(next_checkpoint_);
  ledger_.OnCheckpointSent(next_checkpoint_++);
  since_checkpoint_ = 0;
}

void AssistantPlayout::OnItemComplete(absl::string_view item_id, absl::Time now) {
  if (!ledger_.OnComplete(item_id)) return;
  const bool queued =
      std::any_of(queue_.begin(), queue_.end(), [&](const Piece& piece) { return piece.item_id == item_id; });
  if (queued) {
    complete_unsent_.emplace_back(item_id);
  } else if (since_checkpoint_ > 0) {
    SendCheckpoint();
  }
}

void AssistantPlayout::CompleteAll(absl::Time now) {
  for (const std::string& item_id : ledger_.Incomplete()) OnItemComplete(item_id, now);
}

void AssistantPlayout::Pump(absl::Time now) {
  while (!queue_.empty() && LeadAllows(now)) {
    Piece& piece = queue_.front();
    const absl::string_view rest = absl::string_view(piece.base64).substr(piece.offset);
    const size_t sent = Send(piece.item_id, rest, now);
    queued_bytes_ -= DecodedBytes(rest.substr(0, sent));
    piece.offset += sent;
    if (piece.offset < piece.base64.size()) return;
    const std::string item_id = std::move(piece.item_id);
    queue_.pop_front();
    const auto done = std::find(complete_unsent_.begin(), complete_unsent_.end(), item_id);
    if (done == complete_unsent_.end() || (!queue_.empty() && queue_.front().item_id == item_id)) continue;
    complete_unsent_.erase(done);
    if (since_checkpoint_ > 0) SendCheckpoint();
  }
}

std::vector<PlayoutLedger::Item> AssistantPlayout::Cut(absl::Time now) {
  queue_.clear();
  queued_bytes_ = 0;
  since_checkpoint_ = 0;
  complete_unsent_.clear();
  return ledger_.Clear(now);
}

absl::Time AssistantPlayout::NextWake() const {
  const absl::Time finished = ledger_.FrontEnd() + kAcknowledgementSlack;
  if (queue_.empty()) return finished;
  return std::min(finished, ledger_.playout_end() - options_.lead + absl::Milliseconds(1));
}

}  // namespace callbridge::audio
