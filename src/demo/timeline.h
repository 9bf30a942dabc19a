#ifndef CALLBRIDGE_SRC_DEMO_TIMELINE_H_
#define CALLBRIDGE_SRC_DEMO_TIMELINE_H_

#include <map>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "callbridge/v1/event.pb.h"
#include "callbridge/v1/transcript.pb.h"

namespace callbridge::demo {

// Turns the events of calls into lines for people: when, who, what. Pure, not thread-safe.
class Timeline {
 public:
  // `colours`: with the escape sequences of a terminal.
  explicit Timeline(bool colours) : colours_(colours) {}

  // The line for an event, without a line end; empty for events that say nothing new to a reader, two lines where an
  // earlier event had to wait for this one. Times are from the first event of the same call on.
  std::string Line(const v1::CallEvent& event);

  // One thing said, for a transcript: who, and what was heard. What was not heard any more is in brackets.
  std::string TranscriptLine(const v1::TranscriptItem& item) const;

 private:
  struct CallState {
    absl::Time start;
    int turns = 0;
    std::set<std::string> said;                  // Items whose text was shown.
    std::map<std::string, std::string> waiting;  // Item -> the line about its turn, until its text is there.
  };

  std::string TurnLine(CallState& call, const v1::TurnMeasured& measured) const;
  // "  0:05.123  caller     what"
  std::string Format(absl::string_view time, absl::string_view who, absl::string_view what) const;
  std::string Painted(absl::string_view code, absl::string_view text) const;

  const bool colours_;
  std::map<std::string, CallState> calls_;
};

// "0:05.123", minutes without a limit; negative durations are shown as zero.
std::string FormatOffset(absl::Duration offset);

// "1.24 s".
std::string FormatSeconds(absl::Duration duration);

// END_REASON_NORMAL_HANGUP -> "normal hangup": the words of an enum's value behind its type's prefix.
std::string Words(absl::string_view value_name, absl::string_view prefix);

}  // namespace callbridge::demo

#endif  // CALLBRIDGE_SRC_DEMO_TIMELINE_H_
