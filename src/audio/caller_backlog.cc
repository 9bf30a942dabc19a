#include "src/audio/caller_backlog.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace callbridge::audio {
namespace {

constexpr size_t kSlotChars = 216;  // 160 bytes in base64. A multiple of four: pieces of base64 are base64.
constexpr size_t kFirstRoom = 25;

}  // namespace

CallerBacklog::CallerBacklog(size_t capacity, size_t kept_when_sent)
    : capacity_(std::max<size_t>(capacity, 1)), kept_when_sent_(std::min(kept_when_sent, capacity_)) {}

void CallerBacklog::Push(absl::string_view base64, absl::Time now, bool sent) {
  for (; !base64.empty(); base64.remove_prefix(std::min(base64.size(), kSlotChars))) {
    PushPiece(base64.substr(0, kSlotChars), now);
  }
  if (!sent) return;
  unsent_ = 0;
  while (count_ > kept_when_sent_) DropOldest();
}

void CallerBacklog::PushPiece(absl::string_view piece, absl::Time now) {
  if (count_ == capacity_ || (count_ > unsent_ && count_ >= kept_when_sent_)) DropOldest();
  if (count_ == frames_.size()) {
    const size_t limit = count_ < kept_when_sent_ ? kept_when_sent_ : capacity_;
    // At once what every call comes to need: rooms that were outgrown stay with the allocator.
    Resize(std::min(limit, std::max({kFirstRoom, count_ * 2, kept_when_sent_})));
  }
  const size_t slot = Slot(count_);
  frames_[slot] = {now, static_cast<uint32_t>(piece.size())};
  std::memcpy(&text_[slot * kSlotChars], piece.data(), piece.size());
  ++count_;
  ++unsent_;
}

void CallerBacklog::DropOldest() {
  if (unsent_ == count_) {
    --unsent_;
    ++dropped_;
  }
  first_ = Slot(1);
  --count_;
}

void CallerBacklog::Rewind(absl::Time since) {
  while (unsent_ < count_ && frames_[Slot(count_ - unsent_ - 1)].at >= since) ++unsent_;
}

size_t CallerBacklog::TakeUnsent(absl::FunctionRef<void(absl::string_view)> take) {
  const size_t taken = unsent_;
  for (size_t index = count_ - unsent_; index < count_; ++index) take(Text(index));
  unsent_ = 0;
  while (count_ > kept_when_sent_) DropOldest();
  if (frames_.size() > kept_when_sent_) Resize(kept_when_sent_);
  return taken;
}

void CallerBacklog::Clear() {
  count_ = unsent_ = 0;
  Resize(0);
}

void CallerBacklog::Resize(size_t room) {
  std::vector<Frame> frames(room);
  std::vector<char> text(room * kSlotChars);
  for (size_t index = 0; index < count_; ++index) {
    frames[index] = frames_[Slot(index)];
    std::memcpy(&text[index * kSlotChars], &text_[Slot(index) * kSlotChars], frames[index].size);
  }
  frames_ = std::move(frames);
  text_ = std::move(text);
  first_ = 0;
}

absl::string_view CallerBacklog::Text(size_t index) const {
  return {&text_[Slot(index) * kSlotChars], frames_[Slot(index)].size};
}

size_t CallerBacklog::memory() const { return frames_.capacity() * sizeof(Frame) + text_.capacity(); }

}  // namespace callbridge::audio
