#ifndef CALLBRIDGE_SRC_SESSION_DIAL_RULES_H_
#define CALLBRIDGE_SRC_SESSION_DIAL_RULES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/session/call_control.h"
#include "src/session/settings.h"
#include "src/store/records.h"

// Which numbers may be dialled. Pure.
namespace callbridge::session {

// Empty prefixes allow nothing.
bool BeginsWithOneOf(const std::vector<std::string>& prefixes, absl::string_view number);

// Whether `number` begins with one of the allowed prefixes.
bool MayDial(const Settings& settings, absl::string_view number);

// Why nobody could be transferred to that number, whoever asks; OK: nothing speaks against it. kInvalidArgument
// INVALID_E164, kFailedPrecondition DESTINATION_NOT_ALLOWED.
absl::Status CheckTransferNumber(const Settings& settings, absl::string_view number);

// What the look-up of a number's lead says against dialling it: kFailedPrecondition LEAD_SUPPRESSED {lead}. A number
// without a lead is fine; one that could not be looked up is not dialled: kUnavailable STORE_UNAVAILABLE. `field` is
// that of the request.
absl::Status CheckSuppression(absl::string_view field, const absl::StatusOr<store::LeadRecord>& lead);

// Who would call, and as which agent, where a request leaves that to the configuration.
struct StartTerms {
  std::string agent;
  std::string from;
};
// Everything that is wrong with the request itself, whenever it comes, in the order in which StartCall names it; the
// terms are good if that is nothing.
std::vector<absl::Status> CheckStartRequest(const Settings& settings, const CallControl::StartRequest& request,
                                            StartTerms* terms);

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_DIAL_RULES_H_
