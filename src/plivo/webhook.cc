#include "src/plivo/webhook.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/plivo/utf8.h"

namespace callbridge::plivo {
namespace {

constexpr size_t kMaxCallIdBytes = 64;
constexpr size_t kMaxTextBytes = 2048;
constexpr size_t kMaxSipHeaders = 32;
constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

// Fit for a database and a log: a caller's name in Latin-1 must not cost the call.
std::string CleanText(absl::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty() && clean.size() < kMaxTextBytes) {
    const size_t length = Utf8SequenceLength(text);
    const bool keep = length > 1 || (length == 1 && !absl::ascii_iscntrl(static_cast<unsigned char>(text[0])));
    absl::StrAppend(&clean, keep ? text.substr(0, length) : kReplacement);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return clean;
}

std::string Text(const Form& form, absl::string_view name) { return CleanText(form.Get(name)); }

// The first of several spellings that has a value.
std::string AnyText(const Form& form, std::initializer_list<absl::string_view> names) {
  for (const absl::string_view name : names) {
    const absl::string_view value = form.GetIgnoringCase(name);
    if (!value.empty()) return CleanText(value);
  }
  return {};
}

absl::optional<int64_t> Seconds(const Form& form, absl::string_view name) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(form.Get(name), &value) || value < 0) return absl::nullopt;
  return value;
}

absl::optional<int> Code(const Form& form, absl::string_view name) {
  int value = 0;
  if (!absl::SimpleAtoi(form.Get(name), &value) || value < 0) return absl::nullopt;
  return value;
}

// One that is read more generously: a verdict must not be lost for its spelling.
absl::optional<bool> LooseFlag(const Form& form, absl::string_view name) {
  const absl::string_view text = absl::StripAsciiWhitespace(form.GetIgnoringCase(name));
  for (const absl::string_view yes : {"true", "1", "yes", "machine"}) {
    if (absl::EqualsIgnoreCase(text, yes)) return true;
  }
  for (const absl::string_view no : {"false", "0", "no", "human"}) {
    if (absl::EqualsIgnoreCase(text, no)) return false;
  }
  return absl::nullopt;
}

absl::optional<bool> Flag(const Form& form, absl::string_view name) {
  const absl::string_view text = form.Get(name);
  if (absl::EqualsIgnoreCase(text, "true")) return true;
  if (absl::EqualsIgnoreCase(text, "false")) return false;
  return absl::nullopt;
}

Direction ParseDirection(absl::string_view text) {
  if (absl::EqualsIgnoreCase(text, "inbound")) return Direction::kInbound;
  if (absl::EqualsIgnoreCase(text, "outbound")) return Direction::kOutbound;
  return Direction::kUnknown;
}

template <typename Enum>
struct Word {
  absl::string_view text;
  Enum value;
};

template <typename Enum, size_t N>
Enum ParseWord(const Word<Enum> (&words)[N], absl::string_view text) {
  for (const auto& word : words) {
    if (absl::EqualsIgnoreCase(word.text, text)) return word.value;
  }
  return Enum::kUnknown;
}

constexpr Word<Event> kEvents[] = {
    {"StartApp", Event::kStartApp},
    {"Redirect", Event::kRedirect},
    {"Ring", Event::kRing},
    {"Hangup", Event::kHangup},
    {"MachineDetection", Event::kMachineDetection},
    {"DialAnswer", Event::kDialAnswer},
    {"DialHangup", Event::kDialHangup},
    {"DialDigitsMatch", Event::kDialDigitsMatch},
};
// Two of the carrier's guides use different families of names.
constexpr Word<StreamEvent> kStreamEvents[] = {
    {"StartStream", StreamEvent::kStarted},     {"started", StreamEvent::kStarted},
    {"StopStream", StreamEvent::kStopped},      {"stopped", StreamEvent::kStopped},
    {"DroppedStream", StreamEvent::kDropped},   {"dropped", StreamEvent::kDropped},
    {"DegradedStream", StreamEvent::kDegraded}, {"degraded", StreamEvent::kDegraded},
    {"FailedStream", StreamEvent::kFailed},     {"failed", StreamEvent::kFailed},
    {"PlayedStream", StreamEvent::kPlayed},     {"played", StreamEvent::kPlayed},
    {"ClearedAudio", StreamEvent::kCleared},    {"cleared", StreamEvent::kCleared},
};
constexpr Word<DialAction> kDialActions[] = {
    {"answer", DialAction::kAnswer},
    {"connected", DialAction::kConnected},
    {"hangup", DialAction::kHangup},
    {"digits", DialAction::kDigits},
};

