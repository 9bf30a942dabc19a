#ifndef CALLBRIDGE_SRC_SESSION_CALL_METRICS_H_
#define CALLBRIDGE_SRC_SESSION_CALL_METRICS_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "src/call/event.h"

namespace callbridge::session {

// What is counted and measured of calls, for Prometheus (docs/metrics.md), from the events that were recorded: so a
// number here can be looked up in the store, call by call. Thread-safe. Labels have a fixed set of values: no number,
// name or word of a call or of the model is one.
class CallMetrics {
 public:
  CallMetrics();
  ~CallMetrics();
  CallMetrics(const CallMetrics&) = delete;
  CallMetrics& operator=(const CallMetrics&) = delete;

  // Takes an event, once. Never blocks for long: some atomics, a mutex that is rarely held.
  void Observe(const call::Event& event);

  // A message of the model stopped the assistant: from its arrival to clearAudio in the carrier's socket. From memory
  // alone, in no event.
  void ObserveStop(absl::Duration time);

  // All of it in Prometheus' text format.
  std::string Text() const;

 private:
  class Instruments;
  const std::unique_ptr<Instruments> instruments_;
};

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_CALL_METRICS_H_
