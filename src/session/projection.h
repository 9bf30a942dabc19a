#ifndef CALLBRIDGE_SRC_SESSION_PROJECTION_H_
#define CALLBRIDGE_SRC_SESSION_PROJECTION_H_

#include <string>
#include <vector>

#include "src/base/log.h"
#include "src/call/event.h"
#include "src/store/records.h"

namespace callbridge::session {

// Adds an event and all that it means for the rows of call_logs, leads, transcript_items and call_transfers to a write:
// the rows are a projection of the events. `transcript` is the conversation so far, used at the end.
//   transfer begins   transferred = true, with its reason; the lead is 'transferred'
//   transfer fails    both are taken back: nobody took the caller over
//   end               duration, transcript, termination; the lead is 'called' unless it was transferred
void Project(call::Event event, const std::string& transcript, store::CallWrite& write);

// The line that an event gives in the log; no number in clear, and nothing that was said unless `with_words`. `message`
// empty: none.
struct LogLine {
  base::LogKind kind = base::LogKind::kCall;
  std::string message;
  std::vector<base::LogField> fields;
};
LogLine Describe(const call::Event& event, bool with_words);

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_PROJECTION_H_
