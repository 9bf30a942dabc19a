#ifndef CALLBRIDGE_SRC_SIM_MODEL_REPORT_H_
#define CALLBRIDGE_SRC_SIM_MODEL_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace callbridge::sim {

// What one model session saw and did; a copy, taken at any time.
struct ModelSessionReport {
  std::string scenario;
  std::string model;
  bool open = false;
  int close_code = 0;                    // As sent or received; 1006: without a close frame.
  std::string session_update;            // The accepted session, JSON.
  std::vector<std::string> received;     // Every client event but appends, as text, in order.
  std::vector<std::string> refused;      // "type: code: message" for each client event answered with an error.
  int64_t appended_bytes = 0;            // mu-law received.
  std::vector<std::string> heard_words;  // What the caller said, as recognised, one per committed turn.
  struct Item {
    std::string item_id;
    std::string words;
    std::string mulaw;  // All audio sent for it.
    int64_t audio_ms = 0;
    int64_t truncated_ms = -1;  // By the client; -1: not truncated.
    bool deleted = false;
    bool cancelled = false;
  };
  std::vector<Item> items;  // Assistant audio items in the order made.
  struct Response {
    std::string response_id;
    bool out_of_band = false;
    bool automatic = false;  // Made by turn detection, not asked for.
    std::string status;      // "in_progress", "completed", ...
    std::string reason;      // "turn_detected", "client_cancelled", ...
  };
  std::vector<Response> responses;        // In the order made.
  std::vector<std::string> tool_outputs;  // "call_id output"
  int greetings = 0;                      // response.create before any caller speech
  // What a timeline shows: "open", "update", "speech_started", "heard", "response", "done", "truncated", "tool",
  // "closed", ...
  struct Step {
    absl::Time time;
    std::string what;
    std::string detail;
  };
  std::vector<Step> steps;
  std::vector<std::string> problems;  // Of the scenario: clips that do not exist.
  int number = 1;                     // Which of its call's sessions it is.
  // The conversation as the model believes it to have been, in its order: what was deleted is gone.
  struct Believed {
    std::string item_id;
    std::string role;  // "user", "assistant", "system", "function_call", "function_call_output"
    std::string text;  // All that was said or written, also behind a cut; arguments or output of a function call.
    std::string call_id;
    std::string name;
    int64_t audio_ms = 0;
    int64_t heard_ms = 0;  // Of the assistant's: up to where it was cut.
  };
  std::vector<Believed> conversation;
};

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_MODEL_REPORT_H_
