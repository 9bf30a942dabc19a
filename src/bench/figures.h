#ifndef CALLBRIDGE_SRC_BENCH_FIGURES_H_
#define CALLBRIDGE_SRC_BENCH_FIGURES_H_

#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "src/bench/stream_figures.h"

// What runs give, side by side: the table that people read and the JSON that programs read.
namespace callbridge::bench {

// One load: so many calls at once, with pieces of this length from the model.
struct Case {
  int calls = 0;
  int piece_ms = 20;
  int ahead_ms = 0;  // So much of each response comes from the model at once, the rest at the speed of speech.
  // The agent's playout: how far ahead, in pieces of which length, audio goes to the carrier. 0: the default.
  int lead_ms = 0;
  int sent_ms = 0;
};
inline bool operator==(const Case& a, const Case& b) {
  return a.calls == b.calls && a.piece_ms == b.piece_ms && a.ahead_ms == b.ahead_ms && a.lead_ms == b.lead_ms &&
         a.sent_ms == b.sent_ms;
}

enum class Program { kCallbridge, kRelay };

// What one program did under one load in one window of time. A frame pair is 20 ms of a call: the caller's audio and
// the model's.
struct Trial {
  Case load;
  Program program = Program::kCallbridge;
  int pair = 0;                // The run of the other program with this number came right before or after it.
  double to_model_p50_us = 0;  // From the moment of sending to arrival at the other end, caller to model ...
  double to_model_p99_us = 0;
  double to_caller_p50_us = 0;  // ... and model to caller.
  double to_caller_p99_us = 0;
  double cpu_us_per_pair = 0;        // User and system time of the program.
  double core_percent_per_call = 0;  // The same as a share of one core.
  double kb_per_call = 0;            // Growth of the program's private memory (1024 bytes).
  double delivered_percent =
      0;  // Of the caller's frames that should have come through in the window; the model's likewise, the lesser.
  double first_p50_us = 0;  // From the start of a stream to the model's first audio on it.
  double first_p99_us = 0;
  double stop_p50_us = 0;  // From the model's speech_started to clearAudio, both at the load's ends.
  double stop_p99_us = 0;
  // What callbridge says of it itself, from the message in to clearAudio in the socket: not above this for 99 of 100.
  // 0: it says nothing.
  double stop_inside_p99_us = 0;
  double stopped_percent = 0;  // Interruptions that a clearAudio answered.
  double thrown_p50_ms = 0;    // Audio that lay at the carrier, unheard, when clearAudio came.
  double thrown_p99_ms = 0;
  double gaps_per_minute = 0;    // Of a call: the carrier had nothing left to play in the middle of a response.
  double load_core_percent = 0;  // What the load itself took of one core.
  std::string trouble;           // Not empty: the run did not come about, and why.
};

// The medians of all runs of a program under a load.
struct Row {
  Trial median;
  int runs = 0;      // That came about.
  std::string note;  // What a reader must know before believing the row; empty: nothing.
};

// callbridge against the relay under one load: medians over pairs of runs that came right after one another, so that
// whatever else the machine does weighs on both.
struct Comparison {
  Case load;
  int pairs = 0;
  double cpu_ratio = 0;  // Of the CPU time per frame pair.
  double to_model_p99_ratio = 0;
  double to_caller_p99_ratio = 0;
  double kb_per_call_beyond = 0;  // Difference, not ratio.
};

// What is aimed at, at kAimCalls calls.
inline constexpr int kAimCalls = 100;
inline constexpr double kAimRatio = 1.5;
inline constexpr double kAimKbPerCall = 64;
inline constexpr double kAimStopMicros = 5000;  // p99.

// Below this the row says that frames are missing.
inline constexpr double kEnoughDelivered = 98;

// One row for each load and program in `trials`, in the order in which they first appear.
std::vector<Row> MakeRows(const std::vector<Trial>& trials);

// One for each load of which at least one whole pair of runs came about, in the order in which the loads first appear.
std::vector<Comparison> Compare(const std::vector<Trial>& trials);

// The rows as a table, and below it each comparison beside its aim.
std::string FormatTable(const std::vector<Row>& rows, const std::vector<Comparison>& comparisons);

// The same runs seen from the carrier's player: what a lead and a length of pieces cost, and what they save.
std::string FormatPlayoutTable(const std::vector<Row>& rows);

// Where and how the figures came about.
struct Setting {
  std::string date;
  std::string machine;
  int cores = 0;
  int threads = 1;
  double window_seconds = 0;
  double warmup_seconds = 0;
};

// {"setting":{},"aims":{},"rows":[],"ratios":[],"runs":[],"streams":[]}, indented.
std::string FormatJson(const Setting& setting, const std::vector<Trial>& trials, const std::vector<Row>& rows,
                       const std::vector<Comparison>& comparisons, const std::vector<StreamFigures>& streams);

}  // namespace callbridge::bench

#endif  // CALLBRIDGE_SRC_BENCH_FIGURES_H_
