#include "src/session/dial_rules.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "src/base/error.h"
#include "src/base/phone.h"

namespace callbridge::session {

using base::FieldError;
using base::MakeError;

bool BeginsWithOneOf(const std::vector<std::string>& prefixes, absl::string_view number) {
  return std::any_of(prefixes.begin(), prefixes.end(), [number](const std::string& prefix) {
    return !prefix.empty() && absl::StartsWith(number, prefix);
  });
}

absl::Status CheckTransferNumber(const Settings& settings, absl::string_view number) {
  if (!base::IsE164(number))
    return FieldError("number", "INVALID_E164", "not a phone number in E.164 form, such as +14155550123");
  if (BeginsWithOneOf(settings.transfer_prefixes, number)) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, "DESTINATION_NOT_ALLOWED",
                   "number: outside the configured transfer_prefixes", {{"field", "number"}});
}

absl::Status CheckSuppression(const absl::StatusOr<store::LeadRecord>& lead) {
  if (absl::IsNotFound(lead.status())) return absl::OkStatus();
  if (!lead.ok()) {
    return MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                     "number: whether this person may be called could not be looked up; try again");
  }
  if (!lead->suppressed) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, "LEAD_SUPPRESSED",
                   "number: this person must not be called (suppressed lead)",
                   {{"field", "number"}, {"lead", lead->lead_id}});
}

}  // namespace callbridge::session
