#ifndef CALLBRIDGE_SRC_SIM_PERSON_H_
#define CALLBRIDGE_SRC_SIM_PERSON_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/sim/scenario.h"
#include "src/sim/speech.h"

namespace callbridge::sim {

// The person on a simulated phone: runs the steps of a scenario, 20 ms at a time, from what they hear and see. Pure:
// time is an argument. One thread.
class Person {
 public:
  // What the person's steps do to the call.
  class Phone {
   public:
    virtual ~Phone() = default;
    virtual void HangUp() = 0;
    virtual void Press(char digit) = 0;
    virtual void DropStream(bool reconnect) = 0;
    virtual void SetAudio(bool on) = 0;                  // Whether the carrier sends media frames.
    virtual void OnStep(const std::string& what) = 0;    // A step begins: "say vm-rec-name".
    virtual void OnFailed(const std::string& what) = 0;  // A wait ran out; HangUp() follows.
  };

  // What the person can know besides sound.
  struct Sight {
    bool line_open = false;     // Somebody is there: a stream, a human, or spoken words.
    int streams = 0;            // Started so far.
    bool transferring = false;  // The carrier rings somebody, or has connected them.
    bool connected = false;     // A human is on the line.
  };

  Person(std::vector<PersonStep> steps, std::shared_ptr<const SpeechLibrary> speech);

  // `bytes` of mu-law sounded from `start` on. Pure silence is no speech.
  void Hear(absl::Time start, absl::string_view mulaw);
  // The same for sound that comes without samples.
  void HearSound(absl::Time start, absl::Duration length);

  // Runs steps up to `now`; called every 20 ms. `phone` may end the call in it.
  void Tick(absl::Time now, const Sight& sight, Phone& phone);

  // The 160 bytes of mu-law that the person says in this tick; empty: silence. Valid until the next Tick().
  absl::string_view voice() const { return voice_; }

  bool done() const { return at_ >= steps_.size(); }

 private:
  enum class Progress { kWaiting, kDone };

  void Begin(absl::Time now, Phone& phone);
  Progress Continue(absl::Time now, const Sight& sight, Phone& phone);
  Progress Speak();
  Progress PressNext(absl::Time now, Phone& phone);
  bool WaitIsOver(absl::Time now, const Sight& sight) const;
  bool IsWait() const;

  std::vector<PersonStep> steps_;
  std::shared_ptr<const SpeechLibrary> speech_;
  size_t at_ = 0;
  bool begun_ = false;
  absl::Time began_;  // The current step.

  // Speaking and pressing.
  size_t clip_ = 0;
  size_t position_ = 0;
  absl::Duration spoken_;  // In this step.
  std::string frame_;
  absl::string_view voice_;
  size_t key_ = 0;

  // Hearing.
  absl::Time mark_ = absl::InfinitePast();           // Only sound after it counts for waits.
  absl::Time sound_end_ = absl::InfinitePast();      // Of the last sound.
  absl::Duration utterance_ = absl::ZeroDuration();  // Heard of the current utterance.
  int streams_seen_ = 1;                             // kWaitReturned wants more than these.
};

// The step in the words of the scenario's file.
std::string DescribeStep(const PersonStep& step);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_PERSON_H_
