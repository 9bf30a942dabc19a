#ifndef CALLBRIDGE_SRC_DEMO_CHECKLIST_H_
#define CALLBRIDGE_SRC_DEMO_CHECKLIST_H_

#include <map>
#include <string>
#include <vector>

#include "callbridge/v1/event.pb.h"
#include "callbridge/v1/transcript.pb.h"

namespace callbridge::demo {

// What the simulated world says about a call of its own.
struct WorldReport {
  bool found = false;
  bool over = false;
  std::vector<std::string> violations;    // What a correct server never does.
  std::vector<std::string> failed_steps;  // What the person waited for in vain.
};

// Everything known about one call, from all sides. What is not known yet is empty.
struct CallFacts {
  std::vector<v1::CallEvent> events;            // In order.
  std::map<std::string, std::string> call_row;  // Of call_logs: column -> value.
  std::map<std::string, std::string> lead_row;  // Of leads.
  std::vector<v1::TranscriptItem> transcript;   // As GetTranscript answers with both texts.
  WorldReport world;
};

struct Step {
  std::string what;
  bool done = false;
  std::string detail;  // What was seen, or what is missing.
};

// The steps of a demo call in the order in which they happen, all of them, each done or not. Pure.
std::vector<Step> CheckCall(const CallFacts& facts);

bool AllDone(const std::vector<Step>& steps);

// The first step that is not done; empty if all are.
std::string FirstMissing(const std::vector<Step>& steps);

}  // namespace callbridge::demo

#endif  // CALLBRIDGE_SRC_DEMO_CHECKLIST_H_