bool IsCallId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxCallIdBytes && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

absl::StatusOr<CommonParams> ParseCommon(const Form& form) {
  const absl::string_view call_uuid = form.Get("CallUUID");
  if (call_uuid.empty()) return absl::InvalidArgumentError("webhook: CallUUID: missing or empty");
  if (!IsCallId(call_uuid)) {
    return absl::InvalidArgumentError("webhook: CallUUID: must be 1 to 64 letters, digits, '-' or '_'");
  }
  CommonParams common;
  common.call_uuid = std::string(call_uuid);
  common.from = Text(form, "From");
  common.to = Text(form, "To");
  common.direction = ParseDirection(form.Get("Direction"));
  common.call_status = ParseCallStatus(form.Get("CallStatus"));
  common.call_status_text = Text(form, "CallStatus");
  common.event = ParseWord(kEvents, form.Get("Event"));
  common.event_text = Text(form, "Event");
  common.request_uuid = Text(form, "RequestUUID");
  common.a_leg_uuid = Text(form, "ALegUUID");
  common.parent_auth_id = Text(form, "ParentAuthID");
  return common;
}

// The part that all Parse...() functions share: the common fields, or why not.
template <typename Params, typename Fill>
absl::StatusOr<Params> Make(const Form& form, Fill fill) {
  absl::StatusOr<CommonParams> common = ParseCommon(form);
  if (!common.ok()) return common.status();
  Params params;
  params.common = *std::move(common);
  fill(&params);
  return params;
}

void ReadSipHeaders(const Form& form, AnswerParams* params) {
  constexpr absl::string_view kPrefix = "X-PH-";
  for (const auto& [name, value] : form.fields()) {
    if (!absl::StartsWithIgnoreCase(name, kPrefix) || params->sip_headers.size() == kMaxSipHeaders) continue;
    params->sip_headers.emplace_back(CleanText(absl::string_view(name).substr(kPrefix.size())), CleanText(value));
  }
}

DialAction ActionOf(const Form& form, Event event) {
  const DialAction action = ParseWord(kDialActions, form.Get("DialAction"));
  if (action != DialAction::kUnknown) return action;
  if (event == Event::kDialAnswer) return DialAction::kAnswer;
  if (event == Event::kDialHangup) return DialAction::kHangup;
  return event == Event::kDialDigitsMatch ? DialAction::kDigits : DialAction::kUnknown;
}

}  // namespace

absl::StatusOr<AnswerParams> ParseAnswer(const Form& form) {
  return Make<AnswerParams>(form, [&form](AnswerParams* params) {
    params->caller_name = Text(form, "CallerName");
    params->forwarded_from = Text(form, "ForwardedFrom");
    params->stir_verification = Text(form, "STIRVerification");
    params->session_start = ParseCarrierTime(form.Get("SessionStart"));
    params->bill_rate = Text(form, "BillRate");
    params->digits = Text(form, "Digits");
    params->machine = LooseFlag(form, "Machine");
    ReadSipHeaders(form, params);
    const CommonParams& common = params->common;
    // Event says so; CallStatus and HangupCause are second and third witness, in case it is missing or new.
    params->is_hangup_notice =
        common.event == Event::kHangup || IsOver(common.call_status) || !form.Get("HangupCause").empty();
  });
}

absl::StatusOr<RingParams> ParseRing(const Form& form) {
  return Make<RingParams>(form, [](RingParams*) {});
}

