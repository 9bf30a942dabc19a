#include "src/audio/playout_ledger.h"

#include <algorithm>
#include <utility>

namespace callbridge::audio {
namespace {

int64_t BytesIn(absl::Duration duration) { return absl::ToInt64Microseconds(duration) * kBytesPerMs / 1000; }

// A carrier that needs longer than this to start is not late but stalled: nothing to learn from.
constexpr absl::Duration kMaxStartDelay = absl::Milliseconds(400);

}  // namespace

PlayoutLedger::Entry& PlayoutLedger::Find(absl::string_view item_id) {
  // Nearly always the newest.
  for (auto entry = items_.rbegin(); entry != items_.rend(); ++entry) {
    if (entry->item_id == item_id) return *entry;
  }
  items_.emplace_back();
  items_.back().item_id = std::string(item_id);
  return items_.back();
}

void PlayoutLedger::OnReceived(absl::string_view item_id, int64_t bytes) { Find(item_id).received += bytes; }

bool PlayoutLedger::OnComplete(absl::string_view item_id) {
  const auto found =
      std::find_if(items_.begin(), items_.end(), [&](const Entry& entry) { return entry.item_id == item_id; });
  return found != items_.end() && !std::exchange(found->complete, true);
}

std::vector<std::string> PlayoutLedger::Incomplete() const {
  std::vector<std::string> incomplete;
  for (const Entry& entry : items_) {
    if (!entry.complete) incomplete.push_back(entry.item_id);
  }
  return incomplete;
}

void PlayoutLedger::OnSent(absl::string_view item_id, int64_t bytes, absl::Time now) {
  if (play_end_ < now) {
    spell_started_ = true;
    spell_start_ = sent_;
  }
  play_end_ = NextStart(now) + PlayingTime(bytes);
  Entry& entry = Find(item_id);
  if (entry.first < 0) entry.first = sent_;
  entry.sent += bytes;
  sent_ += bytes;
}

void PlayoutLedger::OnCheckpointSent(int64_t number) {
  checkpoints_.push_back({number, sent_, spell_started_});
  spell_started_ = false;
}

bool PlayoutLedger::OnCheckpointPlayed(int64_t number, absl::Time now) {
  const auto found = std::find_if(checkpoints_.begin(), checkpoints_.end(),
                                  [number](const Checkpoint& checkpoint) { return checkpoint.number == number; });
  if (found == checkpoints_.end()) return false;
  const Checkpoint played = *found;
  // The carrier plays in order: earlier ones whose acknowledgement was lost have been passed too.
  checkpoints_.erase(checkpoints_.begin(), found + 1);
  acknowledged_ = std::max(acknowledged_, played.position);
  const absl::Time true_end = now + PlayingTime(sent_ - played.position);
  const absl::Duration error = true_end - play_end_;
  if (played.position <= spell_start_ && spell_start_ > 0) {
    // A late word of an earlier spell: this one cannot end before all of it was played, and that is all it says.
    play_end_ = std::max(play_end_, true_end);
    return true;
  }
  play_end_ = true_end;
  if (played.first_of_spell && error < kMaxStartDelay) {
    start_delay_ = std::min(std::max(start_delay_ + error, absl::ZeroDuration()), kMaxStartDelay);
  }
  return true;
}

int64_t PlayoutLedger::HeardPosition(absl::Time now) const {
  if (sent_ == 0) return 0;
  const int64_t to_come = now >= play_end_ ? 0 : BytesIn(play_end_ - now);
  // Before the spell's first sound all earlier ones were heard, though its end is further away than its length.
  const int64_t known = std::max(acknowledged_, spell_start_);
  return std::min(sent_, std::max(known, sent_ - to_come));
}

PlayoutLedger::Item PlayoutLedger::Report(const Entry& entry, int64_t heard_position) const {
  Item item;
  item.item_id = entry.item_id;
  item.received = entry.received;
  item.sent = entry.sent;
  item.complete = entry.complete;
  if (entry.first >= 0) {
    item.heard = std::min(std::max<int64_t>(heard_position - entry.first, 0), entry.sent);
    item.acknowledged = item.heard > 0 && acknowledged_ >= entry.first + item.heard;
  }
  return item;
}

std::vector<PlayoutLedger::Item> PlayoutLedger::Clear(absl::Time now) {
  const int64_t heard = HeardPosition(now);
  std::vector<Item> cut;
  for (const Entry& entry : items_) {
    Item item = Report(entry, heard);
    if (!item.complete || item.heard < item.received) cut.push_back(std::move(item));
  }
  items_.clear();
  checkpoints_.clear();
  sent_ = acknowledged_ = spell_start_ = 0;
  play_end_ = absl::InfinitePast();
  spell_started_ = false;
  return cut;
}

absl::Time PlayoutLedger::FrontEnd() const {
  if (items_.empty()) return absl::InfiniteFuture();
  const Entry& front = items_.front();
  if (!front.complete || front.sent < front.received) return absl::InfiniteFuture();
  if (front.first < 0) return absl::InfinitePast();  // Complete and without a sound: nothing to wait for.
  return play_end_ - PlayingTime(sent_ - front.first - front.sent);
}

std::vector<PlayoutLedger::Item> PlayoutLedger::TakeFinished(absl::Time now) {
  std::vector<Item> finished;
  if (items_.empty()) return finished;
  const int64_t heard = HeardPosition(now);
  while (!items_.empty()) {
    const Entry& front = items_.front();
    if (!front.complete || front.sent < front.received) break;
    Item item = Report(front, heard);
    if (item.heard < item.received) break;
    finished.push_back(std::move(item));
    items_.pop_front();
  }
  if (items_.empty() && heard == sent_ && checkpoints_.empty()) sent_ = acknowledged_ = spell_start_ = 0;
  return finished;
}

}  // namespace callbridge::audio
