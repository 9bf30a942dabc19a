#ifndef CALLBRIDGE_TESTS_AUDIO_VIRTUAL_PHONE_H_
#define CALLBRIDGE_TESTS_AUDIO_VIRTUAL_PHONE_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/audio/assistant_playout.h"

namespace callbridge::audio {

// `bytes` of sound as base64. Groups of three bytes count up from `*counter`, so that an order that is wrong shows.
std::string CountingSound(int64_t bytes, int* counter);

// The carrier and the ear behind it, in virtual time: begins to play some time after it got the first byte of a spell
// of sound, then plays in order without a gap while it has something, and reaches checkpoints.
class VirtualPhone final : public AssistantPlayout::Carrier {
 public:
  // `delay` tells for each spell how long it takes until it sounds.
  explicit VirtualPhone(std::function<absl::Duration()> delay) : delay_(std::move(delay)) {}

  void Play(absl::string_view item_id, absl::string_view base64) override;
  void Checkpoint(int64_t number) override { checkpoints_.emplace_back(std::max(end_, now), number); }

  // What has not sounded never does, and its checkpoints are not reached.
  void Clear();

  // Numbers of the checkpoints reached since the last call, in order.
  std::vector<int64_t> TakeReached();

  // Of an item, decoded: how much has sounded, and what.
  int64_t HeardBytes(absl::string_view item_id) const;
  std::string Heard(absl::string_view item_id) const;
  // What sounded, of all items, in the order in which it did.
  std::string Heard() const;
  // Beginning of the first sound of an item.
  absl::Time FirstSound(absl::string_view item_id) const;

  // Of the present spell of sound: its number, and when it begins to sound.
  int spell() const { return spell_; }
  absl::Time spell_start() const { return spell_start_; }

  absl::Time now = absl::UnixEpoch();

 private:
  struct Stretch {
    std::string item_id;
    absl::Time start;
    std::string bytes;
  };

  int64_t Played(const Stretch& stretch) const;

  std::function<absl::Duration()> delay_;
  std::vector<Stretch> stretches_;
  std::deque<std::pair<absl::Time, int64_t>> checkpoints_;
  absl::Time end_ = absl::InfinitePast();
  absl::Time spell_start_ = absl::InfinitePast();
  int spell_ = 0;
};

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_TESTS_AUDIO_VIRTUAL_PHONE_H_