absl::StatusOr<HangupParams> ParseHangup(const Form& form) {
  return Make<HangupParams>(form, [&form](HangupParams* params) {
    params->cause = Text(form, "HangupCause");
    params->cause_name = Text(form, "HangupCauseName");
    params->cause_code = Code(form, "HangupCauseCode");
    params->source = ParseHangupSource(form.Get("HangupSource"));
    params->source_text = Text(form, "HangupSource");
    params->duration_seconds = Seconds(form, "Duration");
    params->bill_duration_seconds = Seconds(form, "BillDuration");
    params->bill_rate = Text(form, "BillRate");
    params->total_cost = Text(form, "TotalCost");
    params->start_time = ParseCarrierTime(form.Get("StartTime"));
    params->answer_time = ParseCarrierTime(form.Get("AnswerTime"));
    params->end_time = ParseCarrierTime(form.Get("EndTime"));
    params->carrier_failover = Flag(form, "CarrierFailoverTriggered").value_or(false);
  });
}

absl::StatusOr<StreamStatusParams> ParseStreamStatus(const Form& form) {
  return Make<StreamStatusParams>(form, [&form](StreamStatusParams* params) {
    params->event = ParseWord(kStreamEvents, params->common.event_text);
    params->stream_id = AnyText(form, {"StreamID", "Stream_ID", "StreamUUID"});
    params->name = AnyText(form, {"Name"});
    params->error = AnyText(form, {"Error", "StatusReason", "Reason"});
    params->duration_seconds = Seconds(form, "Duration");
    params->time = ParseCarrierTime(form.Get("Timestamp"));
  });
}

absl::StatusOr<DialDoneParams> ParseDialDone(const Form& form) {
  return Make<DialDoneParams>(form, [&form](DialDoneParams* params) {
    params->status = ParseDialStatus(form.Get("DialStatus"));
    params->status_text = Text(form, "DialStatus");
    params->rang = Flag(form, "DialRingStatus");
    params->hangup_cause = Text(form, "DialHangupCause");
    params->a_leg_uuid = Text(form, "DialALegUUID");
    params->b_leg_uuid = Text(form, "DialBLegUUID");
  });
}

absl::StatusOr<DialProgressParams> ParseDialProgress(const Form& form) {
  return Make<DialProgressParams>(form, [&form](DialProgressParams* params) {
    params->action = ActionOf(form, params->common.event);
    params->b_leg_uuid = Text(form, "DialBLegUUID");
    params->b_leg_status = ParseCallStatus(form.Get("DialBLegStatus"));
    params->b_leg_from = Text(form, "DialBLegFrom");
    params->b_leg_to = Text(form, "DialBLegTo");
    params->b_leg_duration_seconds = Seconds(form, "DialBLegDuration");
    params->b_leg_bill_duration_seconds = Seconds(form, "DialBLegBillDuration");
    params->b_leg_hangup_cause = Text(form, "DialBLegHangupCause");
    params->b_leg_hangup_cause_name = Text(form, "DialBLegHangupCauseName");
    params->b_leg_hangup_cause_code = Code(form, "DialBLegHangupCauseCode");
    params->b_leg_hangup_source = ParseHangupSource(form.Get("DialBLegHangupSource"));
    params->digits = Text(form, "DialDigitsMatch");
    params->digits_pressed_by = Text(form, "DialDigitsPressedBy");
  });
}

absl::StatusOr<MachineDetectionParams> ParseMachineDetection(const Form& form) {
  return Make<MachineDetectionParams>(form, [&form](MachineDetectionParams* params) {
    // The event is told of machines only.
    params->machine = LooseFlag(form, "Machine").value_or(params->common.event == Event::kMachineDetection);
    params->if_machine = Text(form, "IfMachine");
  });
}

absl::optional<absl::Time> ParseCarrierTime(absl::string_view text) {
  // Longest first: ParseTime wants all of the text.
  constexpr absl::string_view kFormats[] = {"%Y-%m-%d %H:%M:%E*S%Ez", "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%dT%H:%M:%E*S%Ez",
                                            "%Y-%m-%dT%H:%M:%E*S"};
  if (text.empty() || text.size() > 64) return absl::nullopt;
  for (const absl::string_view format : kFormats) {
    absl::Time time;
    std::string ignored;
    // ParseTime takes the words "infinite-past" and "infinite-future" too.
    if (absl::ParseTime(format, text, &time, &ignored) && time > absl::InfinitePast() &&
        time < absl::InfiniteFuture()) {
      return time;
    }
  }
  return absl::nullopt;
}

}  // namespace callbridge::plivo
