#include "src/session/dial_rules.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

absl::Status CheckSuppression(absl::string_view field, const absl::StatusOr<store::LeadRecord>& lead) {
  if (absl::IsNotFound(lead.status())) return absl::OkStatus();
  if (!lead.ok()) {
    return MakeError(absl::StatusCode::kUnavailable, "STORE_UNAVAILABLE",
                     absl::StrCat(field, ": whether this person may be called could not be looked up; try again"));
  }
  if (!lead->suppressed) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, "LEAD_SUPPRESSED",
                   absl::StrCat(field, ": this person must not be called (suppressed lead)"),
                   {{"field", std::string(field)}, {"lead", lead->lead_id}});
}

namespace {

// Of the agent and the calling number; `terms` is what the request and the configuration say.
absl::Status CheckCaller(const Settings& settings, const StartTerms& terms) {
  if (settings.agents.count(terms.agent) == 0) {
    const auto key = [](std::string* out, const auto& entry) { out->append(entry.first); };
    return FieldError(
        "agent", "UNKNOWN_AGENT",
        absl::StrCat("no agent '", terms.agent, "'; there are: ", absl::StrJoin(settings.agents, ", ", key)));
  }
  if (terms.from.empty()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "NO_CALLER_ID",
                     absl::StrCat("from: not given, and agent '", terms.agent, "' has no caller_id"),
                     {{"field", "from"}, {"agent", terms.agent}});
  }
  if (base::IsE164(terms.from)) return absl::OkStatus();
  return FieldError("from", "INVALID_E164", "not a phone number in E.164 form, such as +14155550100");
}

absl::Status CheckCalled(const Settings& settings, const std::string& to, const std::string& from) {
  if (!base::IsE164(to))
    return FieldError("to", "INVALID_E164", "not a phone number in E.164 form, such as +14155550123");
  if (to == from) return FieldError("to", "INVALID_E164", "is the calling number itself");
  if (MayDial(settings, to)) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, "DESTINATION_NOT_ALLOWED",
                   "to: outside the configured allowed_prefixes", {{"field", "to"}});
}

}  // namespace

bool MayDial(const Settings& settings, absl::string_view number) {
  return BeginsWithOneOf(settings.allowed_prefixes, number);
}

std::vector<absl::Status> CheckStartRequest(const Settings& settings, const CallControl::StartRequest& request,
                                            StartTerms* terms) {
  terms->agent = request.agent.empty() ? settings.default_agent : request.agent;
  const auto agent = settings.agents.find(terms->agent);
  terms->from = request.from.empty() && agent != settings.agents.end() ? agent->second.caller_id : request.from;
  std::vector<absl::Status> problems;
  for (absl::Status status : {CheckCaller(settings, *terms), CheckCalled(settings, request.to, terms->from)}) {
    if (!status.ok()) problems.push_back(std::move(status));
  }
  return problems;
}

}  // namespace callbridge::session
