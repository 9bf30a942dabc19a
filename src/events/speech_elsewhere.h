#ifndef CALLBRIDGE_SRC_EVENTS_SPEECH_ELSEWHERE_H_
#define CALLBRIDGE_SRC_EVENTS_SPEECH_ELSEWHERE_H_

#include <memory>
#include <string>

#include "src/events/speech_hub.h"

namespace callbridge::events {

// The words of live calls that other processes have. A courtesy, as SpeechHub is. Thread-safe.
class SpeechElsewhere {
 public:
  virtual ~SpeechElsewhere() = default;

  // For as long as it lives. Once its destructor has returned, `take` does not run and will not; the destructor waits
  // for one that runs on another thread.
  class Following {
   public:
    virtual ~Following() = default;
    // The other process does not tell any more, or cannot be reached. Never blocks.
    virtual bool ended() const = 0;
  };

  // Calls `take` with the words of this call from some moment soon, in their order, on any thread. It must not block,
  // nor destroy the Following. Null: that node is this process, or unknown, or dead. Never blocks.
  virtual std::unique_ptr<Following> Follow(const std::string& node_id, const std::string& call_id,
                                            SpeechHub::Take take) = 0;
};

// Where words are before they are items. Null: nowhere.
struct SpeechSources {
  SpeechHub* here = nullptr;
  SpeechElsewhere* elsewhere = nullptr;
};

}  // namespace callbridge::events

#endif  // CALLBRIDGE_SRC_EVENTS_SPEECH_ELSEWHERE_H_
