#include "src/base/phone.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace callbridge::base {
namespace {

bool IsNationalFreeDigits(absl::string_view digits) {
  return digits.size() >= 7 && digits.size() <= 15 && digits[0] != '0' &&
         std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit);
}

}  // namespace

bool IsE164(absl::string_view number) {
  return !number.empty() && number[0] == '+' && IsNationalFreeDigits(number.substr(1));
}

std::string NormalizeNumber(absl::string_view number) {
  return IsNationalFreeDigits(number) ? absl::StrCat("+", number) : std::string(number);
}

std::string MaskNumber(absl::string_view number) {
  std::string masked(number);
  const size_t keep = masked.size() > 6 ? 2 : 0;
  for (size_t i = keep; i + keep < masked.size(); ++i) masked[i] = '*';
  return masked;
}

}  // namespace callbridge::base
