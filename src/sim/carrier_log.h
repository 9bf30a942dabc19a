#ifndef CALLBRIDGE_SRC_SIM_CARRIER_LOG_H_
#define CALLBRIDGE_SRC_SIM_CARRIER_LOG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/base/clock.h"
#include "src/base/mutex.h"

namespace callbridge::sim {

// One HTTP exchange or step of a simulated call, for timelines and assertions.
struct CarrierStep {
  absl::Time time;
  std::string what;    // "answer", "ring", "hangup", "stream-start", "stream-end", "heard", "dial", "dial-done",
                       // "person", "violation", ...
  std::string detail;  // "200", "clip demo-congrats", "1480 ms of speech", ...
};

// What one simulated phone call did; a copy, taken at any time.
struct CarrierCallReport {
  std::string call_uuid;
  std::string scenario;
  std::string from;
  std::string to;
  bool outbound = false;
  std::string status = "ringing";  // CallStatus: "ringing", "in-progress", "completed", "busy", ...
  absl::Time started;
  absl::Time answered = absl::InfiniteFuture();
  absl::Time ended = absl::InfiniteFuture();
  bool over = false;
  int hangup_code = 0;  // 4000, 3010, ...
  std::string hangup_name;
  std::string hangup_source;
  std::vector<CarrierStep> steps;
  std::vector<std::string> failed_steps;  // Steps of the person whose wait ran out.
  std::vector<std::string> violations;    // Whatever Plivo would have refused or flagged. A correct server causes none.
  // Everything from the server that really sounded, in order, without gaps: mu-law, or the stream's own format if that
  // is another.
  std::string heard;
  // Spells of sound: when each began and which bytes of `heard` it is.
  struct Spell {
    absl::Time start;
    int64_t first_byte = 0;
    int64_t bytes = 0;
  };
  std::vector<Spell> spells;
  int streams = 0;                    // Started, reconnects included.
  int checkpoints = 0;                // playedStream sent.
  int clears = 0;                     // clearAudio received.
  int64_t cleared_bytes = 0;          // Thrown away by them.
  std::vector<std::string> dialled;   // Numbers that <Dial> rang, in order.
  std::vector<std::string> whispers;  // What humans heard before they were connected, in order.
  struct Digits {
    absl::Time time;
    std::string digits;
  };
  std::vector<Digits> dtmf;     // sendDTMF
  int64_t recording_from = -1;  // An answering machine has what sounded from this byte of `heard` on; -1: nothing.
  bool machine_told = false;    // The server was told that a machine answered.
};

// The report of one call while it is written. Any thread.
class CallLog {
 public:
  CallLog(CarrierCallReport report, const base::Clock& clock);

  void Step(absl::string_view what, absl::string_view detail);
  void Violation(absl::string_view what);
  void Update(absl::FunctionRef<void(CarrierCallReport&)> change);

  // `bytes` sounded from `start` on at `bytes_per_second`. Spells that a listener would not notice the gap between
  // become one step "heard" when they are over.
  void Sound(absl::Time start, absl::string_view bytes, int bytes_per_second);

  bool over() const;
  CarrierCallReport Copy() const;

 private:
  void EndUtterance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const base::Clock& clock_;
  mutable base::Mutex mutex_;
  CarrierCallReport report_ ABSL_GUARDED_BY(mutex_);
  absl::Time sound_end_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time utterance_start_ ABSL_GUARDED_BY(mutex_);
  absl::Duration utterance_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_CARRIER_LOG_H_
