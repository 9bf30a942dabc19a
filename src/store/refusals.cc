#include "src/store/refusals.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/base/error.h"

namespace callbridge::store {
namespace {

using base::MakeError;
using Code = absl::StatusCode;

constexpr char kEventsPurged[] = "EVENTS_PURGED";
constexpr char kOwnerChanged[] = "OWNER_CHANGED";
constexpr size_t kNamedCalls = 10;  // A message is read by people.

}  // namespace

absl::Status RequestIdReused() {
  return base::FieldError("request_id", "REQUEST_ID_REUSED", "was used for another request; use a new one");
}

absl::Status LeadNotFound() { return MakeError(Code::kNotFound, "LEAD_NOT_FOUND", "no such lead"); }

absl::Status LeadSuppressed(const LeadRecord& lead) {
  return MakeError(Code::kFailedPrecondition, "LEAD_SUPPRESSED", "to: this person must not be called (suppressed lead)",
                   {{"field", "to"}, {"lead", lead.lead_id}});
}

absl::Status LeadIdReused(absl::string_view lead_id) {
  return MakeError(Code::kAlreadyExists, "LEAD_ID_REUSED", "the id belongs to another lead; use a new one",
                   {{"lead", std::string(lead_id)}});
}

absl::Status LeadExists(absl::string_view lead_id) {
  return MakeError(Code::kAlreadyExists, "LEAD_EXISTS", absl::StrCat("the phone number has lead ", lead_id, " already"),
                   {{"lead", std::string(lead_id)}});
}

absl::Status LeadChanged(const LeadRecord& lead) {
  return MakeError(Code::kAborted, "LEAD_CHANGED",
                   absl::StrCat("the lead was changed meanwhile, it is at revision ", lead.revision, "; read it again"),
                   {{"lead", lead.lead_id}, {"revision", absl::StrCat(lead.revision)}});
}

absl::Status CallsNotOver(const std::vector<std::string>& call_ids) {
  const std::vector<std::string> named(call_ids.begin(),
                                       call_ids.begin() + std::min<size_t>(call_ids.size(), kNamedCalls));
  const std::string calls = absl::StrJoin(named, ", ");
  return MakeError(Code::kFailedPrecondition, "CALLS_NOT_OVER",
                   absl::StrCat("calls with this number are not over: ", calls,
                                call_ids.size() > named.size() ? " and more" : "", "; end them, then erase again"),
                   {{"calls", calls}});
}

absl::Status CallErased(absl::string_view call_id) {
  return MakeError(Code::kFailedPrecondition, "CALL_ERASED", "the person was erased from this call",
                   {{"call", std::string(call_id)}});
}

absl::Status EventsPurged(int64_t oldest) {
  return MakeError(Code::kOutOfRange, kEventsPurged, absl::StrCat("events up to ", oldest, " are not kept any more"),
                   {{"oldest", absl::StrCat(oldest)}});
}

absl::Status OwnerChanged(absl::string_view call_id) {
  return MakeError(Code::kAborted, kOwnerChanged, "the call has another owner now", {{"call", std::string(call_id)}});
}

bool IsOwnerChanged(const absl::Status& status) {
  return absl::IsAborted(status) && base::GetErrorInfo(status).reason == kOwnerChanged;
}

int64_t OldestOf(const absl::Status& status) {
  const base::ErrorInfo info = base::GetErrorInfo(status);
  const auto oldest = info.metadata.find("oldest");
  int64_t value = -1;
  if (info.reason != kEventsPurged || oldest == info.metadata.end() || !absl::SimpleAtoi(oldest->second, &value))
    return -1;
  return value;
}

}  // namespace callbridge::store
