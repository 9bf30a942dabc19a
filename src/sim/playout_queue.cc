#include "src/sim/playout_queue.h"

#include <algorithm>
#include <utility>

namespace callbridge::sim {

bool PlayoutQueue::Push(absl::Time now, std::string audio) {
  if (audio.empty()) return true;
  if (Span(queued_bytes_ + static_cast<int64_t>(audio.size())) > options_.limit) return false;
  queued_bytes_ += audio.size();
  Entry entry;
  entry.audio = std::move(audio);
  entry.earliest = now + options_.delay;
  entries_.push_back(std::move(entry));
  return true;
}

void PlayoutQueue::Checkpoint(std::string name) {
  Entry entry;
  entry.name = std::move(name);
  entries_.push_back(std::move(entry));
}

int64_t PlayoutQueue::Clear(absl::Time now) {
  // Only audio that is sounding right now has a part on the line; after a pause nothing has.
  int64_t keep = 0;
  const bool sounding =
      !entries_.empty() && !entries_.front().audio.empty() && head_ > now - Span(1) && entries_.front().earliest <= now;
  if (sounding) keep = absl::ToInt64Nanoseconds(options_.on_the_line) * options_.bytes_per_second / 1'000'000'000;
  int64_t thrown = 0;
  std::deque<Entry> kept;
  for (Entry& entry : entries_) {
    const int64_t left = static_cast<int64_t>(entry.audio.size() - entry.played);
    const int64_t stays = std::min(left, keep);
    keep -= stays;
    thrown += left - stays;
    if (stays == 0) continue;
    entry.audio.resize(entry.played + stays);
    kept.push_back(std::move(entry));
  }
  entries_ = std::move(kept);
  queued_bytes_ -= thrown;
  return thrown;
}

void PlayoutQueue::Advance(absl::Time now, Sink& sink) {
  while (!entries_.empty()) {
    Entry& entry = entries_.front();
    if (entry.audio.empty()) {
      // Out of the list first: the sink may look at the queue.
      const std::string name = std::move(entry.name);
      entries_.pop_front();
      sink.OnCheckpoint(name);
      continue;
    }
    const absl::Time start = std::max(head_, entry.earliest);
    if (start >= now) return;
    const int64_t due = absl::ToInt64Nanoseconds(now - start) * options_.bytes_per_second / 1'000'000'000;
    const int64_t bytes = std::min<int64_t>(due, entry.audio.size() - entry.played);
    if (bytes == 0) return;
    head_ = start + Span(bytes);
    queued_bytes_ -= bytes;
    sink.OnSound(start, absl::string_view(entry.audio).substr(entry.played, bytes));
    entry.played += bytes;
    if (entry.played < entry.audio.size()) return;
    entries_.pop_front();
  }
}

}  // namespace callbridge::sim
