#ifndef CALLBRIDGE_SRC_SIM_PLAYOUT_QUEUE_H_
#define CALLBRIDGE_SRC_SIM_PLAYOUT_QUEUE_H_

#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace callbridge::sim {

// The carrier's buffer of what the server wants the caller to hear: one ordered list of audio and checkpoints that
// drains in real time. Pure: time is an argument and must not go backwards. One thread.
class PlayoutQueue {
 public:
  struct Options {
    int bytes_per_second = 8000;                          // Of the stream's format.
    absl::Duration delay = absl::ZeroDuration();          // No byte sounds earlier than this after it came.
    absl::Duration limit = absl::Seconds(40);             // What fits.
    absl::Duration on_the_line = absl::Milliseconds(20);  // What Clear() cannot call back.
  };

  // What happens while it drains.
  class Sink {
   public:
    virtual ~Sink() = default;
    // `bytes` sounded from `start` on, without a gap inside.
    virtual void OnSound(absl::Time start, absl::string_view bytes) = 0;
    // Everything before the checkpoint has sounded.
    virtual void OnCheckpoint(const std::string& name) = 0;
  };

  explicit PlayoutQueue(const Options& options) : options_(options) {}

  // False: it would overflow, and none of it is kept.
  bool Push(absl::Time now, std::string audio);

  void Checkpoint(std::string name);

  // Throws away audio and checkpoints, but for the audio that is on the line already. Call Advance(now) before. How
  // many bytes it threw away.
  int64_t Clear(absl::Time now);

  // Plays up to `now`.
  void Advance(absl::Time now, Sink& sink);

  // For what is pushed from now on.
  void set_delay(absl::Duration delay) { options_.delay = delay; }

  // Bytes that have not sounded.
  int64_t queued_bytes() const { return queued_bytes_; }

 private:
  struct Entry {
    std::string audio;  // Empty: a checkpoint.
    std::string name;
    absl::Time earliest;
    size_t played = 0;
  };

  absl::Duration Span(int64_t bytes) const { return absl::Seconds(1) * bytes / options_.bytes_per_second; }

  Options options_;
  std::deque<Entry> entries_;
  absl::Time head_ = absl::InfinitePast();  // When the next byte may sound: the end of the last one.
  int64_t queued_bytes_ = 0;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_PLAYOUT_QUEUE_H_
