#include "tests/audio/virtual_phone.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace callbridge::audio {

std::string CountingSound(int64_t bytes, int* counter) {
  std::string sound;
  for (; static_cast<int64_t>(sound.size()) < bytes; ++*counter) {
    const auto number = static_cast<uint32_t>(*counter);
    for (const int shift : {16, 8, 0}) sound.push_back(static_cast<char>(number >> shift));
  }
  sound.resize(bytes);
  return absl::Base64Escape(sound);
}

void VirtualPhone::Play(absl::string_view item_id, absl::string_view base64) {
  std::string bytes;
  if (!absl::Base64Unescape(base64, &bytes) || bytes.empty()) bytes = absl::StrCat("not audio: ", base64);
  if (end_ <= now) {
    ++spell_;
    end_ = spell_start_ = now + delay_();
  }
  stretches_.push_back({std::string(item_id), end_, bytes});
  end_ += PlayingTime(static_cast<int64_t>(bytes.size()));
}

int64_t VirtualPhone::Played(const Stretch& stretch) const {
  if (now <= stretch.start) return 0;
  const int64_t bytes = absl::ToInt64Microseconds(now - stretch.start) * kBytesPerMs / 1000;
  return std::min<int64_t>(bytes, stretch.bytes.size());
}

void VirtualPhone::Clear() {
  for (Stretch& stretch : stretches_) stretch.bytes.resize(Played(stretch));
  checkpoints_.clear();
  end_ = now;
}

std::vector<int64_t> VirtualPhone::TakeReached() {
  std::vector<int64_t> reached;
  for (; !checkpoints_.empty() && checkpoints_.front().first <= now; checkpoints_.pop_front()) {
    reached.push_back(checkpoints_.front().second);
  }
  return reached;
}

int64_t VirtualPhone::HeardBytes(absl::string_view item_id) const {
  int64_t heard = 0;
  for (const Stretch& stretch : stretches_) heard += stretch.item_id == item_id ? Played(stretch) : 0;
  return heard;
}

std::string VirtualPhone::Heard(absl::string_view item_id) const {
  std::string heard;
  for (const Stretch& stretch : stretches_) {
    if (stretch.item_id == item_id) heard += stretch.bytes.substr(0, Played(stretch));
  }
  return heard;
}

std::string VirtualPhone::Heard() const {
  std::string heard;
  for (const Stretch& stretch : stretches_) heard += stretch.bytes.substr(0, Played(stretch));
  return heard;
}

absl::Time VirtualPhone::FirstSound(absl::string_view item_id) const {
  for (const Stretch& stretch : stretches_) {
    if (stretch.item_id == item_id) return stretch.start;
  }
  return absl::InfiniteFuture();
}

}  // namespace callbridge::audio
