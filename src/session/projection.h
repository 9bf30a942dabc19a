#ifndef CALLBRIDGE_SRC_SESSION_PROJECTION_H_
#define CALLBRIDGE_SRC_SESSION_PROJECTION_H_

#include <string>
#include <vector>

#include "src/base/log.h"
#include "src/call/event.h"
#include "src/store/records.h"

namespace callbridge::session {

// What the end of a call is recorded with.
struct Closing {
  std::string transcript;      // The conversation so far.
  bool summary_later = false;  // Somebody sums it up afterwards, unless nothing was said.
};

// Adds an event and all that it means for the rows of call_logs, leads, transcript_items, call_transfers and
// summary_jobs to a write: the rows are a projection of the events. `closing` is used at the end.
//   transfer begins    transferred = true, with its reason; the lead is 'transferred'
//   transfer fails     both are taken back: nobody took the caller over
//   machine answered   call_logs.answered_by
//   callback promised  the disposition 'callback', on call and lead; a result that comes later replaces it
//   end                duration, transcript, termination, a summary job; the lead is 'called' unless it was transferred
//   summary            on the call, its result there and on the lead; made or failed, its job goes
void Project(call::Event event, const Closing& closing, store::CallWrite& write);

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
