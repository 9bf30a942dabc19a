#include "src/demo/timeline.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace callbridge::demo {
namespace {

constexpr absl::string_view kDim = "2";
constexpr absl::string_view kTrouble = "1;31";

struct Entry {
  absl::string_view who;  // Empty: nothing to show.
  std::string what;
};

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string Milliseconds(absl::Duration duration) { return absl::StrCat(absl::ToInt64Milliseconds(duration), " ms"); }

absl::string_view Speaker(v1::SpeakerRole role) {
  switch (role) {
    case v1::SPEAKER_ROLE_CALLER: return "caller";
    case v1::SPEAKER_ROLE_ASSISTANT: return "assistant";
    case v1::SPEAKER_ROLE_HUMAN: return "human";
    default: return "bridge";
  }
}

absl::string_view ColourOf(absl::string_view who) {
  if (who == "caller") return "1;36";
  if (who == "assistant") return "1;32";
  if (who == "human") return "1;35";
  return "1;34";
}

std::string Quoted(absl::string_view text) { return absl::StrCat("“", text, "”"); }

Entry Said(const v1::TranscriptItem& item) {
  if (item.status() == v1::TRANSCRIPT_ITEM_STATUS_FAILED)
    return {Speaker(item.role()), "(said something, no words were understood)"};
  const bool cut = item.status() == v1::TRANSCRIPT_ITEM_STATUS_CUT;
  if (item.text_heard().empty()) return {cut ? Speaker(item.role()) : "", "(was stopped before a word was heard)"};
  return {Speaker(item.role()), cut ? Quoted(absl::StrCat(item.text_heard(), " —")) : Quoted(item.text_heard())};
}

// Where the time between the end of the caller's words and the sound of the answer went.
std::string TurnTimes(int turn, const v1::TurnMeasured& measured) {
  std::string text = absl::StrCat("⏱  turn ", turn, ": ");
  if (measured.has_to_first_heard()) {
    absl::StrAppend(&text, "the caller hears the answer after ", Milliseconds(ToDuration(measured.to_first_heard())));
  } else {
    absl::StrAppend(&text, "answered");
  }
  if (!measured.has_to_first_audio() || !measured.has_to_first_sent()) return text;
  const absl::Duration audio = ToDuration(measured.to_first_audio());
  const absl::Duration sent = ToDuration(measured.to_first_sent());
  absl::StrAppend(&text, " (model ", Milliseconds(audio), ", bridge ", Milliseconds(sent - audio));
  if (measured.has_to_first_heard()) {
    absl::StrAppend(&text, ", carrier ", Milliseconds(ToDuration(measured.to_first_heard()) - sent));
  }
  return absl::StrCat(text, ")");
}

Entry TransferStep(const v1::Transfer& transfer) {
  switch (transfer.state()) {
    case v1::TRANSFER_STATE_REQUESTED:
      return {"assistant", absl::StrCat("🔁 transfer to ", transfer.destination(), ": ", transfer.reason())};
    case v1::TRANSFER_STATE_DIALING:
      return {"carrier", absl::StrCat("🔁 dials ", transfer.destination(), " at ", transfer.number())};
    case v1::TRANSFER_STATE_CONNECTED:
      return {"human", absl::StrCat("🔁 ", transfer.destination(), " picks up and talks to the caller")};
    case v1::TRANSFER_STATE_COMPLETED:
      return {"human", absl::StrCat("🔁 the talk with ", transfer.destination(), " is over")};
    case v1::TRANSFER_STATE_FAILED:
      return {"carrier", absl::StrCat("🔁 nobody takes over at ", transfer.destination(), ": ",
                                      Words(v1::TransferOutcome_Name(transfer.outcome()), "TRANSFER_OUTCOME_"))};
    default: return {};
  }
}

Entry StateStep(v1::CallState state) {
  switch (state) {
    case v1::CALL_STATE_DIALING: return {"carrier", "📞 is asked to dial"};
    case v1::CALL_STATE_RINGING: return {"carrier", "📞 the phone rings"};
    case v1::CALL_STATE_ANSWERED: return {"caller", "📞 picks up"};
    default: return {};  // Said better by what made the call change.
  }
}

Entry EndStep(const v1::CallEnded& ended) {
  return {"carrier", absl::StrCat("🏁 call ended: ", Words(v1::EndReason_Name(ended.end().reason()), "END_REASON_"),
                                  ", by ", Words(v1::Party_Name(ended.end().initiator()), "PARTY_"), ", after ",
                                  ended.duration().seconds(), " s (", ended.end().evidence(), ")")};
}

Entry Describe(const v1::CallEvent& event) {
  switch (event.body_case()) {
    case v1::CallEvent::kCallCreated:
      return {"carrier",
              absl::StrCat("📞 ", Words(v1::CallDirection_Name(event.call_created().direction()), "CALL_DIRECTION_"),
                           " call, ", event.call_created().from(), " to ", event.call_created().to())};
    case v1::CallEvent::kStateChanged: return StateStep(event.state_changed().to());
    case v1::CallEvent::kStreamConnected:
      return {"carrier", absl::StrCat("audio stream ", event.stream_connected().ordinal(), " is open")};
    case v1::CallEvent::kStreamLost:
      return {"carrier", absl::StrCat("⚠️  audio stream lost: ", event.stream_lost().detail())};
    case v1::CallEvent::kModelReady: return {"assistant", absl::StrCat("is ready (", event.model_ready().model(), ")")};
    case v1::CallEvent::kModelTrouble:
      return {"assistant",
              absl::StrCat("⚠️  ", event.model_trouble().code(), ": ", event.model_trouble().message())};
    case v1::CallEvent::kBargeIn:
      return {"caller",
              absl::StrCat("✋ interrupts: heard ", FormatSeconds(ToDuration(event.barge_in().heard_duration())), " of ",
                           FormatSeconds(ToDuration(event.barge_in().received_duration())))};
    case v1::CallEvent::kAssistantPaused: return {"assistant", "⏸  pauses: somebody made a sound"};
    case v1::CallEvent::kAssistantResumed:
      return {"assistant", absl::StrCat("▶  goes on after ",
                                        FormatSeconds(ToDuration(event.assistant_resumed().paused_duration())))};
    case v1::CallEvent::kModelReopening:
      return {"assistant",
              absl::StrCat("⚠️  a new session, given all that was said (", event.model_reopening().reason(), ")")};
    case v1::CallEvent::kPromptPlayed:
      return {"assistant", absl::StrCat("🔊 ", event.prompt_played().name(), " prompt")};
    case v1::CallEvent::kTranscriptItemFinal: return Said(event.transcript_item_final().item());
    case v1::CallEvent::kTransferChanged: return TransferStep(event.transfer_changed().transfer());
    case v1::CallEvent::kCallerReturned: return {"caller", "↩  is with the assistant again"};
    case v1::CallEvent::kDtmfReceived: return {"caller", absl::StrCat("presses ", event.dtmf_received().digit())};
    case v1::CallEvent::kCallEnded: return EndStep(event.call_ended());
    case v1::CallEvent::kSummaryReady: return {"assistant", absl::StrCat("📝 ", event.summary_ready().summary())};
    case v1::CallEvent::kSummaryFailed:
      return {"assistant", absl::StrCat("⚠️  no summary: ", event.summary_failed().reason())};
    default: return {};
  }
}

}  // namespace

