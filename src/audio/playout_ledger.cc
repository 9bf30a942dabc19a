#include "src/audio/playout_ledger.h"

#include <algorithm>
#include <utility>

namespace callbridge::audio {
namespace {

int64_t BytesIn(absl::Duration duration) { return absl::ToInt64Microseconds(duration) * kBytesPerMs / 1000; }

// A carrier that needs longer than this to start is not late but stalled: nothing to learn from.
constexpr absl::Duration kMaxStartDelay = absl::Milliseconds(400);
// With less left at the carrier than this, what is sent may come too late to follow without a gap.
constexpr absl::Duration kNearlyDry = absl::Milliseconds(20);
// So long after a spell's end it has ended for certain.
constexpr absl::Duration kSurelyDry = absl::Milliseconds(100);
// Beyond the latest usual start of a spell, of which nothing was heard.
constexpr absl::Duration kPatience = absl::Milliseconds(10);
constexpr size_t kMaxSpells = 4;
// Checkpoints by which it is judged how reliably they are acknowledged.
constexpr int kRemembered = 32;
// Of checkpoints never acknowledged; later ones stand for them.
constexpr size_t kMaxCheckpoints = 64;

}  // namespace

// ---- Items ----

PlayoutLedger::Entry& PlayoutLedger::Find(absl::string_view item_id) {
  // Nearly always the newest.
  for (auto entry = items_.rbegin(); entry != items_.rend(); ++entry) {
    if (entry->item_id == item_id) return *entry;
  }
  items_.emplace_back();
  items_.back().item_id = std::string(item_id);
  return items_.back();
}

const PlayoutLedger::Entry* PlayoutLedger::Known(absl::string_view item_id) const {
  const auto found =
      std::find_if(items_.begin(), items_.end(), [&](const Entry& entry) { return entry.item_id == item_id; });
  return found == items_.end() ? nullptr : &*found;
}

void PlayoutLedger::OnReceived(absl::string_view item_id, int64_t bytes) { Find(item_id).received += bytes; }

bool PlayoutLedger::OnComplete(absl::string_view item_id) {
  return Known(item_id) != nullptr && !std::exchange(Find(item_id).complete, true);
}

bool PlayoutLedger::Complete(absl::string_view item_id) const {
  const Entry* entry = Known(item_id);
  return entry != nullptr && entry->complete;
}

std::vector<std::string> PlayoutLedger::Incomplete() const {
  std::vector<std::string> incomplete;
  for (const Entry& entry : items_) {
    if (!entry.complete) incomplete.push_back(entry.item_id);
  }
  return incomplete;
}

PlayoutLedger::Item PlayoutLedger::Report(const Entry& entry, int64_t heard_position) const {
  Item item;
  item.item_id = entry.item_id;
  item.received = entry.received;
  item.sent = entry.sent;
  item.complete = entry.complete;
  item.calibrated = calibrated_;
  item.first_sound = SoundTime(entry);
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
  spells_.clear();
  settled_ = sent_;
  return cut;
}

void PlayoutLedger::Withdraw(int64_t position) {
  ForgetSpells();
  for (Entry& entry : items_) {
    if (entry.first < 0) continue;
    entry.sent = std::min(entry.sent, std::max<int64_t>(position - entry.first, 0));
    if (entry.first < position) continue;
    entry.first = -1;
    entry.first_sound = absl::InfiniteFuture();
  }
  checkpoints_.clear();
  sent_ = settled_ = position;
  acknowledged_ = std::min(acknowledged_, position);
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
    settled_ = std::max(settled_, front.first + front.sent);
    finished.push_back(std::move(item));
    items_.pop_front();
  }
  return finished;
}

absl::optional<PlayoutLedger::Item> PlayoutLedger::Audible(absl::Time now) const {
  const int64_t heard = HeardPosition(now);
  for (const Entry& entry : items_) {
    Item item = Report(entry, heard);
    if (!item.complete || item.heard < item.received) return item;
  }
  return absl::nullopt;
}

// ---- Sound ----

void PlayoutLedger::OnSent(absl::string_view item_id, int64_t bytes, absl::Time now) {
  if (playout_end() < now + kNearlyDry) BeginSpell(now);
  Entry& entry = Find(item_id);
  if (entry.first < 0) entry.first = sent_;
  entry.sent += bytes;
  sent_ += bytes;
}

bool PlayoutLedger::SurelyDry(absl::Time now) const { return playout_end() + kSurelyDry < now; }

void PlayoutLedger::BeginSpell(absl::Time now) {
  const absl::Time end = playout_end();
  const bool continues = end > now;
  const bool from_silence = SurelyDry(now);
  if (from_silence) silence_ = sent_;
  if (!continues) ForgetSpells();
  if (spells_.size() == kMaxSpells) spells_.pop_front();
  const absl::Time guess = continues ? end : now + delays_.Guess();
  const absl::Time latest = now + delays_.Latest();
  spells_.push_back({sent_, now, latest, SpellClock(guess, latest), guess, from_silence});
}

