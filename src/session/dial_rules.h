#ifndef CALLBRIDGE_SRC_SESSION_DIAL_RULES_H_
#define CALLBRIDGE_SRC_SESSION_DIAL_RULES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "src/session/settings.h"
#include "src/store/records.h"

// Which numbers may be dialled. Pure.
namespace callbridge::session {

// Empty prefixes allow nothing.
bool BeginsWithOneOf(const std::vector<std::string>& prefixes, absl::string_view number);

// Why nobody could be transferred to that number, whoever asks; OK: nothing speaks against it. kInvalidArgument
// INVALID_E164, kFailedPrecondition DESTINATION_NOT_ALLOWED.
absl::Status CheckTransferNumber(const Settings& settings, absl::string_view number);

// What the look-up of `number`'s lead says against a transfer to it: kFailedPrecondition LEAD_SUPPRESSED {lead}. A
// number without a lead is fine; one that could not be looked up is not dialled: kUnavailable STORE_UNAVAILABLE.
absl::Status CheckSuppression(const absl::StatusOr<store::LeadRecord>& lead);

}  // namespace callbridge::session

#endif  // CALLBRIDGE_SRC_SESSION_DIAL_RULES_H_
