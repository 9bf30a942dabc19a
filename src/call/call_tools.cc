#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "src/call/call.h"
#include "src/call/deadlines.h"

// What the assistant does besides talking, and how it takes its leave.
namespace callbridge::call {

using namespace deadline;  // NOLINT(google-build-using-namespace): a list of names, of this room alone.

namespace {

constexpr absl::Duration kMessageLimit = absl::Seconds(90);  // Of speaking to a machine.

constexpr char kBridge[] =
    "Something that you are doing for the caller takes longer. Tell them in one short sentence that it takes a moment. "
    "Say nothing else.";
constexpr char kSayGoodbye[] = "Say goodbye to the caller in one short sentence. Say nothing else.";

std::string Spaced(absl::string_view keys) {
  return absl::StrJoin(keys, " ", [](std::string* out, char key) { out->push_back(key); });
}

}  // namespace

// ---- Tools ----

// A call is acted on once, however often the model or its sessions name it.
bool Call::FirstCall(const std::string& tool_call_id, absl::string_view name, absl::string_view arguments,
                     absl::Time answer_by) {
  if (over() || hangup_asked_) return false;
  if (!tool_calls_.emplace(tool_call_id, ToolCall{std::string(name), std::string(arguments)}).second) return false;
  ClearDeadline(kAnswer);
  Emit(ToolCalled{tool_call_id, std::string(name), std::string(arguments), answer_by});
  if (!AnswersNobody()) return true;
  AnswerTool(tool_call_id, name, false, "not done: a colleague has taken the call over");
  return false;
}

void Call::AnswerTool(const std::string& tool_call_id, absl::string_view name, bool ok, const std::string& output) {
  Emit(ToolAnswered{tool_call_id, std::string(name), output, ok});
  const ToolCall& call = tool_calls_[tool_call_id];
  command::HistoryItem item;
  item.role = Role::kTool;
  item.text = output;
  item.tool_call_id = tool_call_id;
  item.name = std::string(name);
  item.arguments = call.arguments.empty() ? "{}" : call.arguments;
  asides_.emplace_back(transcript_.size(), std::move(item));
  if (ModelUsable()) sink_.Do(command::AnswerTool{tool_call_id, ok, output});
}

void Call::On(const input::ToolRefused& in) {
  if (over()) return;
  tool_calls_.emplace(in.tool_call_id, ToolCall{in.name, ""});
  AnswerTool(in.tool_call_id, in.name, false, in.problem);
  RequestResponse("");
}

void Call::On(const input::ToolAsked& in) {
  const auto client = options_.client_tools.find(in.name);
  const bool for_client = client != options_.client_tools.end();
  const absl::Time answer_by = for_client && !AnswersNobody() ? now_ + client->second : absl::InfinitePast();
  if (!FirstCall(in.tool_call_id, in.name, in.arguments, answer_by)) return;
  tools_[in.tool_call_id] = RunningTool{in.name, now_, false, for_client};
  SetDeadlineOnce(kToolPatience, options_.tool_patience);
  if (for_client) {
    client_calls_.insert(in.tool_call_id);
    SetDeadline(absl::StrCat(kClientTool, in.tool_call_id), client->second);
    return;
  }
  SetDeadlineOnce(kToolLimit, options_.tool_limit);
  sink_.Do(command::RunTool{in.tool_call_id, in.name, in.arguments});
}

void Call::On(const input::ToolFinished& in) {
  const auto found = tools_.find(in.tool_call_id);
  if (found == tools_.end() || over()) return;
  const std::string name = found->second.name;
  tools_.erase(found);
  ClearDeadline(absl::StrCat(kClientTool, in.tool_call_id));
  AnswerTool(in.tool_call_id, name, in.ok, in.output);
  if (!tools_.empty()) return;  // One answer to all that were asked for together.
  ClearDeadline(kToolPatience);
  ClearDeadline(kToolLimit);
  RequestResponse("");
}

void Call::On(const input::DtmfAsked& in) {
  if (!FirstCall(in.tool_call_id, "send_dtmf", in.arguments)) return;
  if (!MediaUp()) {
    AnswerTool(in.tool_call_id, "send_dtmf", false, "nobody is on the line");
    return;
  }
  sink_.Do(command::SendDtmf{in.digits});
  Emit(DtmfSent{in.digits, "", ""});
  AnswerTool(in.tool_call_id, "send_dtmf", true, absl::StrCat("pressed ", Spaced(in.digits)));
  RequestResponse("");
}

void Call::OnToolDeadline(absl::string_view which) {
  if (which == kToolPatience) {
    if (tools_.empty() || !MediaUp()) return;
    bool& bridged = tools_.begin()->second.bridged;
    const bool silent = playout_.Silent(now_) && running_responses_.empty() && !caller_speaking_;
    if (!bridged && silent) {
      bridged = true;
      RequestResponse(kBridge);
    } else if (!bridged) {
      SetDeadline(kToolPatience, options_.tool_patience);
    }
  } else if (which == kToolLimit) {
    const std::map<std::string, RunningTool> late = tools_;
    for (const auto& [id, tool] : late) {
      if (!tool.client) On(input::ToolFinished{id, false, "no answer in time"});
    }
  } else if (absl::StartsWith(which, kClientTool)) {
    On(input::ToolFinished{std::string(absl::StripPrefix(which, kClientTool)), false, "no answer in time"});
  } else if (which == kKeys) {
    TakeKeys();
  } else if (which == kFarewell) {
    EndFarewell();
  } else if (which == kBeep) {
    LeaveMessage();
  }
}

// ---- Keys ----

void Call::On(const input::Dtmf& in) {
  if (over()) return;
  Emit(DtmfReceived{in.digit});
  keys_ += in.digit;
  idle_count_ = 0;
  if (in.digit == "#") {
    TakeKeys();
  } else {
    SetDeadline(kKeys, options_.keys_pause);
  }
}

// An entry is a turn of the caller's: it has its place in the conversation, and is answered.
void Call::TakeKeys() {
  ClearDeadline(kKeys);
  if (keys_.empty() || over()) return;
  const std::string text = absl::StrCat("[The caller pressed ", Spaced(std::exchange(keys_, "")), "]");
  const std::string item_id = absl::StrCat("keys_", ++key_entries_);
  transcript_.Add(item_id, "", Role::kCaller, now_);
  transcript_.OnCallerText(item_id, text);
  if (ModelUsable()) sink_.Do(command::AddCallerText{text});
  RequestResponse("");
}

// ---- Goodbyes ----

void Call::On(const input::EndAsked& in) {
  if (!FirstCall(in.tool_call_id, "end_call", in.arguments)) return;
  if (caller_speaking_ || TransferPending()) {
    AnswerTool(in.tool_call_id, "end_call", false,
               caller_speaking_ ? "not ended: the caller is speaking" : "not ended: a transfer is under way");
    RequestResponse("");
    return;
  }
  BeginFarewell(EndReason::kAssistantEnded, Party::kAssistant,
                absl::StrCat("end_call", in.reason.empty() ? "" : ": ", in.reason), /*cancellable=*/true);
  farewell_.tool_call_id = in.tool_call_id;
  if (turn_.open) RequestResponse(kSayGoodbye);  // It has not said a word since the caller did.
}

void Call::BeginFarewell(EndReason reason, Party party, absl::string_view evidence, bool cancellable) {
  if (farewell_.active) return;
  farewell_.active = true;
  farewell_.cancellable = cancellable;
  farewell_.reason = reason;
  farewell_.party = party;
  farewell_.evidence = std::string(evidence);
  SetDeadline(kFarewell, options_.farewell_limit);
}

void Call::CancelFarewell() {
  if (!farewell_.active || !farewell_.cancellable) return;
  const Farewell cancelled = std::exchange(farewell_, Farewell());
  ClearDeadline(kFarewell);
  if (cancelled.tool_call_id.empty()) return;
  AnswerTool(cancelled.tool_call_id, "end_call", false, "not ended: the caller has something to say");
}

// The line is cut when the last words were heard, not when they were made.
void Call::EndIfFarewellHeard() {
  if (!farewell_.active || over()) return;
  const bool said = running_responses_.empty() && !response_wanted_ && !response_asked_ && says_.empty() && !saying_ &&
                    playout_.Silent(now_);
  if (said) EndFarewell();
}

void Call::EndFarewell() {
  if (!farewell_.active) return;
  const Farewell done = std::exchange(farewell_, Farewell());
  if (!done.tool_call_id.empty()) AnswerTool(done.tool_call_id, "end_call", true, "the call is ended");
  AskForHangUp(done.reason, done.party, done.evidence);
}

// ---- Machines ----

void Call::On(const input::MachineDetected& in) {
  const bool expected = options_.direction == Direction::kOutbound && options_.voicemail != VoicemailPolicy::kOff;
  if (over() || hangup_asked_ || !expected || std::exchange(machine_, true)) return;
  Emit(MachineAnswered{options_.voicemail, in.detail});
  if (options_.voicemail == VoicemailPolicy::kHangUp) {
    AskForHangUp(EndReason::kAnsweringMachine, Party::kCallee, absl::StrCat("a machine answered: ", in.detail));
  } else if (options_.voicemail == VoicemailPolicy::kLeaveMessage) {
    voicemail_ = Voicemail::kWaiting;
    listening_for_beep_ = true;
    CutAssistant(Cut::kLineGone);
    for (const std::string& response : running_responses_) CancelOnce(response);
    for (const absl::string_view which : {kAnswer, kRetryResponse, kHold, kIdle}) ClearDeadline(which);
    response_wanted_ = response_asked_ = turn_.open = false;
    SetDeadline(kBeep, caller_speaking_ ? options_.beep_limit : kBehindGreeting * 2);
  }
}

void Call::On(const input::BeepHeard&) {
  if (over()) return;
  caller_speaking_ = false;  // That was the beep.
  LeaveMessage();
}

void Call::LeaveMessage() {
  if (voicemail_ != Voicemail::kWaiting) return;
  if (!MediaUp()) {
    SetDeadline(kBeep, kBehindGreeting);
    return;
  }
  ClearDeadline(kBeep);
  listening_for_beep_ = false;
  voicemail_ = Voicemail::kSpeaking;
  greeted_ = true;
  turn_.open = false;
  if (!PlayPrompt("voicemail", options_.voicemail_prompt)) {
    // The machine's noises must not stop the message.
    if (ModelUsable()) sink_.Do(command::ConfigureModel{true});
    caller_speaking_ = false;
    RequestResponse(absl::StrCat("You are speaking to an answering machine. Say exactly this, and nothing else: ",
                                 options_.voicemail_message));
  }
  BeginFarewell(EndReason::kVoicemailLeft, Party::kAssistant, "a message was left on a machine", false);
  SetDeadline(kFarewell, kMessageLimit);
}

// ---- The summary ----

void Call::On(const input::SummaryMade& in) {
  if (!summary_asked_ || summary_settled_) return;
  summary_settled_ = true;
  Emit(SummaryReady{in.text, CallResult()});
}

void Call::On(const input::SummaryUnavailable& in) {
  if (!summary_asked_ || summary_settled_) return;
  summary_settled_ = true;
  Emit(SummaryFailed{in.detail});
}

}  // namespace callbridge::call