// What they tell of the items is kept.
void PlayoutLedger::ForgetSpells() {
  for (Entry& entry : items_) entry.first_sound = SoundTime(entry);
  spells_.clear();
}

void PlayoutLedger::SetStarts(size_t from) {
  for (size_t i = from; i < spells_.size(); ++i) {
    const absl::Time own = spells_[i].clock.start();
    spells_[i].start = i == 0 ? own : std::max(own, EndTime(i - 1));
  }
}

void PlayoutLedger::OnCheckpointSent(int64_t number) {
  if (checkpoints_.size() == kMaxCheckpoints) checkpoints_.pop_front();
  checkpoints_.push_back({number, sent_});
}

bool PlayoutLedger::OnCheckpointPlayed(int64_t number, absl::Time now) {
  const auto found = std::find_if(checkpoints_.begin(), checkpoints_.end(),
                                  [number](const Checkpoint& checkpoint) { return checkpoint.number == number; });
  if (found == checkpoints_.end()) return false;
  const int64_t position = found->position;
  CountPassed(static_cast<int>(found - checkpoints_.begin()) + 1);
  // The carrier plays in order: earlier ones whose acknowledgement was lost or is late have been passed too.
  checkpoints_.erase(checkpoints_.begin(), found + 1);
  acknowledged_ = std::max(acknowledged_, position);
  calibrated_ = true;
  size_t i = spells_.size();
  while (i > 0 && spells_[i - 1].position >= position) --i;
  if (i == 0) return true;  // A late word of an earlier spell.
  Spell& spell = spells_[i - 1];
  spell.clock.OnAcknowledged(now - PlayingTime(position - spell.position));
  SetStarts(i - 1);
  const absl::Duration delay = spell.start - spell.sent;
  if (spell.from_silence && spell.clock.sure() && delay >= absl::ZeroDuration() && delay < kMaxStartDelay) {
    delays_.Learn(delay, std::exchange(spell.learned, true));
  }
  return true;
}

void PlayoutLedger::OnNewStream() {
  calibrated_ = false;
  passed_ = told_ = 0;
}

// One of them is acknowledged now, the others were not before it.
void PlayoutLedger::CountPassed(int passed) {
  if (passed_ >= kRemembered) {
    passed_ /= 2;
    told_ /= 2;
  }
  passed_ += passed;
  told_ += 1;
}

absl::Time PlayoutLedger::Believed(const Spell& spell) const {
  // Where acknowledgements can be relied on, the first ones of a spell come soon: while there is none it has hardly
  // begun.
  const bool reliable = calibrated_ && told_ * 8 >= passed_ * 5;
  if (!spell.from_silence || !reliable || spell.clock.heard_of()) return spell.start;
  return std::max(spell.start, spell.latest + kPatience);
}

int64_t PlayoutLedger::HeardPosition(absl::Time now) const {
  const int64_t known = std::max(settled_, acknowledged_);
  if (spells_.empty()) return known;
  for (size_t i = spells_.size(); i > 0; --i) {
    const Spell& spell = spells_[i - 1];
    if (now < Believed(spell)) continue;
    return std::max(known, std::min(End(i - 1), spell.position + BytesIn(now - spell.start)));
  }
  return std::max(known, spells_.front().position);
}

absl::Time PlayoutLedger::playout_end() const {
  return spells_.empty() ? absl::InfinitePast() : EndTime(spells_.size() - 1);
}

absl::Time PlayoutLedger::FrontEnd() const {
  if (items_.empty()) return absl::InfiniteFuture();
  const Entry& front = items_.front();
  if (!front.complete || front.sent < front.received) return absl::InfiniteFuture();
  const int64_t end = front.first + front.sent;
  size_t i = spells_.size();
  while (i > 0 && spells_[i - 1].position >= end) --i;
  // Without a sound, or settled: nothing to wait for.
  if (front.first < 0 || i == 0) return absl::InfinitePast();
  const Spell& spell = spells_[i - 1];
  return std::max(Believed(spell), spell.start + PlayingTime(end - spell.position));
}

absl::Time PlayoutLedger::SoundTime(const Entry& entry) const {
  if (entry.first < 0 || entry.first_sound < absl::InfiniteFuture()) return entry.first_sound;
  size_t i = spells_.size();
  while (i > 0 && spells_[i - 1].position > entry.first) --i;
  if (i == 0) return absl::InfinitePast();
  return spells_[i - 1].start + PlayingTime(entry.first - spells_[i - 1].position);
}

absl::Time PlayoutLedger::FirstSound(absl::string_view item_id) const {
  const Entry* entry = Known(item_id);
  return entry == nullptr ? absl::InfiniteFuture() : SoundTime(*entry);
}

}  // namespace callbridge::audio
