#ifndef CALLBRIDGE_SRC_CALL_EVENT_TEXT_H_
#define CALLBRIDGE_SRC_CALL_EVENT_TEXT_H_

#include <string>

#include "src/call/event.h"

namespace callbridge::call {

// An event as one line of text, without its call, sequence and time, for tapes and tests:
//   barge_in item_id="a1" heard_ms=420 received_ms=2000 basis="paced"
// The type, then each field as name=value; texts are quoted with C escapes. Never parsed back.
std::string FormatEvent(const Event& event);

}  // namespace callbridge::call

#endif  // CALLBRIDGE_SRC_CALL_EVENT_TEXT_H_
