#include "src/plivo/hangup_cause.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/ascii.h"

namespace callbridge::plivo {
namespace {

// Sorted by code.
constexpr HangupCause kCauses[] = {
    {0, "Unknown", CauseClass::kUnknown},
    {1000, "Canceled", CauseClass::kCanceled},
    {1010, "Canceled (Out Of Credits)", CauseClass::kCarrierFailed},
    {1020, "Canceled (Simultaneous Dial Limit Reached)", CauseClass::kCarrierFailed},
    {2000, "Invalid Destination Address", CauseClass::kInvalidNumber},
    {2010, "Destination Out Of Service", CauseClass::kInvalidNumber},
    {2020, "Endpoint Not Registered", CauseClass::kInvalidNumber},
    {2030, "Destination Country Barred", CauseClass::kCarrierFailed},
    {2040, "Destination Number Barred", CauseClass::kCarrierFailed},
    {2050, "Destination Prefix Barred", CauseClass::kCarrierFailed},
    {2060, "Loop Detected", CauseClass::kCarrierFailed},
    {2070, "Violates Media Anchoring", CauseClass::kCarrierFailed},
    {3000, "No Answer", CauseClass::kNoAnswer},
    {3010, "Busy Line", CauseClass::kBusy},
    {3020, "Rejected", CauseClass::kRejected},
    {3030, "Unknown Caller ID", CauseClass::kCarrierFailed},
    {3040, "Forbidden", CauseClass::kCarrierFailed},
    {3050, "Unallocated Number", CauseClass::kInvalidNumber},
    {3070, "Request Timeout", CauseClass::kCarrierFailed},
    {3080, "Carrier-side Error", CauseClass::kCarrierFailed},
    {3090, "Network Congestion", CauseClass::kCarrierFailed},
    {3100, "Busy Everywhere", CauseClass::kBusy},
    {3110, "Declined", CauseClass::kRejected},
    {3120, "User Does Not Exist Anywhere", CauseClass::kInvalidNumber},
    {3130, "Blocked As Spam", CauseClass::kRejected},
    {3140, "Caller ID On Do-not-originate List", CauseClass::kCarrierFailed},
    {4000, "Normal Hangup", CauseClass::kNormal},
    {4010, "End Of XML Instructions", CauseClass::kOurXmlRanOut},
    {4020, "Multiparty Call Ended", CauseClass::kNormal},
    {4030, "Kicked Out", CauseClass::kNormal},
    {4210, "SIP Authentication Failed", CauseClass::kCarrierFailed},
    {4240, "SIP Authentication Failed", CauseClass::kCarrierFailed},
    {4250, "SIP Authentication Timeout", CauseClass::kCarrierFailed},
    {5000, "Network Error", CauseClass::kCarrierFailed},
    {5010, "Internal Error", CauseClass::kCarrierFailed},
    {5020, "Routing Error", CauseClass::kCarrierFailed},
    {5030, "Concurrency Limit Breached", CauseClass::kCarrierFailed},
    {6000, "Scheduled Hangup", CauseClass::kNormal},
    {6010, "Ring Timeout Reached", CauseClass::kNoAnswer},
    {6020, "Media Timeout", CauseClass::kCarrierFailed},
    {7011, "Error Reaching Answer URL", CauseClass::kOurServerFault},
    {7012, "Error Reaching Action URL", CauseClass::kOurServerFault},
    {7013, "Error Reaching Transfer URL", CauseClass::kOurServerFault},
    {7014, "Error Reaching Redirect URL", CauseClass::kOurServerFault},
    {7022, "Invalid Action URL", CauseClass::kOurServerFault},
    {7023, "Invalid Transfer URL", CauseClass::kOurServerFault},
    {7024, "Invalid Redirect URL", CauseClass::kOurServerFault},
    {7032, "Invalid Method For Action URL", CauseClass::kOurServerFault},
    {7033, "Invalid Method For Transfer URL", CauseClass::kOurServerFault},
    {7034, "Invalid Method For Redirect URL", CauseClass::kOurServerFault},
    {8011, "Invalid Answer XML", CauseClass::kOurServerFault},
    {8012, "Invalid Action XML", CauseClass::kOurServerFault},
    {8013, "Invalid Transfer XML", CauseClass::kOurServerFault},
    {8014, "Invalid Redirect XML", CauseClass::kOurServerFault},
    {9000, "Lost Race", CauseClass::kCanceled},
    {9100, "Machine Detected", CauseClass::kMachine},
    {9110, "Confirm Key Challenge Failed", CauseClass::kRejected},
};

template <typename Enum>
struct Word {
  absl::string_view text;  // Lower case, words joined by '_'.
  Enum value;
};

// The first word of a value is also its name.
constexpr Word<CauseClass> kCauseClassWords[] = {
    {"normal", CauseClass::kNormal},
    {"busy", CauseClass::kBusy},
    {"no_answer", CauseClass::kNoAnswer},
    {"rejected", CauseClass::kRejected},
    {"invalid_number", CauseClass::kInvalidNumber},
    {"carrier_failed", CauseClass::kCarrierFailed},
    {"canceled", CauseClass::kCanceled},
    {"our_xml_ran_out", CauseClass::kOurXmlRanOut},
    {"our_server_fault", CauseClass::kOurServerFault},
    {"machine", CauseClass::kMachine},
};
constexpr Word<CallStatus> kCallStatusWords[] = {
    {"ringing", CallStatus::kRinging},     {"in_progress", CallStatus::kInProgress},
    {"completed", CallStatus::kCompleted}, {"busy", CallStatus::kBusy},
    {"failed", CallStatus::kFailed},       {"timeout", CallStatus::kTimeout},
    {"no_answer", CallStatus::kNoAnswer},  {"cancel", CallStatus::kCancel},
    {"canceled", CallStatus::kCancel},     {"cancelled", CallStatus::kCancel},
};
constexpr Word<DialStatus> kDialStatusWords[] = {
    {"completed", DialStatus::kCompleted}, {"busy", DialStatus::kBusy},        {"failed", DialStatus::kFailed},
    {"cancel", DialStatus::kCancel},       {"timeout", DialStatus::kTimeout},  {"no_answer", DialStatus::kNoAnswer},
    {"canceled", DialStatus::kCancel},     {"cancelled", DialStatus::kCancel},
};
constexpr Word<HangupSource> kHangupSourceWords[] = {
    {"caller", HangupSource::kCaller},
    {"callee", HangupSource::kCallee},
    {"call_recipient", HangupSource::kCallee},  // The page of causes calls the callee so.
    {"plivo", HangupSource::kPlivo},
    {"carrier", HangupSource::kCarrier},
    {"api_request", HangupSource::kApiRequest},
    {"answer_xml", HangupSource::kAnswerXml},
    {"error", HangupSource::kError},
};

template <typename Enum, size_t N>
Enum ParseWord(const Word<Enum> (&words)[N], absl::string_view text) {
  std::string normal = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  std::replace(normal.begin(), normal.end(), '-', '_');
  std::replace(normal.begin(), normal.end(), ' ', '_');
  for (const auto& word : words) {
    if (word.text == normal) return word.value;
  }
  return Enum::kUnknown;
}

template <typename Enum, size_t N>
absl::string_view NameOf(const Word<Enum> (&words)[N], Enum value) {
  for (const auto& word : words) {
    if (word.value == value) return word.text;
  }
  return "unknown";
}

}  // namespace

HangupCause LookUpHangupCause(int code) {
  const auto* it = std::lower_bound(std::begin(kCauses), std::end(kCauses), code,
                                    [](const HangupCause& cause, int wanted) { return cause.code < wanted; });
  if (it != std::end(kCauses) && it->code == code) return *it;
  const bool ours = code >= 7000 && code < 9000;
  return {code, "Unknown", ours ? CauseClass::kOurServerFault : CauseClass::kUnknown};
}

CallStatus ParseCallStatus(absl::string_view text) { return ParseWord(kCallStatusWords, text); }
DialStatus ParseDialStatus(absl::string_view text) { return ParseWord(kDialStatusWords, text); }
HangupSource ParseHangupSource(absl::string_view text) { return ParseWord(kHangupSourceWords, text); }

bool IsOver(CallStatus status) {
  return status != CallStatus::kUnknown && status != CallStatus::kRinging && status != CallStatus::kInProgress;
}

absl::string_view Name(CauseClass value) { return NameOf(kCauseClassWords, value); }
absl::string_view Name(CallStatus value) { return NameOf(kCallStatusWords, value); }
absl::string_view Name(DialStatus value) { return NameOf(kDialStatusWords, value); }
absl::string_view Name(HangupSource value) { return NameOf(kHangupSourceWords, value); }

}  // namespace callbridge::plivo
