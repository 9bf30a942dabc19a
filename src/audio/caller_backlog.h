#ifndef CALLBRIDGE_SRC_AUDIO_CALLER_BACKLOG_H_
#define CALLBRIDGE_SRC_AUDIO_CALLER_BACKLOG_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace callbridge::audio {

// The caller's last frames, as the base64 text they came in: what no session of the model has been given yet, and,
// while one works, a little of what it was given, for the session that may have to take its place.
//
// What is unsent is always the newest part: nothing goes to the model behind something later. Frames longer than 216
// characters (20 ms of mu-law) are kept, counted and given back in pieces of that length.
//
// Pure, not thread-safe. Push allocates nothing once there is room for as many frames as it keeps: one flat buffer,
// 232 bytes a frame, that grows by doubling to `capacity` frames and shrinks to `kept_when_sent` when all is sent.
class CallerBacklog {
 public:
  // At most `capacity` frames (at least 1), and of those that were sent the last `kept_when_sent` (<= capacity).
  CallerBacklog(size_t capacity, size_t kept_when_sent);

  // A frame came at `now`, which never goes backwards: padded base64. `sent`: it went to the model at once, and what
  // had not before it counts as sent too. An empty frame changes nothing.
  void Push(absl::string_view base64, absl::Time now, bool sent);

  // What came at `since` or later counts as unsent again, as far as it is still here.
  void Rewind(absl::Time since);

  // Hands out what is unsent, oldest first, and counts it as sent. How many frames that were. `take` must not call
  // back.
  size_t TakeUnsent(absl::FunctionRef<void(absl::string_view base64)> take);

  // Forgets all frames and gives the memory back.
  void Clear();

  size_t unsent() const { return unsent_; }
  // Frames, over the whole call, that had to make room before they were ever sent.
  int64_t dropped() const { return dropped_; }
  // Bytes of the heap.
  size_t memory() const;

 private:
  struct Frame {
    absl::Time at;
    uint32_t size = 0;
  };

  void PushPiece(absl::string_view piece, absl::Time now);
  void DropOldest();
  // Moves the frames to a buffer for `room` of them.
  void Resize(size_t room);
  size_t Slot(size_t index) const { return (first_ + index) % frames_.size(); }
  absl::string_view Text(size_t index) const;

  const size_t capacity_;
  const size_t kept_when_sent_;
  std::vector<Frame> frames_;  // A ring ...
  std::vector<char> text_;     // ... and the frames' text, so many characters for each.
  size_t first_ = 0;           // Slot of the oldest.
  size_t count_ = 0;
  size_t unsent_ = 0;  // The newest so many.
  int64_t dropped_ = 0;
};

}  // namespace callbridge::audio

#endif  // CALLBRIDGE_SRC_AUDIO_CALLER_BACKLOG_H_