std::string FormatOffset(absl::Duration offset) {
  const int64_t ms = std::max<int64_t>(0, absl::ToInt64Milliseconds(offset));
  return absl::StrFormat("%d:%02d.%03d", ms / 60000, ms / 1000 % 60, ms % 1000);
}

std::string FormatSeconds(absl::Duration duration) {
  return absl::StrFormat("%.2f s", absl::ToDoubleSeconds(duration));
}

std::string Words(absl::string_view value_name, absl::string_view prefix) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(value_name, prefix)), {{"_", " "}});
}

std::string Timeline::Line(const v1::CallEvent& event) {
  const auto [known, first] = calls_.try_emplace(event.call());
  CallState& call = known->second;
  if (first) call.start = ToTime(event.event_time());
  if (event.has_turn_measured()) return TurnLine(call, event.turn_measured());
  const Entry entry = Describe(event);
  if (entry.who.empty()) return "";
  const std::string line = Format(FormatOffset(ToTime(event.event_time()) - call.start), entry.who, entry.what);
  const std::string& item = event.transcript_item_final().item().item_id();
  if (item.empty()) return line;
  call.said.insert(item);
  const auto waiting = call.waiting.extract(item);
  return waiting.empty() ? line : absl::StrCat(line, "\n", waiting.mapped());
}

// The answer is often on its way before the words that it answers have been transcribed; people want to read them
// first.
std::string Timeline::TurnLine(CallState& call, const v1::TurnMeasured& measured) const {
  const std::string line = Format("", "", TurnTimes(++call.turns, measured));
  const std::string& item = measured.caller_item_id();
  if (item.empty() || call.said.count(item) > 0) return line;
  call.waiting[item] = line;
  return "";
}

std::string Timeline::TranscriptLine(const v1::TranscriptItem& item) const {
  const absl::string_view who = Speaker(item.role());
  std::string text = item.text_heard();
  absl::string_view rest = item.text_generated();
  if (absl::ConsumePrefix(&rest, text) && !rest.empty()) {
    absl::StrAppend(&text, text.empty() ? "" : " ",
                    Painted(kDim, absl::StrCat("[", absl::StripLeadingAsciiWhitespace(rest), "]")));
  }
  return absl::StrCat("  ", Painted(ColourOf(who), absl::StrFormat("%-9s", who)), "  ", text);
}

std::string Timeline::Format(absl::string_view time, absl::string_view who, absl::string_view what) const {
  const bool quiet = absl::StartsWith(what, "⏱");
  const bool trouble = absl::StartsWith(what, "⚠️");
  return absl::StrCat("  ", Painted(kDim, absl::StrFormat("%8s", time)), "  ",
                      Painted(ColourOf(who), absl::StrFormat("%-9s", who)), "  ",
                      trouble ? Painted(kTrouble, what)
                      : quiet ? Painted(kDim, what)
                              : std::string(what));
}

std::string Timeline::Painted(absl::string_view code, absl::string_view text) const {
  return colours_ ? absl::StrCat("\033[", code, "m", text, "\033[0m") : std::string(text);
}

}  // namespace callbridge::demo
