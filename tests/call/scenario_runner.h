#ifndef CALLBRIDGE_TESTS_CALL_SCENARIO_RUNNER_H_
#define CALLBRIDGE_TESTS_CALL_SCENARIO_RUNNER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "src/call/call.h"
#include "src/call/command.h"
#include "src/call/input.h"

namespace callbridge::call {

// One line of a script after its shorthands were written out.
struct ScriptStep {
  enum class Kind { kAdvanceTo, kAdvanceBy, kInput, kAcks, kExpectation };
  Kind kind = Kind::kInput;
  int64_t ms = 0;
  input::Input input;
  std::string text;  // kAcks, kExpectation.
  int line = 0;
};

// A call written down as text, one thing a line; '#' at its begin or between blanks begins a
// comment.
//
//   option outbound              first lines: how the call is conducted (see ApplyOption)
//   option destination KEY target NUMBER SECONDS | announcement|failure_text|whisper|confirm_key TEXT
//   1200 <input>                 at that millisecond after the begin; ticks and acknowledgements happen on the way
//   +300 <input>                 so much later
//   +300                         only time
//   <input>                      at the same instant; as in call/input_text.h
//   ready                        the stream opens and the model's session is configured
//   audio R A MS [PIECE]         audio of response R, item A in pieces of PIECE ms, all at once
//   say R A MS text...           a whole response R of one item A
//   turn U text...               the caller speaks for 600 ms and is understood
//   frames N                     N frames of the caller, 20 ms apart; each of its own content
//   session ID [SECONDS]         the model's session is created and configured; it ends after so long
//   voice MS, quiet MS           frames of 20 ms in which the caller is heard, or is not
//   acks on|off                  whether the carrier acknowledges checkpoints
//
// and what is expected of the lines since the last expectation:
//   > name key=value ...         a command, behind the one that was matched before
//   = name key=value ...         an event, likewise. key=10..20 is a range
//   ! name key=value ...         neither command nor event
//   total N name key=value ...   so many, since the begin
//   sent ITEM LOW..HIGH          so many ms of an item were handed to the carrier
//   state NAME
struct Script {
  CallOptions options;
  std::vector<ScriptStep> steps;
  int carrier_delay_ms = 80;
  int ack_delay_ms = 0;
};

// Adds a test failure for a line that makes no sense.
Script ReadScript(absl::string_view text);

// Runs a call in virtual time against a carrier that plays what it gets after a start delay, and holds the call to what
// it must keep in any flow:
//   events' sequences have no gap; CallEnded once, behind it only late texts and the summary; Finished once, and
//   nothing behind it; an item is cut where the caller stopped hearing it (within 100 ms), never beyond what was
//   received or sent, and no audio of it is handed over afterwards; no audio without a stream; a tick when one is due
//   moves the next deadline on.
// A failure prints the whole timeline.
class ScenarioRunner final : private CommandSink {
 public:
  explicit ScenarioRunner(const Script& script);

  // Does one step; expectations only if `check`.
  void Do(const ScriptStep& step, bool check);
  void Feed(const input::Input& input);
  // Lets time pass, with what falls due on the way.
  void AdvanceTo(int64_t ms);
  int64_t now_ms() const { return now_us_ / 1000; }

  // Feeds exactly what another runner recorded, at its times.
  using Recorded = std::vector<std::pair<int64_t, std::string>>;
  void Replay(const Recorded& inputs);
  const Recorded& recorded() const { return recorded_; }

  bool finished() const { return finished_; }
  const Call& call() const { return call_; }
  int Count(absl::string_view pattern) const;
  // Commands and events, each a line.
  std::vector<std::string> Results() const;
  std::string Timeline() const;

 private:
  struct Line {
    int64_t us;
    char kind;  // '<' input, '>' command, '=' event
    std::string text;
  };
  struct Ack {
    int64_t due_us;
    int64_t number;
  };
  struct Sounding {  // A stretch of an item at the carrier.
    std::string item_id;
    int64_t start_us;
    int64_t bytes;
  };
  struct Audio {  // Of one item.
    int64_t received = 0;
    int64_t sent = 0;
    bool cut = false;
  };

  void AudioToModel(absl::string_view base64) override;
  void AudioToCarrier(absl::string_view base64) override;
  void Do(const command::Command& command) override;
  void Record(Event event) override;

  absl::Time Now() const;
  int64_t NextUs() const;
  void Note(const input::Input& input);
  void Tick();
  void Check(const ScriptStep& step);
  bool FindNext(char kind, absl::string_view pattern, size_t* cursor) const;
  void CheckCut(const std::string& item_id, int64_t ms);
  int64_t HeardUs(const std::string& item_id) const;
  void DropAtCarrier();
  void Fail(absl::string_view what) const;

  const int64_t carrier_delay_us_;
  const int64_t ack_delay_us_;
  int64_t now_us_ = 0;
  std::vector<Line> log_;
  size_t block_ = 0;  // Where the lines since the last expectation begin.
  size_t command_cursor_ = 0;
  size_t event_cursor_ = 0;
  bool in_expectations_ = false;
  Recorded recorded_;

  bool acks_ = true;
  bool stream_open_ = false;
  std::vector<Ack> pending_acks_;
  int64_t play_end_us_ = 0;
  std::vector<Sounding> sounding_;
  std::map<std::string, std::string> item_of_quantum_;  // The first four characters of its audio name an item.
  std::map<std::string, Audio> audio_;

  int64_t next_sequence_ = 2;
  bool ended_ = false;
  bool finished_ = false;
  Call call_;
};

// `ms` of sound as base64, its content named by `seed`: the same seed gives the same four characters throughout.
std::string SoundOf(absl::string_view seed, int64_t ms);

// A script by its name.
struct Scenario {
  const char* name;
  const char* script;
};

// Registers three tests for each: Suite.<name> runs it; SuiteHungUpAnywhere.<name> cuts it behind each input by a
// hang-up and wants an orderly end; SuiteReplayed.<name> writes its inputs down, reads them back, and wants the same
// results; its tape too.
bool RegisterScenarios(const char* suite, const std::vector<Scenario>& scenarios);

}  // namespace callbridge::call

#endif  // CALLBRIDGE_TESTS_CALL_SCENARIO_RUNNER_H_
