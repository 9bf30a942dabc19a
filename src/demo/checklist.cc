#include "src/demo/checklist.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "src/demo/timeline.h"

namespace callbridge::demo {
namespace {

struct Finding {
  bool done = false;
  std::string detail;
};

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

// The value of a column; empty if there is none.
std::string Column(const std::map<std::string, std::string>& row, const std::string& name) {
  const auto found = row.find(name);
  return found == row.end() ? "" : found->second;
}

// The last state of each transfer, in the order in which they were asked for.
std::vector<v1::Transfer> Transfers(const CallFacts& facts) {
  std::vector<v1::Transfer> transfers;
  for (const v1::CallEvent& event : facts.events) {
    if (!event.has_transfer_changed()) continue;
    const v1::Transfer& now = event.transfer_changed().transfer();
    const auto known = std::find_if(transfers.begin(), transfers.end(),
                                    [&now](const v1::Transfer& each) { return each.name() == now.name(); });
    if (known == transfers.end()) {
      transfers.push_back(now);
    } else {
      *known = now;
    }
  }
  return transfers;
}

const v1::CallEnded* End(const CallFacts& facts) {
  for (const v1::CallEvent& event : facts.events) {
    if (event.has_call_ended()) return &event.call_ended();
  }
  return nullptr;
}

Finding Greeting(const CallFacts& facts) {
  std::string greeting;
  for (const v1::CallEvent& event : facts.events) {
    if (event.has_assistant_speech_started() && event.assistant_speech_started().greeting()) {
      greeting = event.assistant_speech_started().item_id();
    }
    const v1::AssistantSpeechFinished& finished = event.assistant_speech_finished();
    const absl::Duration heard = ToDuration(finished.heard_duration());
    if (!greeting.empty() && finished.item_id() == greeting && heard > absl::ZeroDuration()) {
      return {true, absl::StrCat("all ", FormatSeconds(heard), " of it")};
    }
  }
  return {false, greeting.empty() ? "it was never spoken" : "it was not heard to its end"};
}

Finding TurnsTranscribed(const CallFacts& facts) {
  int turns = 0;
  for (const v1::CallEvent& event : facts.events) {
    const v1::TranscriptItem& item = event.transcript_item_final().item();
    turns += item.role() == v1::SPEAKER_ROLE_CALLER && item.status() == v1::TRANSCRIPT_ITEM_STATUS_COMPLETE &&
             !item.text_heard().empty();
  }
  return {turns >= 2, absl::StrCat("turns: ", turns)};
}

Finding TurnsAnswered(const CallFacts& facts) {
  std::vector<int64_t> times;
  for (const v1::CallEvent& event : facts.events) {
    if (!event.turn_measured().has_to_first_heard()) continue;
    times.push_back(absl::ToInt64Milliseconds(ToDuration(event.turn_measured().to_first_heard())));
  }
  if (times.size() < 2) return {false, absl::StrCat("turns: ", times.size())};
  return {true, absl::StrCat("heard after ", absl::StrJoin(times, ", "), " ms")};
}

Finding Interrupted(const CallFacts& facts) {
  for (const v1::CallEvent& event : facts.events) {
    if (!event.has_barge_in()) continue;
    const absl::Duration heard = ToDuration(event.barge_in().heard_duration());
    const absl::Duration received = ToDuration(event.barge_in().received_duration());
    return {heard < received, absl::StrCat("heard ", FormatSeconds(heard), " of ", FormatSeconds(received))};
  }
  return {false, "nobody interrupted"};
}

Finding Resumed(const CallFacts& facts) {
  std::string paused;
  for (const v1::CallEvent& event : facts.events) {
    if (event.has_assistant_paused()) paused = event.assistant_paused().item_id();
    if (!event.has_assistant_resumed() || paused.empty()) continue;
    const v1::AssistantResumed& resumed = event.assistant_resumed();
    return {resumed.item_id() == paused,
            absl::StrCat("after ", FormatSeconds(ToDuration(resumed.paused_duration())), ", in the same sentence")};
  }
  return {false, paused.empty() ? "it did not pause" : "it did not go on"};
}

Finding SessionReplaced(const CallFacts& facts) {
  bool lost = false, replaced = false;
  for (const v1::CallEvent& event : facts.events) {
    lost |= event.has_model_reopening();
    replaced |= lost && event.model_ready().ordinal() > 1;
    if (replaced && event.has_assistant_speech_finished()) return {true, "and the assistant goes on"};
  }
  return {false, replaced ? "the new session said nothing" : lost ? "there was no new session" : "it was never lost"};
}

Finding FirstTransferFailed(const CallFacts& facts) {
  const std::vector<v1::Transfer> transfers = Transfers(facts);
  if (transfers.empty()) return {false, "no transfer was asked for"};
  const v1::Transfer& first = transfers[0];
  return {
      first.state() == v1::TRANSFER_STATE_FAILED && first.outcome() == v1::TRANSFER_OUTCOME_NO_ANSWER,
      absl::StrCat(first.destination(), ": ", Words(v1::TransferOutcome_Name(first.outcome()), "TRANSFER_OUTCOME_"))};
}

Finding Returned(const CallFacts& facts) {
  const std::vector<v1::Transfer> transfers = Transfers(facts);
  for (const v1::CallEvent& event : facts.events) {
    if (!event.has_caller_returned() || transfers.empty()) continue;
    if (event.caller_returned().transfer() == transfers[0].name()) return {true, "after the first transfer"};
  }
  return {false, "the caller never came back"};
}

Finding SecondTransferBridged(const CallFacts& facts) {
  const std::vector<v1::Transfer> transfers = Transfers(facts);
  if (transfers.size() < 2) return {false, "no second transfer was asked for"};
  const v1::Transfer& second = transfers[1];
  return {
      second.state() == v1::TRANSFER_STATE_COMPLETED && second.outcome() == v1::TRANSFER_OUTCOME_BRIDGED,
      absl::StrCat(second.destination(), ": ", Words(v1::TransferOutcome_Name(second.outcome()), "TRANSFER_OUTCOME_"))};
}

Finding Ended(const CallFacts& facts) {
  const v1::CallEnded* const ended = End(facts);
  if (ended == nullptr) return {false, "it has not ended"};
  const v1::EndReason reason = ended->end().reason();
  const bool well = reason == v1::END_REASON_NORMAL_HANGUP || reason == v1::END_REASON_TRANSFER_COMPLETED;
  return {well && !ended->end().failed(),
          absl::StrCat(Words(v1::EndReason_Name(reason), "END_REASON_"), ": ", ended->end().evidence())};
}

Finding Duration(const CallFacts& facts) {
  const v1::CallEnded* const ended = End(facts);
  int64_t recorded = 0;
  if (!absl::SimpleAtoi(Column(facts.call_row, "duration"), &recorded)) return {false, "no duration in the record"};
  return {recorded > 0 && ended != nullptr && ended->duration().seconds() == recorded, absl::StrCat(recorded, " s")};
}

Finding Transcript(const CallFacts& facts) {
  const size_t size = Column(facts.call_row, "transcript").size();
  const auto cut = std::find_if(facts.transcript.begin(), facts.transcript.end(), [](const v1::TranscriptItem& item) {
    return item.status() == v1::TRANSCRIPT_ITEM_STATUS_CUT && item.text_heard().size() < item.text_generated().size();
  });
  if (size == 0) return {false, "no transcript in the record"};
  if (cut == facts.transcript.end()) return {false, "GetTranscript shows no item that was cut"};
  return {true, absl::StrCat(facts.transcript.size(), " items, what was cut is marked")};
}

Finding Summary(const CallFacts& facts) {
  const std::string recorded = Column(facts.call_row, "summary");
  for (const v1::CallEvent& event : facts.events) {
    if (event.has_summary_ready()) return {!recorded.empty() && recorded == event.summary_ready().summary(), recorded};
  }
  return {false, "no summary was made"};
}

Finding Lead(const CallFacts& facts) {
  const std::string status = Column(facts.lead_row, "call_status");
  const std::string human = Column(facts.lead_row, "transferred_to_human");
  return {status == "transferred" && human == "1",
          facts.lead_row.empty() ? "no lead" : absl::StrCat("call_status ", status, ", transferred_to_human ", human)};
}

Finding PersonContent(const CallFacts& facts) {
  if (!facts.world.found) return {false, "the world knows no such call"};
  if (!facts.world.failed_steps.empty()) return {false, absl::StrJoin(facts.world.failed_steps, "; ")};
  return {facts.world.over, facts.world.over ? "nothing was waited for in vain" : "still on the line"};
}

Finding NoViolations(const CallFacts& facts) {
  if (!facts.world.found) return {false, "the world knows no such call"};
  return {facts.world.violations.empty(),
          facts.world.violations.empty() ? "none" : absl::StrJoin(facts.world.violations, "; ")};
}

constexpr struct {
  const char* what;
  Finding (*find)(const CallFacts&);
} kSteps[] = {
    {"the greeting is heard", &Greeting},
    {"two turns of the caller are transcribed", &TurnsTranscribed},
    {"two turns are answered", &TurnsAnswered},
    {"the caller interrupts and hears less than was sent", &Interrupted},
    {"the first transfer fails: nobody answers", &FirstTransferFailed},
    {"the caller comes back to the assistant", &Returned},
    {"the second transfer reaches a human", &SecondTransferBridged},
    {"the call ends as it should", &Ended},
    {"its duration is in the record", &Duration},
    {"its transcript is in the record", &Transcript},
    {"its summary is in the record", &Summary},
    {"the lead is marked as transferred", &Lead},
    {"the person was content", &PersonContent},
    {"no rule of the carrier or the model was broken", &NoViolations},
};

// Only in the call that callbridge makes.
constexpr struct {
  const char* what;
  Finding (*find)(const CallFacts&);
} kOutboundSteps[] = {
    {"a cough makes the assistant pause, and go on", &Resumed},
    {"the model's session is lost, and another one takes its place", &SessionReplaced},
};

bool IsOutbound(const CallFacts& facts) {
  return !facts.events.empty() && facts.events[0].call_created().direction() == v1::CALL_DIRECTION_OUTBOUND;
}

}  // namespace

std::vector<Step> CheckCall(const CallFacts& facts) {
  std::vector<Step> steps;
  const auto check = [&](const auto& each) {
    Finding finding = each.find(facts);
    steps.push_back({each.what, finding.done, std::move(finding.detail)});
  };
  for (const auto& each : kSteps) check(each);
  if (!IsOutbound(facts)) return steps;
  for (const auto& each : kOutboundSteps) check(each);
  return steps;
}

bool AllDone(const std::vector<Step>& steps) { return FirstMissing(steps).empty(); }

std::string FirstMissing(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    if (!step.done) return step.what;
  }
  return "";
}

}  // namespace callbridge::demo
