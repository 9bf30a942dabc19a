#ifndef CALLBRIDGE_SRC_BASE_PHONE_H_
#define CALLBRIDGE_SRC_BASE_PHONE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace callbridge::base {

// Whether `number` is in E.164 form with its plus sign: '+', a first digit 1-9, 7 to 15 digits in all.
bool IsE164(absl::string_view number);

// The form in which numbers are stored: carriers send them with and without '+'. Seven to fifteen digits get a '+';
// anything else (a SIP URI, a name, "anonymous") is returned as it is.
std::string NormalizeNumber(absl::string_view number);

// For logs: all but the first two and the last two characters as '*', "+1*******23". Short texts become all '*'.
std::string MaskNumber(absl::string_view number);

}  // namespace callbridge::base

#endif  // CALLBRIDGE_SRC_BASE_PHONE_H_
