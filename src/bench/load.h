#ifndef CALLBRIDGE_SRC_BENCH_LOAD_H_
#define CALLBRIDGE_SRC_BENCH_LOAD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace callbridge::bench {

// The world around a program that is measured: a carrier with callers who speak all the time, and a model that answers
// each with one response that never ends. Deliberately cheap, on one loop of its own, so that it does not take the
// processor from what it measures: the simulator is for behaviour, this is for load. Audio is silence that carries the
// time of its sending.
//
// Frames of different calls are spread evenly over 20 ms (and pieces over their own length) instead of coming all at
// once.
class Load {
 public:
  struct Options {
    int piece_ms = 20;  // Of the model's audio: one piece of this length each so many milliseconds.
    int ahead_ms = 0;   // So much more of it at the beginning of each response, all at once.
  };

  // What arrived between StartWindow() and EndWindow(). Times are microseconds from the moment before sending to
  // arrival.
  struct Window {
    absl::Duration length;
    std::vector<double> to_model_us;   // One for each frame of the caller.
    std::vector<double> to_caller_us;  // One for each piece of the model.
    int64_t frames_due = 0;            // How many there should have been of each, by the clock.
    int64_t pieces_due = 0;
    int64_t gaps = 0;    // A player had nothing left to play in the middle of a response.
    absl::Duration cpu;  // Of this whole process.
  };

  // What Interrupt() gave, and the calls' beginnings. Microseconds.
  struct Talk {
    std::vector<double> first_us;   // From before a stream's start was sent to the arrival of the first audio.
    std::vector<double> stop_us;    // From before speech_started was sent to the arrival of clearAudio.
    std::vector<double> thrown_ms;  // Audio at the carrier that each clearAudio found unheard.
    int interruptions = 0;
  };

  // The model listens when this returns.
  static absl::StatusOr<std::unique_ptr<Load>> Start(const Options& options);
  virtual ~Load() = default;

  // ws://127.0.0.1:PORT/v1/realtime
  virtual std::string model_url() const = 0;

  // Opens the audio stream of a call; it is spoken on from then on.
  virtual void AddCall(const std::string& stream_url, const std::string& carrier_call_id) = 0;

  // Calls whose caller and model hear each other; calls of which a socket has closed or never opened.
  virtual int talking() const = 0;
  virtual int lost() const = 0;

  // On any thread but the loop's; one after the other.
  virtual void StartWindow() = 0;
  virtual Window EndWindow() = 0;

  // Has the caller of each call interrupt once a second, spread evenly over it, for so long; blocks.
  virtual Talk Interrupt(absl::Duration length) = 0;
};

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_LOAD_H_
